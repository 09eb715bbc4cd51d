import UpkeepCore

/// Decides how large the next batch is and how long to pause after it.
///
/// A batch holds the write lock; SQLite's busy handler polls and has no queue, so a purger that locks again at once
/// starves other writers. Where others write, a hold stays near ``hold`` and the pause is about as long as the hold;
/// where nobody does, batches are larger and nothing pauses.
struct BatchGovernor: Sendable {
  /// The longest hold aimed at while others write.
  static let hold = Duration.milliseconds(5)
  /// The longest hold aimed at while nobody else writes.
  static let quietHold = Duration.milliseconds(20)
  /// For so long after somebody's last commit others count as writing.
  static let quiet = Duration.milliseconds(250)
  /// Rows of the driving table in a batch.
  static let sizes = 8...20_000
  /// Frames of the write-ahead log after which it is brought into the file.
  static let checkpointFrames = 1000

  /// Rows of the driving table in the next batch.
  private(set) var size = 50
  private var sinceOthersWrote = Duration.zero
  private var lastVersion: Int64?
  private var batchesPerCheckpoint = 1
  private var batchesSinceCheckpoint = 0

  /// Takes note of the database's `data_version`, which changes when another connection commits.
  ///
  /// - Parameters:
  ///   - version: The version now.
  ///   - elapsed: The time since the last note.
  mutating func note(version: Int64, after elapsed: Duration) {
    if let lastVersion, lastVersion == version {
      sinceOthersWrote += elapsed
    } else {
      sinceOthersWrote = .zero
    }
    lastVersion = version
  }

  /// Whether another connection has written lately.
  var othersWrite: Bool {
    sinceOthersWrote < Self.quiet
  }

  /// Takes note of a committed batch, and sizes the next one.
  /// - Returns: How long to pause now.
  mutating func note(hold: Duration, rows: Int) -> Duration {
    batchesSinceCheckpoint += 1
    let target = othersWrite ? Self.hold : Self.quietHold
    let factor = min(2, max(0.25, 0.8 * target.inSeconds / max(hold.inSeconds, 0.000_001)))
    // A batch that wasn't full says nothing about how long a full one takes.
    if rows >= size || factor < 1 {
      size = min(Self.sizes.upperBound, max(Self.sizes.lowerBound, Int(Double(size) * factor)))
    }
    return othersWrite ? hold : .zero
  }

  /// Whether it is time to bring the log into the file.
  var wantsCheckpoint: Bool {
    batchesSinceCheckpoint >= batchesPerCheckpoint
  }

  /// Takes note of a checkpoint that found so many frames in the log.
  mutating func note(checkpointOf frames: Int) {
    let perBatch = max(1, frames / max(1, batchesSinceCheckpoint))
    batchesPerCheckpoint = min(64, max(1, Self.checkpointFrames / perBatch))
    batchesSinceCheckpoint = 0
  }
}
