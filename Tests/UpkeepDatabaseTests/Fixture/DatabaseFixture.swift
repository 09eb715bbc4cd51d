import Foundation
import UpkeepCore
public import UpkeepDatabase

/// A database that a test works on, as itself and as a task does.
public protocol DatabaseFixture: DatabaseResources {
  associatedtype Content: Database
  /// The database.
  var database: Content { get }
}

extension DatabaseFixture {
  /// The one database, whatever it is asked for by.
  public func database(named name: String) throws -> any Database { database }

  /// Executes statements, one after the other.
  public func execute(_ statements: [String]) async throws {
    try await database.execute(statements)
  }

  /// What a query finds.
  public func rows(_ sql: String) async throws -> [[DatabaseValue]] {
    try await database.rows(sql)
  }

  /// The first column of a query, as one text.
  public func text(_ sql: String) async throws -> String {
    try await rows(sql).map { row in
      switch row[0] {
      case .integer(let number): "\(number)"
      case .text(let text): text
      case .null: "null"
      default: "\(row[0])"
      }
    }.joined(separator: " ")
  }
}

extension Database {
  /// Executes statements, one after the other.
  public func execute(_ statements: [String]) async throws {
    let session = try await open(.write(.normal), purpose: "test")
    try await session.perform { connection in
      for statement in statements { _ = try connection.rows(statement) }
    }
    await session.close()
  }

  /// What a query finds.
  public func rows(_ sql: String) async throws -> [[DatabaseValue]] {
    let session = try await open(.read, purpose: "test")
    let rows = try await session.perform { try $0.rows(sql) }
    await session.close()
    return rows
  }
}

extension DatabaseFixture where Content == SQLiteDatabase {
  /// What a query finds in a copy.
  public func rows(_ sql: String, at path: String) async throws -> [[DatabaseValue]] {
    try await SQLiteDatabase(name: "copy", path: path).rows(sql)
  }

  /// Copies the database as it is now, to beside itself.
  ///
  /// - Returns: The copy's path.
  public func copy() async throws -> String {
    let path = "\(database.path).\(UUID().uuidString)"
    try await execute(["VACUUM INTO '\(path)'"])
    return path
  }
}
