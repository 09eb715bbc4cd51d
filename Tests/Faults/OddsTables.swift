import UpkeepDatabase
import UpkeepDemo

/// All rows of an odds database, by table and id, but those of the record that each run leaves.
struct OddsTables: Equatable, Sendable {
  static let names = OddsSchema.tableNames.filter { $0 != "cleanup_runs" }

  var tables: [String: [Int64: [DatabaseValue]]] = [:]

  subscript(table: String) -> [Int64: [DatabaseValue]] {
    get { tables[table] ?? [:] }
    set { tables[table] = newValue }
  }

  /// Reads a database. It is opened for writing, so that SQLite can recover it first.
  init(_ path: String) async throws {
    self = try await Self.query(path) { connection in
      var all = OddsTables()
      for name in Self.names {
        try connection.query("SELECT * FROM \(name)", []) { row in
          all.tables[name, default: [:]][row.integer(0)] = (0..<row.count).map { row[$0] }
        }
      }
      return all
    }
  }

  private init() {}

  /// What is unsound in a database, whatever rows it holds.
  static func damage(in path: String) async throws -> [String] {
    try await query(path) { connection in
      var found = try connection.rows("PRAGMA integrity_check").compactMap { $0[0].text }.filter { $0 != "ok" }
      found += try connection.rows("PRAGMA foreign_key_check").map { "a broken reference: \($0)" }
      for prefix in ["", "competitor_"] {
        let orphans = try connection.integer(
          """
          SELECT count(*) FROM \(prefix)market_odds
          WHERE snapshot_id NOT IN (SELECT id FROM \(prefix)odds_snapshots)
          """)
        if orphans > 0 { found.append("\(orphans) rows of \(prefix)market_odds without their snapshot") }
      }
      return found
    }
  }

  /// The columns that a purge sets to NULL where the row that they refer to goes before their own.
  private static let unlinkedColumns = ["scrape_errors": 3, "competitor_events": 3]

  /// Whether these rows lie between a start and an end: each row of the end is there, none that the start hasn't, and
  /// each as it is in one of the two, or without a reference that a purge takes away.
  func strays(from start: OddsTables, to end: OddsTables) -> [String] {
    Self.names.flatMap { name in
      let (mine, before, after) = (self[name], start[name], end[name])
      let lost = after.keys.filter { mine[$0] == nil }.count
      let odd = mine.filter { id, row in
        row != before[id] && row != after[id] && row != before[id].map { unlinking($0, of: name) }
      }.count
      return (lost > 0 ? ["\(lost) rows of \(name) are lost"] : [])
        + (odd > 0 ? ["\(odd) rows of \(name) are changed or new"] : [])
    }
  }

  private func unlinking(_ row: [DatabaseValue], of table: String) -> [DatabaseValue] {
    guard let column = Self.unlinkedColumns[table] else { return row }
    var row = row
    row[column] = .null
    return row
  }

  /// How many rows of each table are gone since a start.
  func gone(since start: OddsTables) -> [String: Int] {
    Dictionary(uniqueKeysWithValues: Self.names.map { name in (name, start[name].count - self[name].count) })
  }

  static func query<Value: Sendable>(
    _ path: String, _ body: @escaping @Sendable (any DatabaseConnection) throws -> Value
  ) async throws -> Value {
    let session = try await SQLiteDatabase(name: "odds", path: path).open(.write(.full), purpose: "test")
    do {
      let value = try await session.perform(body)
      await session.close()
      return value
    } catch {
      await session.close()
      throw error
    }
  }
}
