import GRDBSQLite
import Synchronization
import UpkeepCore

/// Waits for another connection's lock at the pace of SQLite's own busy timeout, but ends with the task that waits, and
/// tells of a wait that takes long.
final class SQLiteLockWait: Sendable {
  /// How long SQLite sleeps before each further try, in milliseconds; the last one again and again. Writers of other
  /// programs sleep so, and who slept longer than they would never have a turn beside them.
  private static let delays = [1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50, 100]

  private let timeout: Int
  private let patience: Int
  private let tell: LockWaits?
  private let hasTold = Atomic(false)
  private let isGivenUp = Atomic(false)

  /// - Parameters:
  ///   - timeout: How long it waits at the most.
  ///   - patience: How long it waits before it tells of it.
  init(timeout: Duration, patience: Duration, tell: LockWaits?) {
    self.timeout = timeout.milliseconds
    self.patience = patience.milliseconds
    self.tell = tell
  }

  /// SQLite's busy handler.
  /// - Returns: Whether SQLite tries again.
  func goesOn(afterTries tries: Int) -> Bool {
    let (delays, last) = (Self.delays, Self.delays.count - 1)
    let waited = delays.prefix(tries).reduce(0, +) + max(0, tries - delays.count) * delays[last]
    let delay = min(delays[min(tries, last)], timeout - waited)
    guard delay > 0, !Task.isCancelled, !isGivenUp.load(ordering: .relaxed) else { return false }
    if let tell, waited >= patience, !hasTold.exchange(true, ordering: .relaxed) { tell(true) }
    sqlite3_sleep(Int32(delay))
    return true
  }

  /// Says that nobody waits any more.
  func isOver() {
    guard hasTold.load(ordering: .relaxed) else { return }
    hasTold.store(false, ordering: .relaxed)
    tell?(false)
  }

  /// Ends a wait of which no task is known, as while a file is opened; or lets further ones be.
  func giveUp(_ isGivenUp: Bool) {
    self.isGivenUp.store(isGivenUp, ordering: .relaxed)
  }
}
