import Synchronization
import UpkeepCore
import UpkeepDatabase

/// A state store in a schema of its own, `upkeep`, of a server's database. Any number of hosts may share it.
struct PostgresStoreEngine: StoreEngine {
  /// The advisory lock that writers take, as a file's writers take the file: `UPKP`, and the state store.
  private static let lock = "SELECT pg_advisory_xact_lock(\(StoreSchema.applicationID), 1)"

  func hasStore(in database: any Database) async throws -> Bool {
    let session = try await database.open(.read, purpose: "upkeep/state")
    do {
      let finding = try await session.transaction(.read) { try StoreSchema.inspect($0) }
      await session.close()
      return finding != .empty
    } catch {
      await session.close()
      throw error
    }
  }

  func open(_ database: any Database, _ clock: StoreClock) async throws -> any DatabaseSession {
    let session = try await database.open(.write(.full), purpose: "upkeep/state")
    return try await prepared(session) {
      try await Self.attach(session)
      let finding = try await session.transaction(.read) { try StoreSchema.inspect($0) }
      if finding == .ours(version: StoreSchema.version) { return }
      try await session.transaction(.write) { connection in
        _ = try connection.rows(Self.lock)
        let finding = try StoreSchema.inspect(connection)
        guard
          let version = try finding.outdated(database.place, what: "schema \(StoreSchema.name)", other: "database")
        else { return }
        try connection.execute("CREATE SCHEMA IF NOT EXISTS \(StoreSchema.name)")
        try StoreSchema.migrate(connection, from: version, at: clock.now(on: connection))
      }
    }
  }

  func reopen(_ session: any DatabaseSession) async throws {
    try await session.reconnect()
    try await Self.attach(session)
  }

  /// The store's tables are meant wherever one is named without its schema; no table of an application is.
  private static func attach(_ session: any DatabaseSession) async throws {
    try await session.perform { connection in
      // Whoever writes holds the others up: longer for the lock than one that was stopped may hold it.
      _ = try connection.rows(
        """
        SELECT set_config('search_path', '\(StoreSchema.name)', false), set_config('lock_timeout', '15s', false),
          set_config('idle_in_transaction_session_timeout', '5s', false)
        """)
    }
  }

  func commit(
    on session: any DatabaseSession, _ durability: Durability,
    _ body: @escaping @Sendable (any DatabaseConnection) throws -> Void
  ) async throws {
    let hasBegun = Mutex(false)
    do {
      try await transaction(on: session) { connection in
        hasBegun.withLock { $0 = true }
        try body(connection)
      }
    } catch let error as TaskError where error.code == "connection_lost" {
      // A connection that died while it stood idle has done nothing of this yet. One that dies later may have committed:
      // who asked is told, and looks again.
      try await reopen(session)
      guard !hasBegun.withLock({ $0 }) else { throw error }
      try await transaction(on: session, body)
    }
  }

  /// Each commit waits for the disk, those of one moment together.
  private func transaction(
    on session: any DatabaseSession, _ body: @escaping @Sendable (any DatabaseConnection) throws -> Void
  ) async throws {
    try await session.transaction(.write) { connection in
      _ = try connection.rows(Self.lock)
      try body(connection)
    }
  }
}
