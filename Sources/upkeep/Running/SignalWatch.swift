import Dispatch
import Foundation
import Synchronization
import UpkeepRuns

/// Turns SIGINT and SIGTERM into a request to stop; the second signal ends the program at once.
final class SignalWatch: Sendable {
  /// What runs are stopped by.
  let stop = RunStop()
  private let state = Mutex(State())

  private struct State {
    var received: ExitStatus?
    var isAsking = false
  }

  private static let signals: [(number: Int32, name: String, status: ExitStatus)] = [
    (SIGINT, "SIGINT", .interrupted), (SIGTERM, "SIGTERM", .terminated),
  ]

  /// The exit status of the signal that came; nothing where none did.
  var received: ExitStatus? {
    state.withLock { $0.received }
  }

  /// While somebody is asked a question nothing runs, so that one signal is enough.
  func whileAsking<Value>(_ body: () -> Value) -> Value {
    state.withLock { $0.isAsking = true }
    defer { state.withLock { $0.isAsking = false } }
    return body()
  }

  /// Begins to watch.
  func begin() {
    // Whoever reads our output may leave; the run goes on.
    signal(SIGPIPE, SIG_IGN)
    for (number, name, status) in Self.signals {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      // The handler holds the source, which would end with this function otherwise.
      source.setEventHandler { [self] in
        take(name, status)
        _ = source.isCancelled
      }
      source.resume()
    }
  }

  private func take(_ name: String, _ status: ExitStatus) {
    let isLast = state.withLock { state in
      defer { state.received = state.received ?? status }
      return state.isAsking || state.received != nil
    }
    if isLast { _exit(status.rawValue) }
    stop.request("stopped by \(name)")
  }
}
