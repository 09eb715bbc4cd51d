import Foundation
import UpkeepCore
import UpkeepDatabase
import UpkeepPurge

/// Which jobs are stale, and what becomes of them, in SQL.
struct StaleRules {
  /// What is done to them; what is told of each is its id, type, whether it was done, and the instant that its time is
  /// measured from.
  let change: RowChange
  private let examined: String
  private let base: String

  init(_ settings: StaleJobsSettings, in catalogue: Catalogue, now: Timestamp, active: ActiveJobs?) throws {
    let table = try Self.table(settings, in: catalogue)
    var values: [DatabaseValue] = []
    func bind(_ value: DatabaseValue) -> String {
      values.append(value)
      return "?\(values.count)"
    }
    func column(_ name: String) -> String { "t.\(SQLName.quoted(name))" }
    examined =
      "\(table.text(of: settings.statusColumn, as: "t")) IN (\(settings.activeStatuses.map { bind(.text($0)) }.joined(separator: ", ")))"
    let started = [settings.startedColumn, settings.createdColumn]
    let columns = settings.liveness == .heartbeat ? [settings.updatedColumn] + started : started
    base = try table.instant(of: columns, as: "t")
    // Strictly: one that has taken exactly as long as it may isn't stale.
    func cutoff(_ limit: Duration) -> String { bind(.integer((now - limit).microseconds)) }
    let cases = settings.limits.byType.sorted { $0.key < $1.key }
      .map { "WHEN \(bind(.text($0.key))) THEN \(cutoff($0.value)) " }
    let type = catalogue.engine.bytewise(table.text(of: settings.typeColumn, as: "t"))
    var condition = "\(examined) AND \(base) < CASE \(type) \(cases.joined())ELSE \(cutoff(settings.defaultLimit)) END"
    if let active {
      let ids = String(decoding: try JSONEncoder().encode(active.ids.sorted()), as: UTF8.self)
      condition +=
        " AND CAST(\(column(settings.idColumn)) AS TEXT) NOT IN (\(catalogue.engine.listed(json: bind(.text(ids)))))"
    }
    let isDone = "\(column(settings.progressColumn)) = 100"
    let minutes = catalogue.engine.oneDecimal("(\(bind(.integer(now.microseconds))) - \(base)) / 60000000.0")
    let (completed, failed) = (bind(.text(settings.completedStatus)), bind(.text(settings.failedStatus)))
    // One each: a server finds out the type of a parameter by itself, and the columns may have different ones.
    let (completedAt, updatedAt) = (bind(.text(now.microsecondText)), bind(.text(now.microsecondText)))
    change = RowChange(
      name: table.name, table: table, condition: condition,
      assignments: [
        (settings.statusColumn, "CASE WHEN \(isDone) THEN \(completed) ELSE \(failed) END"),
        (
          settings.errorColumn,
          "CASE WHEN \(isDone) THEN NULL ELSE 'Job timed out after ' || \(minutes) || ' minutes' END"
        ),
        (settings.completedColumn, completedAt), (settings.updatedColumn, updatedAt),
      ],
      reads: [
        "CAST(\(column(settings.idColumn)) AS TEXT)", "CAST(\(column(settings.typeColumn)) AS TEXT)",
        "CASE WHEN \(isDone) THEN 1 ELSE 0 END", base,
      ], values: values)
  }

  static func table(_ settings: StaleJobsSettings, in catalogue: Catalogue) throws -> TableDescription {
    try catalogue.table(
      settings.table, named: "table",
      with: [
        .init(settings.idColumn, "id_column"), .init(settings.typeColumn, "type_column"),
        .init(settings.statusColumn, "status_column"), .init(settings.progressColumn, "progress_column"),
        .init(settings.errorColumn, "error_column"), .init(settings.startedColumn, "started_column"),
        .init(settings.createdColumn, "created_column"), .init(settings.completedColumn, "completed_column"),
        .init(settings.updatedColumn, "updated_column"),
      ])
  }

  /// How many of the examined jobs have no time that can be read.
  func countUnreadable(on connection: any DatabaseConnection) throws -> Int {
    Int(
      try connection.integer(
        "SELECT count(*) FROM \(SQLName.quoted(change.table.name)) t WHERE \(examined) AND \(base) IS NULL",
        change.values))
  }

  func warning(_ count: Int) -> String {
    "\(change.table.name): \(count) active jobs have no date and time that can be read; they are left alone: "
      + "write it as 2026-11-20 12:00:00"
  }
}
