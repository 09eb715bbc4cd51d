import CSQLiteLog
import Dispatch
import Foundation
import GRDB
import GRDBSQLite
import UpkeepCore

/// One connection to a SQLite file.
public final class SQLiteSession: DatabaseSession {
  private let queue: DatabaseQueue
  private let log: SQLiteLogIndex
  private let file = SQLiteLogFile()
  private let errors: SQLiteErrors
  private let wait: SQLiteLockWait

  init(_ queue: DatabaseQueue, log: SQLiteLogIndex, errors: SQLiteErrors, wait: SQLiteLockWait) {
    self.wait = wait
    self.queue = queue
    self.log = log
    self.errors = errors
  }

  /// Runs statements, each in a transaction of its own.
  public func perform<Value: Sendable>(
    _ body: @escaping @Sendable (any DatabaseConnection) throws -> Value
  ) async throws -> Value {
    let (errors, log, wait) = (errors, log, wait)
    return try await access { database in
      let value = try body(SQLiteConnection(database: database, log: log, wait: wait))
      guard database.isInsideTransaction else { return value }
      try database.rollback()
      throw TaskError(
        code: "open_transaction", place: errors.label, problem: "a transaction was begun and not ended",
        fix: "let the task use transaction(_:_:) instead of BEGIN")
    }
  }

  /// Runs statements in one transaction; one for writing begins with `BEGIN IMMEDIATE`.
  public func transaction<Value: Sendable>(
    _ kind: TransactionKind, _ body: @escaping @Sendable (any DatabaseConnection) throws -> Value
  ) async throws -> Value {
    let (log, wait) = (log, wait)
    return try await access { database in
      var value: Value?
      try database.inTransaction(kind == .write ? .immediate : .deferred) {
        value = try body(SQLiteConnection(database: database, log: log, wait: wait))
        return .commit
      }
      guard let value else { throw CancellationError() }
      return value
    }
  }

  /// The state of the file's log, from the connection's own memory; nothing where it isn't in WAL mode.
  public func logState() -> LogState? {
    log.state
  }

  /// Whether somebody holds the lock for writing now; false outside WAL mode.
  public func isBeingWritten() async throws -> Bool {
    guard log.state != nil else { return false }
    return try await access { sqlite_log_is_written($0.sqliteConnection) != 0 }
  }

  /// Takes or gives back the lock that SQLite takes for a checkpoint.
  public func reserveCheckpoints(_ reserve: Bool) async throws -> Bool {
    guard log.state != nil else { return true }
    return try await access { sqlite_log_reserve($0.sqliteConnection, reserve ? 1 : 0) != 0 }
  }

  /// Presses the log to the disk. Outside WAL mode there is nothing to be done: each commit was durable by itself.
  public func makeDurable() async throws {
    if !file.isKnown {
      try await access { [file] in
        if let log = sqlite_log_file($0.sqliteConnection) { file.note(log) }
      }
    }
    let code = await withCheckedContinuation { continuation in
      DispatchQueue.global().async { [file] in continuation.resume(returning: file.sync()) }
    }
    guard code != 0 else { return }
    // What wasn't written once may never be, whatever the next sync says: only the database's own file helps now.
    let isSafe = try await access { database in
      let row = try Row.fetchOne(database, sql: "PRAGMA wal_checkpoint(FULL)")
      return row.map { $0[0] == 0 && ($0[1] as Int?) == $0[2] } ?? false
    }
    guard !isSafe else { return }
    throw errors.translated(GRDB.DatabaseError(resultCode: ResultCode(rawValue: code)))
  }

  /// Nothing: a file is always there.
  public func reconnect() async throws {}

  /// Closes the connection; a write-ahead log that nobody else uses is brought into the file by SQLite.
  public func close() async {
    log.close()
    file.close()
    try? queue.close()
  }

  private func access<Value: Sendable>(_ body: @escaping @Sendable (GRDB.Database) throws -> Value) async throws
    -> Value
  {
    defer { wait.isOver() }
    do {
      return try await queue.writeWithoutTransaction(body)
    } catch {
      if Task.isCancelled || error is CancellationError { throw CancellationError() }
      throw errors.translated(error)
    }
  }
}

/// A GRDB connection behind the port.
struct SQLiteConnection: DatabaseConnection {
  let database: GRDB.Database
  let log: SQLiteLogIndex
  let wait: SQLiteLockWait

  var engine: DatabaseEngine { .sqlite }

  func execute(_ sql: String, _ values: [DatabaseValue]) throws -> Int {
    let statement = try prepared(sql, values)
    let before = database.totalChangesCount
    try statement.execute()
    return database.totalChangesCount == before ? 0 : database.changesCount
  }

  func renewSnapshot() throws {
    // Not by statements of GRDB's: it would take the transaction for aborted between the two.
    try execute("COMMIT")
    awaitNewLog()
    try execute("BEGIN")
  }

  private func execute(_ statement: String) throws {
    let code = sqlite3_exec(database.sqliteConnection, statement, nil, nil, nil)
    guard code == SQLITE_OK else { throw GRDB.DatabaseError(resultCode: ResultCode(rawValue: code), sql: statement) }
  }

  /// Waits, while no snapshot is read, until the application has begun a large log anew: a commit of its own brings the
  /// rest of it into the file, and the one after that begins it anew, if nobody reads it in this moment. Where nobody
  /// commits the log doesn't grow either.
  private func awaitNewLog() {
    guard var last = log.state?.frames, last > Self.largeLog else { return }
    for _ in 0..<Self.looks {
      sqlite3_sleep(Self.glance)
      guard let frames = log.state?.frames, frames >= last else { return }
      last = frames
    }
  }

  /// Frames of a log that its application's own checkpoints (after 1,000 frames, if nobody said otherwise) would have
  /// begun anew by now.
  private static let largeLog = 2000
  /// How often it looks whether the log was begun anew, at the most.
  private static let looks = 60
  /// Between two looks, in milliseconds.
  private static let glance: Int32 = 1

  func query(_ sql: String, _ values: [DatabaseValue], _ row: (any DatabaseRow) throws -> Void) throws {
    let cursor = try Row.fetchCursor(try prepared(sql, values))
    do {
      while let next = try cursor.next() { try row(SQLiteRow(row: next)) }
    } catch let error as GRDB.DatabaseError {
      guard let count = SQLiteReferences.count(in: error) else { throw error }
      try row(SQLiteRow(row: ["count": count]))
    }
  }

  private func prepared(_ sql: String, _ values: [DatabaseValue]) throws -> Statement {
    // A statement before this one may have waited for a lock, which it has by now.
    wait.isOver()
    let statement = try database.cachedStatement(sql: sql)
    // Bound here: GRDB's arguments cost more than the statement itself where it deletes a few rows. This clears those of
    // the last time, so that too few values bind NULL, which deletes nothing; what no parameter takes is left out.
    statement.setUncheckedArguments(StatementArguments())
    for (index, value) in values.enumerated() {
      let code = value.bind(to: statement.sqliteStatement, at: Int32(index + 1))
      if code == SQLITE_RANGE { break }
      guard code == SQLITE_OK else { throw GRDB.DatabaseError(resultCode: ResultCode(rawValue: code), sql: sql) }
    }
    return statement
  }
}

struct SQLiteRow: DatabaseRow {
  let row: Row

  var count: Int { row.count }

  subscript(column: Int) -> DatabaseValue {
    let value: GRDB.DatabaseValue = row[column]
    switch value.storage {
    case .null: return .null
    case .int64(let number): return .integer(number)
    case .double(let number): return .real(number)
    case .string(let text): return .text(text)
    case .blob(let data): return .blob([UInt8](data))
    }
  }
}

extension DatabaseValue {
  /// SQLite makes its own copy of a text or of bytes (`SQLITE_TRANSIENT`, which Swift can't import).
  private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

  /// - Returns: SQLite's result code.
  fileprivate func bind(to statement: SQLiteStatement, at index: Int32) -> Int32 {
    switch self {
    case .null: return sqlite3_bind_null(statement, index)
    case .integer(let number): return sqlite3_bind_int64(statement, index, number)
    case .real(let number): return sqlite3_bind_double(statement, index, number)
    case .text(var text):
      return text.withUTF8 { bytes in
        // Bytes that are nowhere would bind NULL.
        guard let start = bytes.baseAddress else { return sqlite3_bind_text(statement, index, "", 0, Self.copied) }
        return start.withMemoryRebound(to: CChar.self, capacity: bytes.count) { start in
          sqlite3_bind_text64(statement, index, start, UInt64(bytes.count), Self.copied, UInt8(SQLITE_UTF8))
        }
      }
    case .blob(let bytes):
      return bytes.withUnsafeBytes { bytes in
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return sqlite3_bind_zeroblob(statement, index, 0) }
        return sqlite3_bind_blob64(statement, index, start, UInt64(bytes.count), Self.copied)
      }
    }
  }
}
