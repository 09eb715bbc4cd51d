public import UpkeepCore
import UpkeepDatabase
public import UpkeepPurge

/// Removes old rows from the tables of any database, by rules that somebody writes.
///
/// Cutoffs are computed once, in UTC, and compare strictly: a row exactly as old as `keep` stays. What refers to a row
/// follows the foreign keys of the live schema: `ON DELETE CASCADE` goes with it, `SET NULL` stays without its
/// reference, everything else keeps the row.
public struct TableRetentionTask: DeletingTask, PurgingTask, InspectableTask {
  /// Creates the task.
  public init() {}

  /// What is said of the plugin.
  public static let documentation = PluginDocumentation(
    summary: "Removes old rows of any tables, by age, by number and by a condition",
    sample: """
      table_retention:
        interval: 24h
        settings:
          database: app                     # a name under databases:
          rules:                            # in this order; each needs a table and at least one way to choose rows
            - table: logs
              time_column: created_at       # text, Unix seconds and so on, or Julian days: detected
              keep: 30d                     # rows older than this go
              where: "level <> 'error'"     # only those for which this is true
            - table: readings
              time_column: taken_at
              keep: 90d
              keep_last: 10                 # but not the newest ten of each device
              per: device_id
            - table: sessions
              keep_rows: 100000             # the newest rows stay, whatever their age
      """,
    counts: [
      ("<table>_deleted", "rows of a table, those that went along with others included"),
      ("<table>_unlinked", "rows that stay without the row that they referred to"),
    ])

  /// Deletes, or counts what a run would delete.
  public func work(
    _ settings: TableRetentionSettings, for purpose: Purge.Purpose, in context: TaskContext
  ) async throws {
    try await Purge.with(try context.database(settings.database), for: purpose, in: context) { purge in
      let plan = try await RetentionRules(purge: purge, context: context).plan(settings.rules)
      switch purpose {
      case .preview: try await purge.preview(plan, in: context)
      case .deletion:
        try await purge.run(plan, in: context)
        try await purge.warnOfUnreadableTimes(plan, in: context)
      }
    }
  }

  /// Counts, oldest and newest of the tables that the rules name.
  public func statistics(_ settings: TableRetentionSettings, in context: TaskContext) async throws -> Statistics {
    try await Purge.with(try context.database(settings.database), for: .preview, in: context) { purge in
      var statistics = Statistics()
      for (index, rule) in settings.rules.enumerated() {
        let place = "rules.\(index) (table \(rule.table))"
        let table = try RetentionRules.table(rule, in: purge.catalogue, place: place)
        guard !statistics.items.contains(where: { $0.name == table.name }) else { continue }
        let time = try await RetentionRules.time(of: rule, in: table, place: place) { try await purge.read($0) }
        let item = try await purge.read { connection in
          try Statistics.Item(table: table, timeColumn: time?.name, form: time?.form ?? .text, on: connection)
        }
        statistics.items.append(item)
      }
      return statistics
    }
  }
}
