public import Foundation
import Synchronization
import UpkeepCore
public import UpkeepRuns
import UpkeepRuntime

/// Tells systemd how `serve` stands, by the protocol of sd_notify(3): datagrams to the socket in `NOTIFY_SOCKET`.
///
/// Where there is no such socket nothing is told. The watchdog is fed by the turns of the scheduler's loop, so a loop
/// that stands still gets the service restarted.
public final class ServiceNotifier: Sendable {
  private enum Phase {
    case starting, serving, stopping
  }

  private struct State {
    var phase = Phase.starting
    var isReloading = false
    var status = ""
    /// What is wrong with the configuration's file as it stands now.
    var trouble = ""
  }

  /// How long the service manager waits for a sign of life; nothing where it doesn't.
  public let watchdog: Duration?
  private let address: String?
  private let state = Mutex(State())
  private let monotonic: @Sendable () -> UInt64

  /// Reads `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
  public init(
    environment: [String: String] = ProcessInfo.processInfo.environment,
    monotonic: @escaping @Sendable () -> UInt64 = { DispatchTime.now().uptimeNanoseconds / 1000 }
  ) {
    address = environment["NOTIFY_SOCKET"].flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil }
    self.monotonic = monotonic
    let pid = environment["WATCHDOG_PID"].flatMap { Int32($0) }
    let isOurs = pid == nil || pid == ProcessInfo.processInfo.processIdentifier
    let limit = environment["WATCHDOG_USEC"].flatMap { Int64($0) }
    watchdog = isOurs ? limit.flatMap { $0 > 0 ? .microseconds($0) : nil } : nil
  }

  /// The host serves.
  private func ready(_ status: String) {
    let trouble = state.withLock { state in
      state.phase = .serving
      state.status = status
      return state.trouble
    }
    send(["READY=1", "STATUS=\(status)\(trouble)"])
  }

  /// The configuration is being read again. ``reloaded(_:)`` ends it.
  public func reloading() {
    let isServing = state.withLock { state in
      state.isReloading = state.phase == .serving
      return state.isReloading
    }
    guard isServing else { return }
    send(["RELOADING=1", "MONOTONIC_USEC=\(monotonic())", "STATUS=Reading the configuration again"])
  }

  /// The configuration was read, whatever came of it.
  public func reloaded(_ outcome: ReloadOutcome?) {
    let status = state.withLock { state -> String? in
      if let outcome {
        state.trouble = outcome.status.isCurrent ? "" : "; the changed configuration isn't valid, see the log"
      }
      defer { state.isReloading = false }
      return state.isReloading && state.phase == .serving ? state.status : nil
    }
    if let status { ready(status) }
  }

  /// The host stops.
  /// - Parameter limit: How long that may take.
  public func stopping(atMost limit: Duration) {
    state.withLock { $0.phase = .stopping }
    // Five seconds more for what comes after the last run.
    let microseconds = (limit + .seconds(5)).microseconds
    send(["STOPPING=1", "EXTEND_TIMEOUT_USEC=\(microseconds)", "STATUS=Waiting for running tasks"])
  }

  /// The scheduler's loop turned: the first time the host is ready.
  func turned(_ turn: SchedulerTurn) {
    if state.withLock({ $0.phase == .starting }) { ready(turn.words) }
    var lines = watchdog == nil ? [] : ["WATCHDOG=1"]
    let isNews = state.withLock { state -> Bool in
      let status = turn.words
      guard state.phase == .serving, status != state.status else { return false }
      state.status = status
      return true
    }
    if isNews { lines.append("STATUS=\(turn.words)\(state.withLock { $0.trouble })") }
    if !lines.isEmpty { send(lines) }
  }

  private func send(_ lines: [String]) {
    guard let address else { return }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var target = sockaddr_un()
    target.sun_family = sa_family_t(AF_UNIX)
    var path = Array(address.utf8)
    // An abstract address begins with a zero byte.
    if path.first == UInt8(ascii: "@") { path[0] = 0 }
    guard path.count < MemoryLayout.size(ofValue: target.sun_path) else { return }
    withUnsafeMutableBytes(of: &target.sun_path) { $0.copyBytes(from: path) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
    let message = Array(lines.joined(separator: "\n").utf8)
    _ = withUnsafePointer(to: &target) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(descriptor, message, message.count, Int32(MSG_NOSIGNAL), $0, length)
      }
    }
  }
}

extension SchedulerTurn {
  /// `2 runs work, 1 waits; next is odds_retention at 2026-11-20T12:00:00.000Z`
  var words: String {
    var text = "\(working) \(working == 1 ? "run works" : "runs work"), \(waiting) wait"
    if let next { text += "; next is \(next.task) at \(next.at.rfc3339)" }
    return text
  }
}
