import DatabaseFixture
import OddsRetentionPlugin
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo
import UpkeepTestKit

/// The odds application's database in a folder that goes with it.
final class OddsFixture: DatabaseFixture {
  static let now = ManualWallClock.noon

  private let folder: TemporaryFolder
  let database: SQLiteDatabase

  /// Makes the tables; with sample data of so many snapshots, or with the statements given.
  init(snapshots: Int = 0, without: [String] = [], _ statements: String...) async throws {
    folder = try TemporaryFolder()
    database = SQLiteDatabase(name: "odds", path: folder.file("odds.sqlite"), mayCreate: true)
    if snapshots > 0 {
      try await OddsSample.make(at: database.path, now: Self.now, snapshots: snapshots)
    } else {
      try await execute(["PRAGMA journal_mode = WAL"])
      let schema = OddsSchema.statements.filter { statement in !without.contains { statement.contains(" \($0)(") } }
      try await execute(
        schema + [
          "INSERT INTO sports VALUES (1, 'Football', 'football')",
          "INSERT INTO bookmakers VALUES (1, 'BetPawa', 'betpawa', 1, NULL, NULL, '2026-01-01', '2026-01-01')",
        ])
    }
    try await execute(statements)
  }

  func context(_ mode: RunMode, except exceptions: [RowException] = []) -> TaskContext {
    .test(
      task: "odds_retention", mode: mode, now: Self.now, clock: ContinuousClock(), wallClock: SystemWallClock(),
      resources: self, exceptions: exceptions)
  }

  func settings(_ odds: Int = 14, _ matches: Int = 14, _ empty: EmptyTournaments = .purge) -> OddsRetentionSettings {
    var settings = OddsRetentionSettings()
    settings.database = DatabaseName("odds")
    settings.oddsKeep = .seconds(odds * 86_400)
    settings.matchKeep = .seconds(matches * 86_400)
    settings.emptyTournaments = empty
    return settings
  }

  func run(
    _ settings: OddsRetentionSettings, except exceptions: [RowException] = []
  ) async throws -> RunJournal.Contents {
    let context = context(.run, except: exceptions)
    try await OddsRetentionTask().run(settings, in: context)
    return context.journal.current
  }

  func preview(
    _ settings: OddsRetentionSettings, except exceptions: [RowException] = []
  ) async throws -> RunJournal.Contents {
    let context = context(.preview, except: exceptions)
    try await OddsRetentionTask().preview(settings, in: context)
    return context.journal.current
  }
}
