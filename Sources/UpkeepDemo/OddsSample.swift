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
  ) async throws -> [SampleCount] {
    let sample = OddsSample(now: now, snapshots: snapshots, seed: seed)
    return try await SampleFile.make(
      at: path, name: "odds", tables: OddsSchema.tables, indexes: OddsSchema.indexes
    ) { try sample.fill($0) }
  }

  /// Writes all rows.
  func fill(_ connection: any DatabaseConnection) throws {
    var writer = OddsSampleWriter(connection: connection, plan: OddsSamplePlan(sample: self))
    try writer.writeSmallTables()
    try writer.writeEvents()
    try writer.writeCompetitorEvents()
    try writer.writeScrapes()
    try writer.writeMarkets()
  }
}
