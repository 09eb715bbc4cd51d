import CSQLiteLog
import Dispatch
import Foundation
import GRDB
import UpkeepCore

/// A SQLite file, through the system's SQLite.
public struct SQLiteDatabase: Database {
  /// The name under `databases:`.
  public let name: String
  /// The file, absolute.
  public let path: String
  /// Whether a session for writing may create the file.
  public let mayCreate: Bool
  /// How long a statement waits for another connection's lock.
  public let busyTimeout: Duration

  /// Whether pages that a deletion frees are overwritten, too: what was deleted can't be read from the file any more.
  public let secureDelete: Bool
  /// What to do where the file is damaged, if there is more to say than of any database.
  public let ifDamaged: String?
  /// Told of waits that take longer than ``patience``.
  private var waits: LockWaits?
  /// How long a wait for a lock isn't worth a word.
  var patience = Duration.seconds(1)

  /// Describes a file; nothing is opened yet.
  public init(
    name: String, path: String, mayCreate: Bool = false, busyTimeout: Duration = .seconds(10),
    secureDelete: Bool = false, ifDamaged: String? = nil
  ) {
    self.ifDamaged = ifDamaged
    self.secureDelete = secureDelete
    self.name = name
    self.path = path
    self.mayCreate = mayCreate
    self.busyTimeout = busyTimeout
  }

  /// ``DatabaseEngine/sqlite``
  public var engine: DatabaseEngine { .sqlite }

  /// The file's path.
  public var place: String { path }

  /// The same file, whose sessions tell of long waits for another connection's lock.
  public func telling(_ waits: @escaping LockWaits) -> any Database {
    var copy = self
    copy.waits = waits
    return copy
  }

  /// Opens the file.
  ///
  /// Foreign keys are enforced. The journal mode of the file is never changed, and a session for reading opens it
  /// read-only: neither the file nor its write-ahead log is written.
  /// - Throws: ``UpkeepCore/TaskError`` where there is no such file, it is no database, or it can't be read.
  public func open(_ mode: SessionMode, purpose: String) async throws -> any DatabaseSession {
    let wait = SQLiteLockWait(timeout: busyTimeout, patience: patience, tell: waits)
    do {
      // A lock may keep even the header from being read: no thread of Swift's tasks waits for that.
      let session = try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
          DispatchQueue.global().async { continuation.resume(with: Result { try openSession(mode, wait) }) }
        }
      } onCancel: {
        wait.giveUp(true)
      }
      wait.giveUp(false)
      return session
    } catch {
      if Task.isCancelled { throw CancellationError() }
      throw error
    }
  }

  private func openSession(_ mode: SessionMode, _ wait: SQLiteLockWait) throws -> SQLiteSession {
    defer { wait.isOver() }
    var information = stat()
    let exists = stat(path, &information) == 0
    if !exists && !(mayCreate && mode.writes) {
      throw TaskError(
        code: "database_missing", place: label, problem: "there is no such file",
        fix: "check the path, or create the database first")
    }
    if exists && information.st_mode & S_IFMT == S_IFDIR {
      throw TaskError(
        code: "database_missing", place: label, problem: "this is a folder, not a SQLite file", fix: "name the file")
    }
    var configuration = GRDB.Configuration()
    configuration.readonly = !mode.writes
    configuration.foreignKeysEnabled = true
    configuration.busyMode = .callback { wait.goesOn(afterTries: $0) }
    // Without this GRDB ends the process when a closure leaves a transaction open; the session ends the transaction.
    configuration.allowsUnsafeTransactions = true
    configuration.label = "upkeep.\(name)"
    configuration.prepareDatabase { connection in
      try SQLiteInstant.register(on: connection)
      try SQLiteCollation.register(on: connection)
      try SQLiteReferences.register(on: connection)
      // Reading the header makes a file that is no database fail here, where the error can name it.
      let journal = try String.fetchOne(connection, sql: "PRAGMA journal_mode") ?? ""
      _ = try Int.fetchOne(connection, sql: "PRAGMA schema_version")
      try SQLiteRanges.register(on: connection)
      guard case .write(let durability) = mode else { return }
      let full = durability == .full || journal.lowercased() != "wal"
      try connection.execute(sql: "PRAGMA synchronous = \(full ? "FULL" : "NORMAL")")
      // Deleted rows are overwritten where that costs no further write. Debian's SQLite is built to overwrite freed pages
      // as well, which nearly doubles what a purge writes.
      _ = try Row.fetchAll(connection, sql: "PRAGMA secure_delete = \(secureDelete ? "ON" : "FAST")")
    }
    sqlite_log_prepare()
    do {
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      let index = try queue.inDatabase { connection in
        let isLogged = try String.fetchOne(connection, sql: "PRAGMA journal_mode") == "wal"
        return SQLiteLogIndex(isLogged ? sqlite_log_index(connection.sqliteConnection) : nil)
      }
      return SQLiteSession(queue, log: index, errors: errors, wait: wait)
    } catch {
      throw errors.translated(error)
    }
  }

  /// Free bytes that this user may fill on the file's disk.
  public func freeDisk() -> Int? {
    var information = statvfs()
    guard statvfs(path, &information) == 0 else { return nil }
    return Int(information.f_bavail) * Int(information.f_frsize)
  }

  /// How many bytes the file has; nothing where it can't be looked at.
  public func fileSize() -> Int? {
    var information = stat()
    return stat(path, &information) == 0 ? Int(information.st_size) : nil
  }

  /// How the database is called in messages: `database odds (data/odds.sqlite)`.
  var label: String {
    "database \(name) (\(path))"
  }

  var errors: SQLiteErrors {
    var errors = SQLiteErrors(label: label, path: path)
    if let ifDamaged { errors.ifDamaged = ifDamaged }
    return errors
  }
}

extension SessionMode {
  var writes: Bool {
    if case .write = self { true } else { false }
  }
}
