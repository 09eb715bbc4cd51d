public import UpkeepCore

/// The engine of a database.
public enum DatabaseEngine: String, Sendable {
  /// A SQLite file.
  case sqlite
  /// A PostgreSQL server.
  case postgres
}

/// How hard a commit is pressed to the disk.
public enum Durability: Sendable {
  /// Each commit survives a power cut.
  case full
  /// Commits may be lost in a power cut, in order and whole; the database stays sound. Where the journal mode doesn't
  /// allow that (anything but WAL), this is `full`.
  case normal
}

/// What a session is opened for.
public enum SessionMode: Sendable {
  /// Reading only: nothing of the database is changed, neither the file nor its log.
  case read
  /// Writing.
  case write(Durability)
}

/// A database as tasks and the state store see it, whichever engine it is.
///
/// Every error is a ``UpkeepCore/TaskError`` that names the database, or a `CancellationError`.
public protocol Database: Sendable {
  /// The name under `databases:`.
  var name: String { get }
  /// The engine.
  var engine: DatabaseEngine { get }
  /// Where it is, for messages; secrets masked.
  var place: String { get }
  /// Opens a connection of its own.
  ///
  /// - Parameters:
  ///   - mode: What for.
  ///   - purpose: Who opens it, as in `upkeep/odds_retention`; the server shows it where it can.
  func open(_ mode: SessionMode, purpose: String) async throws -> any DatabaseSession
  /// The same database, whose sessions tell of long waits for another connection's lock.
  func telling(_ waits: @escaping LockWaits) -> any Database
  /// Free bytes of the disk that the database lies on; nothing where it isn't on this machine.
  func freeDisk() -> Int?
  /// How many bytes its file has; nothing where it has none, or it can't be looked at.
  func fileSize() -> Int?
  /// What a server may be behind with before a purge waits for it.
  var limits: ServerLimits { get }
  /// Whether partitions of which every row goes may be dropped instead of emptied.
  var dropsPartitions: Bool { get }
}

/// Told when a statement has waited for another connection's lock for a second, and again when that is over.
public typealias LockWaits = @Sendable (_ isWaiting: Bool) -> Void

extension Database {
  /// Nothing: there is no server.
  public var limits: ServerLimits { ServerLimits() }
  /// Itself: nobody can tell.
  public func telling(_ waits: @escaping LockWaits) -> any Database { self }
  /// False: there are no partitions.
  public var dropsPartitions: Bool { false }
}

/// What a server may be behind with before a purge waits for it. A purge waits for nothing that has no limit.
public struct ServerLimits: Hashable, Sendable {
  /// How far replicas may be behind.
  public var replicaLag: Duration?
  /// How many bytes of its log the server may have to keep for its archive or a replication slot.
  public var logBacklog: Int?
  /// How many dead rows a table may hold that autovacuum hasn't come to.
  public var deadRows: Int?

  /// Creates limits.
  public init(replicaLag: Duration? = nil, logBacklog: Int? = nil, deadRows: Int? = nil) {
    self.replicaLag = replicaLag
    self.logBacklog = logBacklog
    self.deadRows = deadRows
  }
}

/// How a transaction begins.
public enum TransactionKind: Sendable {
  /// One snapshot for several reads.
  case read
  /// The same, in which temporary tables may be made: a server has to be told.
  case scratch
  /// The right to write is taken at the beginning, so that the transaction can't fail for it later.
  case write
}

/// One connection to a database, used by one task.
///
/// Closures run off the caller's executor, one after the other, and must be short or interruptible: when the calling
/// task is cancelled, a running statement is stopped.
public protocol DatabaseSession: Sendable {
  /// Runs statements outside a transaction, each its own.
  func perform<Value: Sendable>(
    _ body: @escaping @Sendable (any DatabaseConnection) throws -> Value
  ) async throws -> Value

  /// Runs statements in one transaction: committed when `body` returns, rolled back when it throws.
  func transaction<Value: Sendable>(
    _ kind: TransactionKind, _ body: @escaping @Sendable (any DatabaseConnection) throws -> Value
  ) async throws -> Value

  /// How the write-ahead log stands now, which costs no statement; nothing where the engine keeps none that a client has
  /// to look after, or the session is only for reading.
  func logState() -> LogState?

  /// Whether somebody else is within a transaction that writes; false where the engine's writers don't wait for each
  /// other, or nobody can tell.
  func isBeingWritten() async throws -> Bool

  /// Keeps every other connection from checkpointing, or lets them again: no commit of the application has to do the
  /// work meanwhile, while this session may. Does nothing where there is no such log.
  ///
  /// - Returns: False where somebody else is checkpointing now: then the session's next checkpoint takes the right.
  func reserveCheckpoints(_ reserve: Bool) async throws -> Bool

  /// Waits until what was committed on this session so far survives a power cut, without keeping its other statements
  /// from being run: many commits of ``Durability/normal`` become durable together.
  func makeDurable() async throws

  /// Connects again after the connection was lost (code `connection_lost`). Everything temporary is gone then.
  func reconnect() async throws

  /// Closes the connection.
  func close() async
}

/// A connection within a closure of its session; it must not leave it.
///
/// Statements are prepared once per text and kept, so texts must come from a bounded set: values go into parameters,
/// `?1`, `?2` and so on, on both engines.
public protocol DatabaseConnection {
  /// The engine behind it.
  var engine: DatabaseEngine { get }

  /// Executes a statement.
  /// - Returns: The number of rows it changed.
  @discardableResult
  func execute(_ sql: String, _ values: [DatabaseValue]) throws -> Int

  /// Goes on with a fresh snapshot within a transaction that has only read, or written what is temporary: an SQLite file's
  /// log can't be begun anew while one is read. Where the log has grown large it waits for a moment in between, in which
  /// the application can do that. Does nothing on a server, which keeps snapshots apart.
  func renewSnapshot() throws

  /// Executes a statement and hands out its rows.
  func query(_ sql: String, _ values: [DatabaseValue], _ row: (any DatabaseRow) throws -> Void) throws
}

extension DatabaseConnection {
  /// Executes a statement without parameters.
  @discardableResult
  public func execute(_ sql: String) throws -> Int {
    try execute(sql, [])
  }

  /// The rows of a query, read whole: for small results.
  public func rows(_ sql: String, _ values: [DatabaseValue] = []) throws -> [[DatabaseValue]] {
    try map(sql, values) { row in row }
  }

  /// The rows of a query, each turned into something else.
  public func map<Value>(
    _ sql: String, _ values: [DatabaseValue] = [], _ transform: ([DatabaseValue]) throws -> Value
  ) throws -> [Value] {
    var result: [Value] = []
    try query(sql, values) { row in
      var columns: [DatabaseValue] = []
      columns.reserveCapacity(row.count)
      for column in 0..<row.count { columns.append(row[column]) }
      result.append(try transform(columns))
    }
    return result
  }

  /// The first row of a query.
  public func first(_ sql: String, _ values: [DatabaseValue] = []) throws -> [DatabaseValue]? {
    try rows(sql, values).first
  }

  /// The whole number in the first column of the first row; 0 where there is none.
  public func integer(_ sql: String, _ values: [DatabaseValue] = []) throws -> Int64 {
    try first(sql, values)?.first?.integer ?? 0
  }
}

/// Offers the configured databases to tasks.
public protocol DatabaseResources: TaskResources {
  /// The database under a name.
  /// - Throws: ``UpkeepCore/TaskError`` where there is none, or its engine isn't available.
  func database(named name: String) throws -> any Database
}

extension TaskContext {
  /// The database that a setting names.
  /// - Throws: ``UpkeepCore/TaskError`` where the host has none of that name.
  public func database(_ name: DatabaseName) throws -> any Database {
    guard let databases = resources as? any DatabaseResources else {
      throw TaskError(
        code: "no_databases", place: "database \(name.text)", problem: "the host offers no databases",
        fix: "run the task in a host whose resources conform to DatabaseResources")
    }
    let found = try databases.database(named: name.text)
    let notice = LockNotice(found, journal)
    let database = found.telling { notice.tell($0) }
    return lease.map { LeasedDatabase(inner: database, lease: $0) } ?? database
  }
}
