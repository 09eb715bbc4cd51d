import Foundation
import UpkeepCore
import UpkeepDatabase

/// A state store in a file of its own.
struct SQLiteStoreEngine: StoreEngine {
  func hasStore(in database: any Database) async throws -> Bool {
    if FileManager.default.fileExists(atPath: database.place) { return true }
    // A folder that may not be looked into hides a store as well as none.
    let folder = (database.place as NSString).deletingLastPathComponent
    guard !folder.isEmpty, FileManager.default.fileExists(atPath: folder),
      !FileManager.default.isExecutableFile(atPath: folder)
    else { return false }
    throw TaskError(
      code: "state_unreadable", place: "state store \(database.place)",
      problem: "user \(NSUserName()) may not look into the folder \(folder)",
      fix: "run as the user that it belongs to, or set host.state to another path")
  }

  func open(_ database: any Database, _ clock: StoreClock) async throws -> any DatabaseSession {
    let folder = (database.place as NSString).deletingLastPathComponent
    guard folder.isEmpty || FileManager.default.fileExists(atPath: folder) else {
      throw TaskError(
        code: "no_state_folder", place: "state store \(database.place)", problem: "there is no folder \(folder)",
        fix: "create it (mkdir -p \(folder)), or set host.state to another path")
    }
    let session = try await database.open(.write(.full), purpose: "upkeep/state")
    var isNew = false
    let ready = try await prepared(session) {
      let finding = try await session.transaction(.read) { try StoreSchema.inspect($0) }
      if finding == .ours(version: StoreSchema.version) { return }
      if finding == .empty {
        isNew = true
        // Another process may be creating the same store; then the mode is set by it, and nothing depends on it.
        _ = try? await session.perform { try $0.rows("PRAGMA journal_mode = WAL") }
      }
      try await session.transaction(.write) { connection in
        let finding = try StoreSchema.inspect(connection)
        guard
          let version = try finding.outdated(
            database.place, what: "database", other: "path", example: ", such as var/upkeep.sqlite")
        else { return }
        try StoreSchema.migrate(connection, from: version, at: clock.now(on: connection))
      }
    }
    guard isNew else { return ready }
    // A session tells how the log stands where there was one when it was opened.
    await ready.close()
    return try await database.open(.write(.full), purpose: "upkeep/state")
  }

  func reopen(_ session: any DatabaseSession) async throws {
    try await session.reconnect()
  }

  func commit(
    on session: any DatabaseSession, _ durability: Durability,
    _ body: @escaping @Sendable (any DatabaseConnection) throws -> Void
  ) async throws {
    try await session.perform { connection in
      // Outside WAL less than FULL could damage the file; somebody's database may be in any journal mode.
      let isFull = try durability == .full || connection.first("PRAGMA journal_mode")?.first?.text != "wal"
      try connection.execute("PRAGMA synchronous = \(isFull ? "FULL" : "NORMAL")")
      try connection.execute("BEGIN IMMEDIATE")
      do {
        try body(connection)
        try connection.execute("COMMIT")
      } catch {
        // Where SQLite has rolled back by itself already, this is an error of its own that says nothing new.
        _ = try? connection.execute("ROLLBACK")
        throw error
      }
    }
  }
}
