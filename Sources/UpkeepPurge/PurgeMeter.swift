import Synchronization
import UpkeepCore

/// Measures a purge while it works, so that one that fails still says how fast it was and how long it held its locks.
final class PurgeMeter: Sendable {
  struct Figures: Sendable {
    /// Rows deleted.
    var rows = 0
    /// The longest time a transaction held the write lock.
    var longestHold = Duration.zero
    /// The time from the purge's beginning to its last batch, pauses included.
    var elapsed = Duration.zero

    var rowsPerSecond: Int {
      Int(Double(rows) / max(elapsed.inSeconds, 0.001))
    }
  }

  private let state = Mutex(Figures())

  var figures: Figures {
    state.withLock { $0 }
  }

  func note(hold: Duration, rows: Int, at elapsed: Duration) {
    state.withLock { figures in
      figures.rows += rows
      figures.longestHold = max(figures.longestHold, hold)
      figures.elapsed = elapsed
    }
  }
}
