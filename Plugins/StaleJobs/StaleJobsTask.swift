public import UpkeepCore
import UpkeepDatabase
public import UpkeepPurge

/// Ends jobs that are marked as running or pending but have taken longer than a job of their type may.
///
/// The time is measured from the start of a job, or from when it was made where it never started. A job that takes
/// exactly as long as it may is left alone. One that had done all it had to is marked as completed, every other as
/// failed. Each statement asks for the whole condition again, so that a job which ends meanwhile is left alone.
public struct StaleJobsTask: ChangingTask, PurgingTask, InspectableTask {
  /// Creates the task.
  public init() {}

  /// What is said of the plugin.
  public static let documentation = PluginDocumentation(
    summary: "Ends jobs that have taken longer than a job of their type may",
    sample: """
      stale_jobs:
        interval: 5m
        settings:
          database: stash             # a name under databases:
          limits: { analysis: 90m }   # by type, over the defaults
          default_limit: 30m          # for every other type
          liveness: none              # or heartbeat: the time since the job's last change counts
      """,
    counts: [
      ("jobs_failed", "jobs that ran out of time"),
      ("jobs_completed", "jobs that had done all they had to and were only not marked so"),
    ])

  /// Marks, or counts what a run would mark.
  public func work(
    _ settings: StaleJobsSettings, for purpose: Purge.Purpose, in context: TaskContext
  ) async throws {
    let report = StaleReport(settings: settings, context: context)
    report.begin()
    // Before the database is looked at: a job that starts after the question isn't over its limit.
    let active = settings.liveness == .http ? try await ActiveJobs.fetch(settings, in: context) : nil
    try await Purge.with(try context.database(settings.database), for: purpose, in: context) { purge in
      let rules = try StaleRules(settings, in: purge.catalogue, now: context.now, active: active)
      switch purpose {
      case .preview:
        let unreadable = try await purge.read { try rules.countUnreadable(on: $0) }
        if unreadable > 0 { context.warn(rules.warning(unreadable)) }
        try await purge.preview(rules.change, in: context) { report.note($0) }
      case .deletion:
        try await purge.run(rules.change, in: context) { report.note($0) }
      }
    }
    report.end()
  }

  /// How many jobs there are, and how many of each status and type.
  public func statistics(_ settings: StaleJobsSettings, in context: TaskContext) async throws -> Statistics {
    try await Purge.with(try context.database(settings.database), for: .preview, in: context) { purge in
      let table = try StaleRules.table(settings, in: purge.catalogue)
      return try await purge.read { connection in
        Statistics(
          items: [try Statistics.Item(table: table, timeColumn: settings.createdColumn, on: connection)],
          details: try Statistics.counts(by: settings.statusColumn, of: table, kind: "jobs_by_status", on: connection)
            + Statistics.counts(by: settings.typeColumn, of: table, kind: "jobs_by_type", on: connection))
      }
    }
  }
}
