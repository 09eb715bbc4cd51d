public import UpkeepCore
import UpkeepDatabase
public import UpkeepPurge

/// Removes jobs that ended long ago from a job queue's table, with what the schema deletes along with them.
///
/// A job goes when it has one of the statuses and its time lies strictly before now − `keep`. A job whose time is NULL
/// or can't be read is kept. What refers to a job follows the foreign keys of the live schema.
public struct JobHistoryTask: DeletingTask, PurgingTask, InspectableTask {
  /// Creates the task.
  public init() {}

  /// What is said of the plugin.
  public static let documentation = PluginDocumentation(
    summary: "Removes jobs of a job queue that ended long ago, with what belongs to them",
    sample: """
      job_history:
        interval: 24h
        settings:
          database: stash             # a name under databases:
          keep: 30d                   # jobs that ended longer ago go
          statuses: [completed, failed, cancelled]
      """,
    counts: [
      ("jobs_deleted", "jobs"), ("<table>_deleted", "rows of a table that the schema deletes along with their job"),
    ])

  /// Deletes, or counts what a run would delete.
  public func work(
    _ settings: JobHistorySettings, for purpose: Purge.Purpose, in context: TaskContext
  ) async throws {
    try await Purge.carryOut(
      on: try context.database(settings.database), for: purpose,
      names: Purge.CountNames(deleted: [settings.table: "jobs_deleted"]), in: context
    ) { catalogue in
      let table = try Self.table(settings, in: catalogue)
      let older = RowCondition.older(column: settings.timeColumn, than: context.now - settings.keep)
      let over = RowCondition.isOneOf(column: settings.statusColumn, values: settings.statuses)
      return [
        DeletionRule(
          name: table.name, table: table.name, condition: .all([older, over]), timeColumn: settings.timeColumn)
      ]
    }
  }

  /// How many jobs there are, and how many of each status.
  public func statistics(_ settings: JobHistorySettings, in context: TaskContext) async throws -> Statistics {
    try await Purge.with(try context.database(settings.database), for: .preview, in: context) { purge in
      let table = try Self.table(settings, in: purge.catalogue)
      return try await purge.read { connection in
        Statistics(
          items: [try Statistics.Item(table: table, timeColumn: settings.timeColumn, on: connection)],
          details: try Statistics.counts(by: settings.statusColumn, of: table, kind: "jobs_by_status", on: connection))
      }
    }
  }

  private static func table(_ settings: JobHistorySettings, in catalogue: Catalogue) throws -> TableDescription {
    try catalogue.table(
      settings.table, named: "table",
      with: [
        Catalogue.NeededColumn(settings.timeColumn, "time_column"),
        Catalogue.NeededColumn(settings.statusColumn, "status_column"),
      ])
  }
}
