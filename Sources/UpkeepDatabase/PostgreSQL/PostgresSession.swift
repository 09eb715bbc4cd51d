import Foundation
import Synchronization
import UpkeepCore

/// One connection to a PostgreSQL server.
final class PostgresSession: DatabaseSession {
  private let settings: [(keyword: String, value: String)]
  private let errors: PostgresErrors
  private let mode: SessionMode
  private let link = Mutex<PostgresLink?>(nil)
  /// Closures run here, one after the other.
  private let queue: DispatchQueue

  /// How long a statement of a transaction for writing may take: longer than any batch should, shorter than anybody
  /// would want to wait for its locks. Together with how long it may stand still that is less than a lease lives: whoever
  /// is stopped in the middle of a batch has lost it by the time that another host may begin.
  private static let statementTimeout = "15s"
  /// How long it may wait for a lock.
  private static let lockTimeout = "3s"
  /// How long a transaction may stand still: a program that was stopped must not keep its locks.
  private static let idleTimeout = "8s"

  init(settings: [(keyword: String, value: String)], errors: PostgresErrors, mode: SessionMode) {
    self.settings = settings
    self.errors = errors
    self.mode = mode
    queue = DispatchQueue(label: "upkeep.postgres")
  }

  /// Connects, or connects again: everything temporary is gone then.
  func connect() async throws {
    let (settings, mode) = (settings, mode)
    try await onQueue { interrupt in
      try self.link.withLock { link in
        link = nil
        let new: PostgresLink
        do {
          new = try PostgresLink(settings, interrupt: interrupt)
        } catch {
          throw Unreachable(error: error)
        }
        try new.command(Self.preparation(mode))
        new.interrupt = nil
        link = new
      }
    }
  }

  private static func preparation(_ mode: SessionMode) -> String {
    var settings = [
      ("TimeZone", "UTC"), ("DateStyle", "ISO, YMD"), ("IntervalStyle", "postgres"), ("bytea_output", "hex"),
      ("standard_conforming_strings", "on"), ("extra_float_digits", "3"), ("statement_timeout", "0"),
      ("lock_timeout", lockTimeout), ("idle_in_transaction_session_timeout", idleTimeout),
      // Plans are made for the values at hand: batches differ in size by a thousand times.
      ("plan_cache_mode", "force_custom_plan"), ("jit", "off"),
      // Helpers of a count would take the processors from the application.
      ("max_parallel_workers_per_gather", "0"),
    ]
    if !mode.writes { settings.append(("default_transaction_read_only", "on")) }
    return settings.map { "SET \($0) = '\($1)'" }.joined(separator: "; ")
  }

  func perform<Value: Sendable>(
    _ body: @escaping @Sendable (any DatabaseConnection) throws -> Value
  ) async throws -> Value {
    let errors = errors
    return try await access { link in
      let value = try body(PostgresConnection(link: link, errors: errors))
      guard link.isInTransaction else { return value }
      try link.command("ROLLBACK")
      throw TaskError(
        code: "open_transaction", place: errors.label, problem: "a transaction was begun and not ended",
        fix: "let the task use transaction(_:_:) instead of BEGIN")
    }
  }

  func transaction<Value: Sendable>(
    _ kind: TransactionKind, _ body: @escaping @Sendable (any DatabaseConnection) throws -> Value
  ) async throws -> Value {
    let (begin, errors) = (Self.begin(kind), errors)
    return try await access { link in
      try link.command(begin)
      let value: Value
      do {
        value = try body(PostgresConnection(link: link, errors: errors))
        if link.interrupt?.isSet ?? false { throw CancellationError() }
      } catch {
        link.interrupt = nil
        try? link.command("ROLLBACK")
        throw error
      }
      // A commit that has begun is waited for: what it did must be known.
      link.interrupt = nil
      let tag = try link.execute("COMMIT", []) { _ in }.tag
      guard tag == "COMMIT" else {
        throw PostgresFault(state: "40000", message: "the server rolled the transaction back", statement: "COMMIT")
      }
      return value
    }
  }

  private static func begin(_ kind: TransactionKind) -> String {
    switch kind {
    case .read: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    case .scratch: "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE"
    case .write: "BEGIN READ WRITE; SET LOCAL statement_timeout = '\(statementTimeout)'"
    }
  }

  /// Nothing: the server looks after its log.
  func logState() -> LogState? { nil }

  /// False: writers wait for rows only.
  func isBeingWritten() async throws -> Bool { false }

  /// True: there is nothing to reserve.
  func reserveCheckpoints(_ reserve: Bool) async throws -> Bool { true }

  /// Nothing: the server gathers commits that wait for the disk by itself.
  func makeDurable() async throws {}

  func reconnect() async throws {
    try await connect()
  }

  func close() async {
    try? await onQueue { _ in self.link.withLock { $0 = nil } }
  }

  private func access<Value: Sendable>(
    _ body: @escaping @Sendable (PostgresLink) throws -> Value
  ) async throws -> Value {
    try await onQueue { interrupt in
      try self.link.withLock { link in
        guard let link else { throw PostgresFault(message: "it is closed") }
        link.interrupt = interrupt
        defer { link.interrupt = nil }
        return try body(link)
      }
    }
  }

  /// Runs a closure on the session's own queue; when the calling task is cancelled, what it waits for is interrupted.
  private func onQueue<Value: Sendable>(
    _ body: @escaping @Sendable (PostgresInterrupt) throws -> Value
  ) async throws -> Value {
    let interrupt = PostgresInterrupt()
    do {
      return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
          queue.async { continuation.resume(with: Result { try body(interrupt) }) }
        }
      } onCancel: {
        interrupt.set()
      }
    } catch {
      if Task.isCancelled || error is CancellationError { throw CancellationError() }
      if let error = error as? Unreachable { throw errors.unreachable(error.error) }
      throw errors.translated(error)
    }
  }
}

/// A connection couldn't be made.
private struct Unreachable: Error {
  let error: any Error
}

/// A connection of libpq behind the port.
struct PostgresConnection: DatabaseConnection {
  let link: PostgresLink
  let errors: PostgresErrors

  var engine: DatabaseEngine { .postgres }

  func execute(_ sql: String, _ values: [DatabaseValue]) throws -> Int {
    let statement = link.statement(sql)
    return try translating { try link.execute(statement.text, statement.picked(values)) { _ in }.rows }
  }

  /// Nothing: who writes on a server isn't kept from anything by a snapshot.
  func renewSnapshot() throws {}

  func query(_ sql: String, _ values: [DatabaseValue], _ row: (any DatabaseRow) throws -> Void) throws {
    let statement = link.statement(sql)
    _ = try translating { try link.execute(statement.text, statement.picked(values)) { try row($0) } }
  }

  /// A task that looks at an error within its closure sees what it would see outside.
  private func translating<Value>(_ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch {
      throw errors.translated(error)
    }
  }
}
