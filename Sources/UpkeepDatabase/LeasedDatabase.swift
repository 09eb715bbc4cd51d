import UpkeepCore

/// A database in which nothing is committed after the run's right to work has ended.
///
/// Between the look and the commit a process can still be stopped; a server ends its transaction then, well before
/// another run may begin.
struct LeasedDatabase: Database {
  let inner: any Database
  let lease: LeaseWatch

  var name: String { inner.name }
  var engine: DatabaseEngine { inner.engine }
  var place: String { inner.place }

  func open(_ mode: SessionMode, purpose: String) async throws -> any DatabaseSession {
    LeasedSession(inner: try await inner.open(mode, purpose: purpose), lease: lease)
  }

  func freeDisk() -> Int? { inner.freeDisk() }
  func fileSize() -> Int? { inner.fileSize() }
  var maxReplicaLag: Duration? { inner.maxReplicaLag }
  var dropsPartitions: Bool { inner.dropsPartitions }
}

/// A session of such a database.
private struct LeasedSession: DatabaseSession {
  let inner: any DatabaseSession
  let lease: LeaseWatch

  func perform<Value: Sendable>(
    _ body: @escaping @Sendable (any DatabaseConnection) throws -> Value
  ) async throws -> Value {
    try lease.check()
    return try await inner.perform(body)
  }

  func transaction<Value: Sendable>(
    _ kind: TransactionKind, _ body: @escaping @Sendable (any DatabaseConnection) throws -> Value
  ) async throws -> Value {
    try await inner.transaction(kind) { [lease] connection in
      let value = try body(connection)
      try lease.check()
      return value
    }
  }

  func logState() -> LogState? { inner.logState() }

  func isBeingWritten() async throws -> Bool { try await inner.isBeingWritten() }
  func reserveCheckpoints(_ reserve: Bool) async throws -> Bool { try await inner.reserveCheckpoints(reserve) }

  func makeDurable() async throws { try await inner.makeDurable() }

  func reconnect() async throws { try await inner.reconnect() }

  func close() async { await inner.close() }
}
