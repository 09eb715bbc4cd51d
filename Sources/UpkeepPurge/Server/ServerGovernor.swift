import UpkeepCore

/// Decides how large the next batch on a server is.
///
/// Nobody waits for a batch there but who wants the same rows: batches serve cancellation, replicas and vacuum. A tenth
/// of a second is long enough for a commit not to count and short enough for everything else.
struct ServerGovernor: Sendable {
  /// How long a batch should take.
  static let target = Duration.milliseconds(100)
  /// Rows of the driving table in a batch.
  static let sizes = 1...50_000
  /// Rows of the driving table in the first batch of a walk.
  static let first = 200
  /// Batches that fail one after the other before the walk gives up.
  static let patience = 12

  /// Rows of the driving table in the next batch.
  private(set) var size = first
  /// Batches that failed since the last one that didn't.
  private(set) var failures = 0

  /// Takes note of a committed batch.
  mutating func note(hold: Duration, rows: Int) {
    failures = 0
    let factor = min(2, max(0.25, 0.8 * Self.target.inSeconds / max(hold.inSeconds, 0.000_001)))
    // A batch that wasn't full says nothing about how long a full one takes.
    guard rows >= size || factor < 1 else { return }
    size = min(Self.sizes.upperBound, max(Self.sizes.lowerBound, Int(Double(size) * factor)))
  }

  /// Takes note of a batch that failed, and is to be tried again with fewer rows.
  ///
  /// - Returns: How long to wait before.
  mutating func noteFailure(rows: Int) -> Duration {
    failures += 1
    size = max(1, min(size, rows) / 4)
    return .milliseconds(10) * (1 << min(failures, 6))
  }
}
