import UpkeepCore
import UpkeepDatabase

extension Purge {
  /// Reads the schema of a server's database, and makes the connection find by name what the schema refers to.
  static func prepareServer(_ session: any DatabaseSession) async throws -> Catalogue {
    try await session.perform { connection in
      // Lists of rows stay in memory up to this size, and are joined there.
      try connection.execute("SET temp_buffers = '16MB'")
      try connection.execute("SET work_mem = '16MB'")
      return try Catalogue(of: connection)
    }
  }

  /// Makes a connection that was made anew ready for work.
  func prepareServer() async throws {
    _ = try await Self.prepareServer(session)
  }

  /// Says how the database stands. Every commit is durable by itself.
  func finishOnServer(in context: TaskContext) async {
    let session = session
    let size = try? await Task {
      try await session.perform { try $0.integer("SELECT pg_database_size(current_database())") }
    }.value
    let figures = meter.figures
    var values: [String: JSONValue] = [
      "name": .string(database.name), "longest_hold_ms": .tenths(figures.longestHold.inSeconds * 1000),
      "rows_per_second": .integer(figures.rowsPerSecond),
    ]
    if let size { values["bytes"] = .integer(Int(size)) }
    context.detail("database", values)
  }
}
