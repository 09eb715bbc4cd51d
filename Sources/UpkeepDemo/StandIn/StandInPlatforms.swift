import Foundation
import HTTPTypes
import HummingbirdCore
public import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import UpkeepCore

/// A server on the loopback interface that answers as the three betting platforms do, with made-up matches.
///
/// Each platform has a prefix: `/betpawa`, `/sportybet` and `/bet9ja`.
public final class StandInPlatforms: Sendable {
  private struct State {
    var odds: StandInOdds
    var faults: [String: [StandInFault]] = [:]
    var hidden: [String: Set<Int>] = [:]
    var gone: [String: Set<Int>] = [:]
    var counts: [String: Int] = [:]
    var port = 0
  }

  private let state: Mutex<State>
  private let logger: Logger

  /// Prepares a server; ``serve(on:_:)`` starts it.
  public init(
    _ odds: StandInOdds, logger: Logger = Logger(label: "stand-in") { _ in SwiftLogNoOpLogHandler() }
  ) {
    state = Mutex(State(odds: odds))
    self.logger = logger
  }

  /// The names of the platforms.
  public static let names = ["betpawa", "sportybet", "bet9ja"]

  /// The address of a platform, while it is served.
  public func url(_ platform: String) -> String {
    "http://127.0.0.1:\(state.withLock { $0.port })/\(platform)"
  }

  /// Moves the odds of every n-th match, on every platform.
  public func moveOdds(ofEvery number: Int) {
    state.withLock { state in
      for event in stride(from: 0, to: state.odds.events, by: max(1, number)) { state.odds.moves[event] += 1 }
    }
  }

  /// Has a platform do something wrong from now on; nothing ends that.
  public func setFaults(_ faults: [StandInFault], of platform: String) {
    state.withLock { $0.faults[platform] = faults }
  }

  /// Has a platform not list matches (by their numbers from 0).
  public func hide(_ events: Set<Int>, on platform: String) {
    state.withLock { $0.hidden[platform] = events }
  }

  /// Has a platform list matches that it no longer has.
  public func lose(_ events: Set<Int>, on platform: String) {
    state.withLock { $0.gone[platform] = events }
  }

  /// How many requests a platform has had.
  public func requests(to platform: String) -> Int {
    state.withLock { $0.counts[platform] ?? 0 }
  }

  /// Serves while a closure works.
  /// - Parameter port: The port; 0 lets the system choose.
  public func serve<Value: Sendable>(
    on port: Int = 0, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let (ports, send) = AsyncStream.makeStream(of: Int.self)
    return try await withThrowingTaskGroup(of: Value?.self) { group in
      group.addTask {
        defer { send.finish() }
        try await self.run(port) { send.yield($0) }
        return nil
      }
      group.addTask {
        for await port in ports {
          self.state.withLock { $0.port = port }
          return try await body()
        }
        return nil
      }
      defer { group.cancelAll() }
      while let value = try await group.next() {
        if let value { return value }
      }
      throw CancellationError()
    }
  }

  private func run(_ port: Int, listening: @escaping @Sendable (Int) -> Void) async throws {
    let server = try HTTPServerBuilder.http1(configuration: HTTP1Channel.Configuration()).buildServer(
      configuration: ServerConfiguration(address: .hostname("127.0.0.1", port: port)),
      eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger
    ) { [self] request, writer, channel in
      try await StandInResponder(writer: writer, channel: channel).send(try await answer(to: request))
    } onServerRunning: { channel in
      listening(channel.localAddress?.port ?? port)
    }
    do {
      try await server.run()
    } catch let error as IOError {
      let reason = String(cString: strerror(error.errnoCode))
      throw TaskError(
        code: "cannot_listen", place: "127.0.0.1:\(port)", problem: "it can't be listened on: \(reason)",
        fix: "end what listens there")
    }
  }

  private func answer(to request: Request) async throws -> StandInAnswer {
    let body = try await request.body.collect(upTo: 1 << 20)
    let target = request.head.path ?? "/"
    let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
    let steps = parts[0].split(separator: "/", maxSplits: 1).map(String.init)
    var path = "/" + (steps.dropFirst().first ?? "")
    let hasMoved = path.hasPrefix("/moved/")
    if hasMoved { path = String(path.dropFirst("/moved".count)) }
    let asked = StandInRequest(
      platform: steps.first ?? "", path: path, query: Self.query(parts.dropFirst().first ?? ""),
      body: Array(body.readableBytesView))
    let (fault, answers) = state.withLock { state -> (StandInFault?, StandInAnswers) in
      state.counts[asked.platform, default: 0] += 1
      return (
        hasMoved ? nil : Self.fault(of: asked, &state.faults),
        StandInAnswers(
          odds: state.odds, hidden: state.hidden[asked.platform] ?? [], gone: state.gone[asked.platform] ?? [])
      )
    }
    let takesGzip = request.headers[.acceptEncoding]?.contains("gzip") ?? false
    return StandInAnswer(
      json: answers.answer(asked), fault: fault, takesGzip: takesGzip,
      target: "/\(asked.platform)/moved\(path)\(parts.count > 1 ? "?\(parts[1])" : "")")
  }

  private static func fault(of request: StandInRequest, _ faults: inout [String: [StandInFault]]) -> StandInFault? {
    guard var own = faults[request.platform],
      let index = own.firstIndex(where: { ($0.scope == .all || $0.scope == request.scope) && $0.times ?? 1 > 0 })
    else { return nil }
    let fault = own[index]
    if let times = fault.times { own[index].times = times - 1 }
    faults[request.platform] = own
    return fault
  }

  private static func query(_ text: String) -> [String: String] {
    let pairs = text.split(separator: "&").map { pair -> (String, String) in
      let parts = pair.split(separator: "=", maxSplits: 1).map {
        $0.replacing("+", with: " ").removingPercentEncoding ?? ""
      }
      return (parts.first ?? "", parts.dropFirst().first ?? "")
    }
    return Dictionary(pairs) { first, _ in first }
  }
}
