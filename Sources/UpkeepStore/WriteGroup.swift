import Synchronization
import UpkeepDatabase

/// One write that waits for its commit.
struct GroupedWrite: Sendable {
  /// What the commit must survive.
  let durability: Durability
  /// Does the write. It may be called again where the first transaction was rolled back.
  let perform: @Sendable (any DatabaseConnection) throws -> Void
  /// Is told how it ended.
  let end: @Sendable (Result<Void, any Error>) -> Void
}

/// Writes that share one commit: while one waits for the disk the next ones gather, so a thousand of them cost a few
/// commits and not a thousand.
struct WriteGroup: Sendable {
  let writes: [GroupedWrite]

  /// Does the writes in one transaction; where one of them fails, each in its own, so that no other fails with it.
  func commit(on session: any DatabaseSession, by engine: any StoreEngine) async {
    do {
      // What only the living must see (who runs what) needs no disk: after a power cut nobody lives.
      let mustLast = writes.contains { $0.durability == .full }
      try await engine.commit(on: session, mustLast ? .full : .normal) { connection in
        for write in writes { try write.perform(connection) }
      }
      for write in writes { write.end(.success(())) }
    } catch {
      guard writes.count > 1 else { return writes.forEach { $0.end(.failure(error)) } }
      for write in writes { await WriteGroup(writes: [write]).commit(on: session, by: engine) }
    }
  }
}

/// What a write returns, on its way out of the transaction.
final class WriteOutcome<Value: Sendable>: Sendable {
  private let value = Mutex<Value?>(nil)

  func set(_ value: Value) {
    self.value.withLock { $0 = value }
  }

  /// What was set last.
  /// - Throws: `CancellationError` where nothing was.
  func get() throws -> Value {
    guard let value = value.withLock({ $0 }) else { throw CancellationError() }
    return value
  }
}
