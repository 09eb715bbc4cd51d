public import UpkeepCore
import UpkeepDatabase

/// A sample database of the odds application: 45 days of scraped odds, as its own scrapes would have left them.
///
/// It holds what makes retention hard in real data: scrape runs that straddle every whole-day cutoff, events whose
/// snapshots were confirmed lately, links between rows that expire at different times, tournaments that become empty,
/// rows that nothing declares to be children, and a few times written in other forms than the rest.
public struct OddsSample: Sendable {
  /// How many days the data goes back.
  public static let days = 45

  /// The instant that "now" is for the data.
  public let now: Timestamp
  /// How many BetPawa snapshots there are; a quarter as many competitor snapshots come on top.
  public let snapshots: Int
  /// What the random numbers start from.
  public let seed: UInt64

  /// How many rows of a table were made.
  public struct TableCount: Hashable, Sendable {
    /// The table.
    public var table: String
    /// Its rows.
    public var count: Int
  }

  /// Describes sample data.
  public init(now: Timestamp, snapshots: Int, seed: UInt64 = 7) {
    self.now = now
    self.snapshots = max(1, snapshots)
    self.seed = seed
  }

  /// Makes a new database in WAL mode at `path`, filled with sample data.
  ///
  /// - Parameters:
  ///   - path: The file; it must not exist.
  ///   - now: The instant that the data leads up to.
  ///   - snapshots: How many BetPawa snapshots there are.
  ///   - seed: What the random numbers start from: equal arguments give equal rows.
  /// - Returns: The tables that hold rows, parents first.
  /// - Throws: ``UpkeepCore/TaskError`` where the file can't be written.
  @discardableResult
  public static func make(
    at path: String, now: Timestamp, snapshots: Int, seed: UInt64 = 7
  ) async throws -> [TableCount] {
    let sample = OddsSample(now: now, snapshots: snapshots, seed: seed)
    let database = SQLiteDatabase(name: "odds", path: path, mayCreate: true)
    let session = try await database.open(.write(.normal), purpose: "upkeep/demo")
    let counts = try await session.perform { connection in
      // A half-made sample is thrown away, so nothing has to survive a crash here; the journal mode is set to the
      // application's own at the end.
      try connection.execute("PRAGMA journal_mode = OFF")
      try connection.execute("PRAGMA synchronous = OFF")
      try connection.execute("PRAGMA foreign_keys = OFF")
      try connection.execute("PRAGMA cache_size = -64000")
      try connection.execute("BEGIN")
      for statement in OddsSchema.tables { try connection.execute(statement) }
      let counts = try sample.fill(connection)
      for statement in OddsSchema.indexes { try connection.execute(statement) }
      try connection.execute("COMMIT")
      try connection.query("PRAGMA journal_mode = WAL", []) { _ in }
      return counts
    }
    await session.close()
    return counts
  }

  /// Writes all rows.
  func fill(_ connection: any DatabaseConnection) throws -> [TableCount] {
    var writer = OddsSampleWriter(connection: connection, plan: OddsSamplePlan(sample: self))
    try writer.writeSmallTables()
    try writer.writeEvents()
    try writer.writeCompetitorEvents()
    try writer.writeScrapes()
    try writer.writeMarkets()
    return try OddsSchema.tableNames.compactMap { table in
      let count = Int(try connection.integer("SELECT count(*) FROM \(table)"))
      return count == 0 ? nil : TableCount(table: table, count: count)
    }
  }
}
