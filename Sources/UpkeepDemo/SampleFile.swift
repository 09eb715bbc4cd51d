import UpkeepDatabase

/// Makes the file of a sample database.
enum SampleFile {
  /// Makes a new file in WAL mode with tables, rows and indexes, in this order: rows go in faster without indexes.
  ///
  /// - Parameters:
  ///   - path: The file; it must not exist.
  ///   - name: What the database is called in errors.
  ///   - fill: Writes the rows.
  /// - Returns: How many rows each table holds, those without any left out.
  static func make(
    at path: String, name: String, tables: [String], indexes: [String],
    fill: @escaping @Sendable (any DatabaseConnection) throws -> Void
  ) async throws -> [SampleCount] {
    let session = try await SQLiteDatabase(name: name, path: path, mayCreate: true)
      .open(.write(.normal), purpose: "upkeep/demo")
    let counts = try await session.perform { connection in
      // A half-made sample is thrown away, so nothing has to survive a crash here; the journal mode is set to the
      // application's own at the end.
      for pragma in ["journal_mode = OFF", "synchronous = OFF", "foreign_keys = OFF", "cache_size = -64000"] {
        try connection.execute("PRAGMA \(pragma)")
      }
      try connection.execute("BEGIN")
      for statement in tables { try connection.execute(statement) }
      try fill(connection)
      for statement in indexes { try connection.execute(statement) }
      try connection.execute("COMMIT")
      try connection.query("PRAGMA journal_mode = WAL", []) { _ in }
      return try names(of: tables).compactMap { table in
        let count = Int(try connection.integer("SELECT count(*) FROM \(table)"))
        return count == 0 ? nil : SampleCount(table: table, count: count)
      }
    }
    await session.close()
    return counts
  }

  /// The names of the tables that statements create.
  static func names(of tables: [String]) -> [String] {
    tables.compactMap { $0.split { $0 == " " || $0 == "(" }.dropFirst(2).first.map(String.init) }
  }
}

/// How many rows of a table were made.
public struct SampleCount: Hashable, Sendable {
  /// The table.
  public var table: String
  /// Its rows.
  public var count: Int
}
