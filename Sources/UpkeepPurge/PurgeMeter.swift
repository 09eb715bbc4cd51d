import Foundation
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
    /// The same two of late: what is long past counts ever less.
    fileprivate var recentRows = 0.0
    fileprivate var recentSeconds = 0.0

    var rowsPerSecond: Int {
      Int(Double(rows) / max(elapsed.inSeconds, 0.001))
    }

    /// How fast it goes now.
    var currentRowsPerSecond: Int {
      Int(recentRows / max(recentSeconds, 0.001))
    }

    /// How long the rest will take at the present speed; nothing where nothing is left, or nobody can tell yet.
    func remaining(of total: Int) -> Duration? {
      guard total > rows, recentRows >= 1 else { return nil }
      return .seconds(Double(total - rows) / recentRows * recentSeconds)
    }
  }

  /// Bounds of the time for which a batch counts, in seconds.
  private static let memory = 1.0...60.0

  private let state = Mutex(Figures())

  var figures: Figures {
    state.withLock { $0 }
  }

  func note(hold: Duration, rows: Int, at elapsed: Duration) {
    state.withLock { figures in
      figures.rows += rows
      figures.longestHold = max(figures.longestHold, hold)
      // A purge begins with small batches, and goes from one kind of walk to another: a third of its time is remembered.
      let memory = min(Self.memory.upperBound, max(Self.memory.lowerBound, elapsed.inSeconds / 3))
      // What came before the first batch says nothing of those that follow.
      let passed = max(0, (figures.recentRows == 0 ? hold : elapsed - figures.elapsed).inSeconds)
      let weight = exp(-passed / memory)
      figures.recentRows = figures.recentRows * weight + Double(rows)
      figures.recentSeconds = figures.recentSeconds * weight + passed
      figures.elapsed = elapsed
    }
  }
}
