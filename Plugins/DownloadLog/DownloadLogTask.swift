public import UpkeepCore
import UpkeepDatabase
public import UpkeepPurge

/// Removes old entries from a log of handled downloads: those whose time lies strictly before now − `keep`.
public struct DownloadLogTask: DeletingTask, PurgingTask, InspectableTask {
  /// Creates the task.
  public init() {}

  /// What is said of the plugin.
  public static let documentation = PluginDocumentation(
    summary: "Removes old entries from a log of handled downloads",
    sample: """
      download_log:
        interval: 24h
        settings:
          database: stash             # a name under databases:
          keep: 14d                   # older entries go
      """,
    counts: [("downloads_deleted", "entries of the log")])

  /// Deletes, or counts what a run would delete.
  public func work(
    _ settings: DownloadLogSettings, for purpose: Purge.Purpose, in context: TaskContext
  ) async throws {
    try await Purge.carryOut(
      on: try context.database(settings.database), for: purpose,
      names: Purge.CountNames(deleted: [settings.table: "downloads_deleted"]), in: context
    ) { catalogue in
      let table = try Self.table(settings, in: catalogue)
      return [
        DeletionRule(
          name: table.name, table: table.name,
          condition: .older(column: settings.timeColumn, than: context.now - settings.keep),
          timeColumn: settings.timeColumn)
      ]
    }
  }

  /// How many entries there are.
  public func statistics(_ settings: DownloadLogSettings, in context: TaskContext) async throws -> Statistics {
    try await Purge.with(try context.database(settings.database), for: .preview, in: context) { purge in
      let table = try Self.table(settings, in: purge.catalogue)
      return try await purge.read { connection in
        Statistics(items: [try Statistics.Item(table: table, timeColumn: settings.timeColumn, on: connection)])
      }
    }
  }

  private static func table(_ settings: DownloadLogSettings, in catalogue: Catalogue) throws -> TableDescription {
    try catalogue.table(
      settings.table, named: "table", with: [Catalogue.NeededColumn(settings.timeColumn, "time_column")])
  }
}
