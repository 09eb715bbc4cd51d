import GRDB

/// The application's own connection, beside the one of the run.
struct SecondConnection {
  private let queue: DatabaseQueue

  init(_ path: String) throws {
    queue = try DatabaseQueue(path: path)
  }

  func execute(_ statements: String...) throws {
    try queue.write { connection in
      for statement in statements { try connection.execute(sql: statement) }
    }
  }
}
