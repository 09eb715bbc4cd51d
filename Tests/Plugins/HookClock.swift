import GRDB
import Synchronization

/// The machine's clock, which does something when it is looked at for the first time.
final class HookClock: Clock, Sendable {
  typealias Instant = ContinuousClock.Instant

  private let hook: @Sendable () throws -> Void
  private let state = Mutex<(hasRun: Bool, error: (any Error)?)>((false, nil))

  init(_ hook: @escaping @Sendable () throws -> Void) {
    self.hook = hook
  }

  /// What went wrong in the hook.
  var error: (any Error)? { state.withLock { $0.error } }

  var now: Instant {
    let isFirst = state.withLock { state in
      defer { state.hasRun = true }
      return !state.hasRun
    }
    if isFirst {
      do { try hook() } catch { state.withLock { $0.error = error } }
    }
    return ContinuousClock().now
  }

  var minimumResolution: Duration { ContinuousClock().minimumResolution }

  func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    try await ContinuousClock().sleep(until: deadline, tolerance: tolerance)
  }
}

/// The application's own connection, beside the one of the run.
struct SecondConnection {
  private let queue: DatabaseQueue

  init(_ path: String) throws {
    queue = try DatabaseQueue(path: path)
  }

  func execute(_ statements: String...) throws {
    try queue.write { connection in
      for statement in statements { try connection.execute(sql: statement) }
    }
  }
}
