public import UpkeepCore

/// Removes old records from the host's own history, as the host does by itself, but at its own time and with a record.
///
/// A record goes when its run ended longer ago than `host.history.keep`, or `keep_failures` where it didn't end well.
/// That of a running run stays, and so that of this run does.
public struct RunHistoryTask: DeletingTask, InspectableTask {
  /// Records of one transaction.
  private static let batch = 200
  private static let table = "runs"

  /// Creates the task.
  public init() {}

  /// What is said of the plugin.
  public static let documentation = PluginDocumentation(
    summary: "Removes old records from the history of runs",
    sample: """
      # How long records are kept is said under host: history: { keep: 90d, keep_failures: 365d }
      run_history:
        interval: 24h
      """,
    counts: [("runs_deleted", "records of runs and previews")])

  /// Deletes batch by batch, with pauses as long as each took.
  public func run(_ settings: RunHistorySettings, in context: TaskContext) async throws {
    let kept = try context.keptHistory()
    let (finished, failures) = (context.now - kept.keep, context.now - kept.keepFailures)
    declare(in: context)
    let found = try await kept.history.oldRuns(finishedBefore: finished, failuresBefore: failures).count
    var deleted = 0
    while deleted < found {
      try Task.checkCancellation()
      if let reason = context.limitReached() { return context.stop(for: reason) }
      let watch = context.clock.stopwatch()
      let gone = try await kept.history.prune(
        finishedBefore: finished, failuresBefore: failures, limit: min(Self.batch, context.rowsLeft ?? Self.batch))
      let hold = watch()
      guard gone.count > 0 else { return }
      deleted += gone.count
      context.add("runs_deleted", gone.count)
      context.update(table: Self.table) { table in
        table.deleted += gone.count
        table.widen(from: gone.oldest, to: gone.newest)
      }
      context.report(Double(deleted) / Double(found), "\(deleted) of \(found) records deleted")
      if deleted < found { try await context.clock.sleep(for: hold) }
    }
  }

  /// Counts what a run would delete.
  public func preview(_ settings: RunHistorySettings, in context: TaskContext) async throws {
    try Task.checkCancellation()
    let kept = try context.keptHistory()
    declare(in: context)
    let old = try await kept.history.oldRuns(
      finishedBefore: context.now - kept.keep, failuresBefore: context.now - kept.keepFailures)
    context.add("runs_deleted", old.count)
    context.update(table: Self.table) { table in
      table.deleted += old.count
      table.total = old.total
      table.widen(from: old.oldest, to: old.newest)
    }
  }

  /// Counts the records.
  public func statistics(_ settings: RunHistorySettings, in context: TaskContext) async throws -> Statistics {
    let all = try await context.keptHistory().history.allRuns()
    return Statistics(items: [.init(name: Self.table, count: all.count, oldest: all.oldest, newest: all.newest)])
  }

  private func declare(in context: TaskContext) {
    context.add("runs_deleted", 0)
    context.update(table: Self.table) { _ in }
  }
}
