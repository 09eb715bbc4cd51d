import UpkeepCore
import UpkeepRuns

extension RunStatus {
  /// Whether somebody is to be told: the run didn't do what it was there for.
  var isFailure: Bool {
    switch self {
    case .failed, .timedOut, .interrupted, .refused, .completedWithErrors: true
    case .completed, .cancelled, .skipped, .missed, .queued, .running: false
    }
  }
}

/// Failures of a task in a row, read from the history of its runs: so it outlives a restart.
///
/// A completed run ends it; one that was cancelled, skipped or missed says nothing either way.
struct FailureStreak: Hashable {
  /// How many failures there are, the present one included; no more are counted than were asked for.
  var length: Int
  /// When the last good run ended; nothing where the history has none.
  var lastSuccess: Timestamp?

  /// How many records are read at once.
  private static let page = 50

  /// The streak that a failed run belongs to.
  ///
  /// - Parameters:
  ///   - result: The run, which may not be in the store.
  ///   - limit: Up to which length it is counted.
  ///   - store: The history.
  static func ending(with result: RunResult, limit: Int, in store: any RunStore) async throws -> FailureStreak {
    let good = try await store.records(
      RunQuery(task: result.task, status: .completed, mode: .run, before: result.runID, limit: 1)
    ).first?.result
    var streak = FailureStreak(length: 1, lastSuccess: good?.finishedAt)
    var before = result.runID
    while streak.length < limit {
      let records = try await store.records(
        RunQuery(task: result.task, mode: .run, before: before, limit: page))
      for record in records {
        if let good, record.result.runID <= good.runID { return streak }
        if record.result.status.isFailure { streak.length += 1 }
        if streak.length == limit { return streak }
      }
      guard records.count == page, let last = records.last else { break }
      before = last.result.runID
    }
    return streak
  }
}
