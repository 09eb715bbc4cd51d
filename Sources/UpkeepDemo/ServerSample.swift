import UpkeepCore
public import UpkeepDatabase

/// Sample data in a PostgreSQL database: the rows of a sample file, in tables as the application has them there.
public struct ServerSample: Sendable {
  let tables: [String]
  let indexes: [String]
  /// The names of the tables, parents first.
  let names: [String]

  /// Makes tables in a database, copies the rows of a sample file into them, and makes the indexes.
  ///
  /// - Parameters:
  ///   - path: The sample file.
  ///   - database: The database.
  /// - Throws: ``UpkeepCore/TaskError`` where the database isn't empty or can't be written.
  public func copy(_ path: String, to database: any Database) async throws {
    let source = try await SQLiteDatabase(name: "sample", path: path).open(.read, purpose: "upkeep/demo")
    let target = try await database.open(.write(.normal), purpose: "upkeep/demo")
    do {
      try await fill(target, from: source, database)
    } catch {
      await source.close()
      await target.close()
      throw error
    }
    await source.close()
    await target.close()
  }

  private func fill(
    _ target: any DatabaseSession, from source: any DatabaseSession, _ database: any Database
  ) async throws {
    let found = try await target.perform { try Catalogue(of: $0) }
    if let name = names.first(where: { found[$0] != nil || found.otherKind(of: $0) != nil }) {
      throw TaskError(
        code: "not_empty", place: "database \(database.name) (\(database.place))",
        problem: "it has a table \(name) already", fix: "name an empty database")
    }
    let (tables, indexes, names) = (tables, indexes, names)
    try await target.perform { connection in
      for statement in tables { try connection.execute(statement) }
    }
    for name in names { try await copyRows(of: name, to: target, from: source) }
    try await target.perform { connection in
      for statement in indexes { try connection.execute(statement) }
      for name in names {
        // Not every id is a number; those that are no numbers have no sequence.
        let last = "SELECT max(CASE WHEN id::text ~ '^[0-9]+$' THEN id::text::bigint END) FROM \(name)"
        _ = try connection.rows(
          """
          SELECT setval(s, coalesce((\(last)), 0) + 1, false) FROM pg_get_serial_sequence('\(name)', 'id') s
          WHERE s IS NOT NULL
          """)
      }
      try connection.execute("ANALYZE")
    }
  }

  private static let rowsAtOnce = 100

  private func copyRows(
    of table: String, to target: any DatabaseSession, from source: any DatabaseSession
  ) async throws {
    var last: Int64 = 0
    while true {
      let from = last
      let rows = try await source.perform { connection in
        try connection.rows(
          "SELECT rowid, * FROM \(table) WHERE rowid > ?1 ORDER BY rowid LIMIT 5000", [.integer(from)])
      }
      guard let end = rows.last?[0].integer else { return }
      last = end
      try await target.transaction(.write) { connection in
        for start in stride(from: 0, to: rows.count, by: Self.rowsAtOnce) {
          let part = rows[start..<min(rows.count, start + Self.rowsAtOnce)]
          var number = 0
          let lists = part.map { row in
            let places = row.dropFirst().map { _ in
              number += 1
              return "?\(number)"
            }
            return "(\(places.joined(separator: ", ")))"
          }
          try connection.execute(
            "INSERT INTO \(table) VALUES \(lists.joined(separator: ", "))",
            part.flatMap { $0.dropFirst().map(Self.untyped) })
        }
      }
    }
  }

  /// A value as text: the column says what it is.
  private static func untyped(_ value: DatabaseValue) -> DatabaseValue {
    switch value {
    case .integer(let number): .text(String(number))
    case .real(let number): .text(String(number))
    default: value
    }
  }
}
