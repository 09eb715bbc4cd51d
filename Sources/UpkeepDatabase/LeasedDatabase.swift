import UpkeepCore

/// A database in which nothing is committed after the run's right to work has ended.
///
/// Where the state store is in the same database, a transaction holds on to its lease up to the commit. Elsewhere a
/// process can still be stopped between the look and the commit; a server ends its transaction then, well before another
/// run may begin, and whoever takes the lease over ends the connections that were noted for it.
struct LeasedDatabase: Database {
  let inner: any Database
  let lease: LeaseWatch

  var name: String { inner.name }
  var engine: DatabaseEngine { inner.engine }
  var place: String { inner.place }

  func open(_ mode: SessionMode, purpose: String) async throws -> any DatabaseSession {
    let opened = try await inner.open(mode, purpose: purpose)
    let noted = engine == .postgres && mode.writes ? name : nil
    let fence = lease.fence.flatMap { $0.database == name ? $0 : nil }
    let session = LeasedSession(inner: opened, lease: lease, fence: fence, notedDatabase: noted)
    try await session.note()
    return session
  }

  func telling(_ waits: @escaping LockWaits) -> any Database {
    LeasedDatabase(inner: inner.telling(waits), lease: lease)
  }

  func freeDisk() -> Int? { inner.freeDisk() }
  func fileSize() -> Int? { inner.fileSize() }
  var limits: ServerLimits { inner.limits }
  var dropsPartitions: Bool { inner.dropsPartitions }
}

/// A session of such a database.
private struct LeasedSession: DatabaseSession {
  let inner: any DatabaseSession
  let lease: LeaseWatch
  let fence: LeaseFence?
  /// The database whose process at the server's end is noted; nothing where there is none that could go on by itself.
  let notedDatabase: String?

  /// Notes the process at the server's end.
  func note() async throws {
    guard let notedDatabase else { return }
    let row = try await inner.perform { connection in
      try connection.first("SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()")
    }
    guard let number = row?[0].integer, let startedAt = row?[1].text else { return }
    // Where the store is out of reach now, the run's renewals decide whether it goes on; the server's own limits end the
    // process as well, only later.
    try? await lease.works(in: ServerProcess(database: notedDatabase, number: number, startedAt: startedAt))
  }

  func perform<Value: Sendable>(
    _ body: @escaping @Sendable (any DatabaseConnection) throws -> Value
  ) async throws -> Value {
    try lease.check()
    return try await inner.perform(body)
  }

  func transaction<Value: Sendable>(
    _ kind: TransactionKind, _ body: @escaping @Sendable (any DatabaseConnection) throws -> Value
  ) async throws -> Value {
    let fence = kind == .write ? fence : nil
    return try await inner.transaction(kind) { [lease] connection in
      let value = try body(connection)
      if let fence, try connection.first(fence.statement, fence.values.map { .text($0) }) == nil {
        throw LeaseWatch.lapsed("has been taken over")
      }
      try lease.check()
      return value
    }
  }

  func logState() -> LogState? { inner.logState() }

  func isBeingWritten() async throws -> Bool { try await inner.isBeingWritten() }
  func reserveCheckpoints(_ reserve: Bool) async throws -> Bool { try await inner.reserveCheckpoints(reserve) }

  func makeDurable() async throws { try await inner.makeDurable() }

  func reconnect() async throws {
    try await inner.reconnect()
    try await note()
  }

  func close() async { await inner.close() }
}
