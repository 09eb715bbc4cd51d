public import UpkeepCore
import UpkeepDatabase
public import UpkeepPurge

/// Resets plans that wait for a job which doesn't work on them any more.
///
/// A plan in the status `from` gets the status `to` when it names no job, or one that is gone, or one whose status isn't
/// active. How old it is doesn't matter. Nothing but its status and the time of its last change is touched.
public struct StuckPlansTask: ChangingTask, PurgingTask, InspectableTask {
  /// Creates the task.
  public init() {}

  /// What is said of the plugin.
  public static let documentation = PluginDocumentation(
    summary: "Resets plans that wait for a job which is over or gone",
    sample: """
      stuck_plans:
        interval: 1h
        settings:
          database: stash             # a name under databases:
          from: PENDING               # plans with this status whose job is over or gone …
          to: DRAFT                   # … get this one
      """,
    counts: [("plans_reset", "plans that were reset")], dependsOn: ["stale_jobs", "job_history"])

  /// Resets, or counts what a run would reset.
  public func work(
    _ settings: StuckPlansSettings, for purpose: Purge.Purpose, in context: TaskContext
  ) async throws {
    context.add("plans_reset", 0)
    try await Purge.with(try context.database(settings.database), for: purpose, in: context) { purge in
      let change = try Self.change(settings, at: context.now, in: purge.catalogue)
      switch purpose {
      case .preview: try await purge.preview(change, in: context) { context.add("plans_reset", $0.count) }
      case .deletion: try await purge.run(change, in: context) { context.add("plans_reset", $0.count) }
      }
    }
  }

  private static func change(
    _ settings: StuckPlansSettings, at now: Timestamp, in catalogue: Catalogue
  ) throws -> RowChange {
    let plans = try table(settings, in: catalogue)
    let jobs = try catalogue.table(
      settings.jobTable, named: "job_table",
      with: [.init(settings.jobIDColumn, "job_id_column"), .init(settings.jobStatusColumn, "job_status_column")])
    let job = "t.\(SQLName.quoted(settings.jobColumn))"
    let active = settings.activeStatuses.indices.map { "?\($0 + 4)" }.joined(separator: ", ")
    let works =
      "SELECT 1 FROM \(SQLName.quoted(jobs.name)) j WHERE j.\(SQLName.quoted(settings.jobIDColumn)) = \(job) "
      + "AND \(jobs.text(of: settings.jobStatusColumn, as: "j")) IN (\(active))"
    return RowChange(
      name: plans.name, table: plans,
      condition: "\(plans.text(of: settings.statusColumn, as: "t")) = ?1 AND "
        + "(\(job) IS NULL OR \(plans.text(of: settings.jobColumn, as: "t")) = '' OR NOT EXISTS (\(works)))",
      assignments: [(settings.statusColumn, "?2"), (settings.updatedColumn, "?3")], reads: [],
      values: [.text(settings.from), .text(settings.to), .text(now.microsecondText)]
        + settings.activeStatuses.map { .text($0) })
  }

  /// How many plans there are, and how many of each status.
  public func statistics(_ settings: StuckPlansSettings, in context: TaskContext) async throws -> Statistics {
    try await Purge.with(try context.database(settings.database), for: .preview, in: context) { purge in
      let table = try Self.table(settings, in: purge.catalogue)
      return try await purge.read { connection in
        Statistics(
          items: [try Statistics.Item(table: table, timeColumn: settings.updatedColumn, on: connection)],
          details: try Statistics.counts(by: settings.statusColumn, of: table, kind: "plans_by_status", on: connection))
      }
    }
  }

  private static func table(_ settings: StuckPlansSettings, in catalogue: Catalogue) throws -> TableDescription {
    try catalogue.table(
      settings.table, named: "table",
      with: [
        .init(settings.statusColumn, "status_column"), .init(settings.jobColumn, "job_column"),
        .init(settings.updatedColumn, "updated_column"),
      ])
  }
}
