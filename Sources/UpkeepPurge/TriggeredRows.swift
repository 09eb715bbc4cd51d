import UpkeepCore
import UpkeepDatabase

/// Rows that triggers of the database delete when a plan deletes or changes others.
///
/// What a trigger does is read off the program that SQLite compiles for a statement, which holds the programs of all
/// triggers that the statement may run, and of those that they run. How many rows they delete, only a run can tell: it
/// counts them with triggers of its own, which are temporary.
struct TriggeredRows: Sendable {
  /// A table from which triggers delete.
  struct Target: Hashable, Sendable {
    let table: String
    /// The tables of the plan whose triggers do.
    var sources: [String]
  }

  /// In the order of their names.
  let targets: [Target]
  /// Whether rows refer to what triggers delete, by a foreign key which then must be enforced row by row.
  let needForeignKeys: Bool
  private let prefix: String

  /// Looks for them; nothing where no trigger deletes anything.
  init?(_ plan: DeletionPlan, on connection: any DatabaseConnection) throws {
    let names = try connection.map("SELECT tbl_name FROM main.sqlite_master WHERE type = 'trigger'") {
      $0[0].text ?? ""
    }
    guard !names.isEmpty else { return nil }
    let triggered = Set(names.map(\.schemaKey))
    let (catalogue, prefix) = (plan.graph.catalogue, plan.graph.prefix)
    self.prefix = prefix
    let pages = try connection.map("SELECT rootpage, name FROM main.sqlite_master WHERE type = 'table'") {
      ($0[0].integer ?? 0, $0[1].text ?? "")
    }
    let tables = Dictionary(pages.filter { $0.0 > 0 }) { first, _ in first }
    // With foreign keys enforced, the programs of their actions stand there as well.
    let enforces = try connection.integer("PRAGMA foreign_keys")
    _ = try connection.rows("PRAGMA foreign_keys = OFF")
    var found: [String: [String]] = [:]
    do {
      for (table, statement) in Self.statements(of: plan) where triggered.contains(table.schemaKey) {
        for target in try Self.deletions(statement, tables, on: connection)
        where !found[target, default: []].contains(table) {
          found[target, default: []].append(table)
        }
      }
    } catch {
      _ = try connection.rows("PRAGMA foreign_keys = \(enforces)")
      throw error
    }
    _ = try connection.rows("PRAGMA foreign_keys = \(enforces)")
    guard !found.isEmpty else { return nil }
    needForeignKeys = catalogue.foreignKeys.contains { key in
      found.keys.contains { $0.schemaKey == key.parent.schemaKey }
    }
    targets = Self.reached(found, catalogue).map { Target(table: $0, sources: $1.sorted()) }.sorted {
      $0.table < $1.table
    }
  }

  /// What the plan does to each table, as statements to be compiled.
  private static func statements(of plan: DeletionPlan) -> [(table: String, statement: String)] {
    var statements: [(table: String, statement: String)] = []
    for pass in plan.steps.flatMap(\.passes) {
      for table in [pass.table.name] + pass.leaves.map(\.child) {
        statements.append((table, "DELETE FROM \(SQL.quoted(table)) WHERE ?1 = 0"))
      }
      for edge in pass.unlinks {
        statements.append((edge.child, edge.change.wrapped("", "?1 = 0").text))
      }
    }
    return statements
  }

  /// The tables from which the triggers of a statement delete: cursors that a program deletes by, and the table whose
  /// first page each was opened with. Programs of triggers follow the statement's own.
  private static func deletions(
    _ statement: String, _ tables: [Int64: String], on connection: any DatabaseConnection
  ) throws -> Set<String> {
    var found: Set<String> = []
    var cursors: [Int64: String] = [:]
    var program = 0
    try connection.query("EXPLAIN \(statement)", []) { row in
      let (code, first, second) = (row.text(1) ?? "", row.integer(2), row.integer(3))
      switch code {
      case "Init":
        program += 1
        cursors = [:]
      case "OpenWrite": cursors[first] = tables[second]
      // Bit 0: counted as a change. Bit 2: the first half of an UPDATE.
      case "Delete" where program > 1 && second & 5 == 1:
        if let table = cursors[first] { found.insert(table) }
      case "Clear" where program > 1:
        if let table = tables[first] { found.insert(table) }
      default: break
      }
    }
    return found
  }

  /// Adds what goes with rows that triggers delete, by foreign keys of the schema.
  private static func reached(_ found: [String: [String]], _ catalogue: Catalogue) -> [String: [String]] {
    var reached = found
    var work = Array(found.keys)
    while let table = work.popLast() {
      for key in catalogue.foreignKeys where key.onDelete == .cascade && key.parent.schemaKey == table.schemaKey {
        guard reached[key.child] == nil else { continue }
        reached[key.child] = reached[table]
        work.append(key.child)
      }
    }
    return reached
  }

  /// Has the connection count what goes from the targets, and refuse to let go what is excepted.
  func count(_ excepted: ExceptedRows, _ catalogue: Catalogue, on connection: any DatabaseConnection) throws {
    try connection.execute("CREATE TABLE IF NOT EXISTS temp.\(prefix)gone (id INTEGER PRIMARY KEY, n INTEGER)")
    for (id, target) in targets.enumerated() {
      let table = SQL.quoted(target.table)
      try connection.execute("INSERT OR REPLACE INTO temp.\(prefix)gone VALUES (\(id), 0)")
      try connection.execute(
        "CREATE TEMP TRIGGER IF NOT EXISTS \(prefix)gone_\(id) AFTER DELETE ON main.\(table) "
          + "BEGIN UPDATE \(prefix)gone SET n = n + 1 WHERE id = \(id); END")
      guard let identity = catalogue[target.table]?.identity else { continue }
      let isOld = identity.map { "\(table).\(SQL.quoted($0)) IS OLD.\(SQL.quoted($0))" }.joined(separator: " AND ")
      guard let rows = excepted.from(target.table, where: isOld) else { continue }
      try connection.execute(
        "CREATE TEMP TRIGGER IF NOT EXISTS \(prefix)kept_\(id) BEFORE DELETE ON main.\(table) "
          + "WHEN EXISTS (SELECT 1\(rows)) "
          + "BEGIN SELECT RAISE(ABORT, 'an exception keeps a row that a trigger would delete'); END")
    }
  }

  func begin(on connection: any DatabaseConnection) throws {
    try connection.execute("UPDATE temp.\(prefix)gone SET n = 0 WHERE n > 0")
  }

  /// What went from the targets since the beginning of the batch, beside what the batch itself deleted.
  func tallies(beside outcome: BatchOutcome, on connection: any DatabaseConnection) throws -> [TableTally] {
    try connection.map("SELECT id, n FROM temp.\(prefix)gone WHERE n > 0 ORDER BY id") { row in
      let table = targets[Int(row[0].integer ?? 0)].table
      let own = outcome.tallies.filter { !$0.isUnlink && $0.table.schemaKey == table.schemaKey }.reduce(0) {
        $0 + $1.rows
      }
      return TableTally(table: table, rows: Int(row[1].integer ?? 0) - own)
    }.filter { $0.rows > 0 }
  }

  /// What a preview says of them.
  var warnings: [String] {
    targets.map { target in
      "deleting from \(target.sources.joined(separator: ", ")) runs triggers that delete rows of \(target.table), too; "
        + "how many, only a run can tell: they aren't in the counts of a preview"
    }
  }
}

/// Batches that count what triggers delete along with them.
struct TriggeringBatches<Source: BatchSource>: BatchSource {
  let source: Source
  let triggered: TriggeredRows

  var start: Int64 { source.start }
  var statements: [String] { source.statements }

  func parts(after cursor: Int64, rows: Int, each part: Int, on connection: any DatabaseConnection) throws
    -> [BatchBound]
  {
    try source.parts(after: cursor, rows: rows, each: part, on: connection)
  }

  func delete(after cursor: Int64, through last: Int64, on connection: any DatabaseConnection) throws -> BatchOutcome {
    try triggered.begin(on: connection)
    var outcome = try source.delete(after: cursor, through: last, on: connection)
    outcome.tallies.insert(contentsOf: try triggered.tallies(beside: outcome, on: connection), at: 0)
    return outcome
  }
}
