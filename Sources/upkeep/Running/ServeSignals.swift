import Dispatch
import Foundation
import Synchronization
import UpkeepCore
import UpkeepHost

/// Turns SIGINT and SIGTERM into the end of a server: the first lets running tasks end, the second doesn't wait for
/// them. SIGHUP has the configuration read again.
final class ServeSignals: Sendable {
  private let server: Server
  /// Signals that come together are one: some senders signal both the process and its group.
  private static let together = Duration.milliseconds(20)
  private let sinceFirst = Mutex<(@Sendable () -> Duration)?>(nil)
  private let clock: any Clock<Duration>

  init(_ server: Server, clock: any Clock<Duration>) {
    self.server = server
    self.clock = clock
  }

  /// Begins to watch.
  func begin() {
    signal(SIGPIPE, SIG_IGN)
    watch(SIGHUP) { [self] in server.reload() }
    for (number, name) in [(SIGINT, "SIGINT"), (SIGTERM, "SIGTERM")] { watch(number) { [self] in take(name) } }
  }

  private func watch(_ number: Int32, _ body: @escaping @Sendable () -> Void) {
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    // The handler holds the source, which would end with this function otherwise.
    source.setEventHandler {
      body()
      _ = source.isCancelled
    }
    source.resume()
  }

  private func take(_ name: String) {
    let elapsed = sinceFirst.withLock { since -> Duration? in
      if let since { return since() }
      since = clock.stopwatch()
      return nil
    }
    if let elapsed {
      if elapsed > Self.together { server.interruptAll("stopped by a second signal (\(name))") }
    } else {
      Task { await server.stop(because: name) }
    }
  }
}
