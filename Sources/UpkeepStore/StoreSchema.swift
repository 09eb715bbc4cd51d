import UpkeepCore
import UpkeepDatabase

/// The shape of the state store: numbered migrations that are never changed once they are out.
///
/// SQL is kept to what both engines understand. On SQLite the header's `application_id` says that a file is ours and
/// `user_version` how far it is migrated, so that opening a current store reads two numbers and writes nothing. On
/// PostgreSQL the tables have a schema of their own, and its table `schema` says how far they are migrated.
enum StoreSchema {
  /// The schema's name on PostgreSQL.
  static let name = "upkeep"
  /// `UPKP`
  static let applicationID: Int64 = 0x5550_4B50

  /// Number 1 and up. Add to the end; never edit one.
  static let migrations: [[String]] = [
    [
      "CREATE TABLE schema (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)",
      """
      CREATE TABLE runs (
        run_id TEXT PRIMARY KEY,
        task TEXT NOT NULL,
        mode TEXT NOT NULL CHECK (mode IN ('run', 'preview')),
        status TEXT NOT NULL,
        is_final BIGINT NOT NULL CHECK (is_final IN (0, 1)),
        group_run_id TEXT,
        owner TEXT,
        created_at BIGINT NOT NULL,
        finished_at BIGINT,
        renewed_at BIGINT NOT NULL,
        document TEXT NOT NULL
      )
      """,
      "CREATE INDEX runs_by_task ON runs (task, run_id)",
      "CREATE INDEX runs_by_status ON runs (status, run_id)",
      "CREATE INDEX runs_by_end ON runs (is_final, finished_at)",
      "CREATE INDEX runs_last ON runs (task, run_id) WHERE mode = 'run' AND is_final = 1",
      """
      CREATE TABLE leases (
        run_id TEXT PRIMARY KEY,
        ticket BIGINT NOT NULL UNIQUE,
        task TEXT NOT NULL,
        owner TEXT NOT NULL,
        exclusive_with TEXT NOT NULL,
        fencing BIGINT UNIQUE,
        renewed_at BIGINT NOT NULL
      )
      """,
      """
      CREATE TABLE cancel_requests (
        run_id TEXT PRIMARY KEY,
        requested_by TEXT NOT NULL,
        requested_at BIGINT NOT NULL
      )
      """,
      """
      CREATE TABLE pauses (
        task TEXT PRIMARY KEY,
        ends_at BIGINT,
        reason TEXT NOT NULL,
        paused_by TEXT NOT NULL,
        since BIGINT NOT NULL
      )
      """,
      "CREATE TABLE numbers (name TEXT PRIMARY KEY, value BIGINT NOT NULL)",
    ],
    [
      "ALTER TABLE runs ADD COLUMN first_slot BIGINT",
      "ALTER TABLE runs ADD COLUMN last_slot BIGINT",
      "ALTER TABLE runs ADD COLUMN slots BIGINT",
      "CREATE INDEX runs_live ON runs (owner) WHERE is_final = 0",
      """
      CREATE TABLE grids (
        task TEXT PRIMARY KEY,
        schedule TEXT NOT NULL,
        last_slot BIGINT NOT NULL
      )
      """,
      """
      CREATE TABLE serves (
        owner TEXT PRIMARY KEY,
        address TEXT NOT NULL,
        since BIGINT NOT NULL,
        renewed_at BIGINT NOT NULL
      )
      """,
    ],
    // Where runs that aren't over are looked for, this index must not offer itself: it would find them all, and not the
    // next of them.
    [
      "DROP INDEX runs_by_end",
      "CREATE INDEX runs_ended ON runs (finished_at) WHERE is_final = 1",
    ],
    [
      """
      CREATE TABLE backends (
        run_id TEXT NOT NULL,
        database TEXT NOT NULL,
        pid BIGINT NOT NULL,
        started_at TEXT NOT NULL,
        PRIMARY KEY (run_id, database, pid, started_at)
      )
      """
    ],
  ]

  static var version: Int64 { Int64(migrations.count) }

  /// What a file is.
  enum Finding: Equatable {
    case empty
    case ours(version: Int64)
    case foreign
  }

  static func inspect(_ connection: any DatabaseConnection) throws -> Finding {
    connection.engine == .postgres ? try inspectServer(connection) : try inspectFile(connection)
  }

  private static func inspectServer(_ connection: any DatabaseConnection) throws -> Finding {
    let tables = try connection.map(
      "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ?1",
      [.text(name)]
    ) { $0[0].text ?? "" }
    if tables.isEmpty { return .empty }
    guard tables.contains("schema"), tables.contains("leases") else { return .foreign }
    return .ours(version: try connection.integer("SELECT max(version) FROM \(name).schema"))
  }

  private static func inspectFile(_ connection: any DatabaseConnection) throws -> Finding {
    let application = try connection.integer("PRAGMA application_id")
    let version = try connection.integer("PRAGMA user_version")
    if application == applicationID { return .ours(version: version) }
    let tables = try connection.integer("SELECT count(*) FROM sqlite_master")
    return application == 0 && version == 0 && tables == 0 ? .empty : .foreign
  }

  /// Brings a store of an earlier version, or an empty one, to this version.
  static func migrate(_ connection: any DatabaseConnection, from version: Int64, at now: Timestamp) throws {
    for (index, statements) in migrations.enumerated() where Int64(index) >= version {
      for statement in statements { try connection.execute(text(statement, on: connection.engine)) }
      try connection.execute(
        "INSERT INTO schema (version, applied_at) VALUES (?1, ?2)",
        [.integer(Int64(index + 1)), .integer(now.microseconds)])
    }
    guard connection.engine == .sqlite else { return }
    try connection.execute("PRAGMA application_id = \(applicationID)")
    try connection.execute("PRAGMA user_version = \(migrations.count)")
  }

  /// On a server texts compare by their bytes, as in a file, whatever its language: ids are sorted.
  private static func text(_ statement: String, on engine: DatabaseEngine) -> String {
    engine == .sqlite ? statement : statement.replacing(" TEXT", with: " TEXT COLLATE \"C\"")
  }
}
