import Foundation
import Logging
import OddsRetentionPlugin
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo

/// The odds application's database in a folder that goes with it.
final class OddsFixture: DatabaseResources {
  static let now = Timestamp(CivilTime(year: 2026, month: 11, day: 20, hour: 12))

  let folder: String
  let odds: SQLiteDatabase

  /// Makes the tables; with sample data of so many snapshots, or with the statements given.
  init(snapshots: Int = 0, without: [String] = [], _ statements: String...) async throws {
    folder = NSTemporaryDirectory() + "upkeep-odds-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    odds = SQLiteDatabase(name: "odds", path: folder + "/odds.sqlite", mayCreate: true)
    if snapshots > 0 {
      try await OddsSample.make(at: odds.path, now: Self.now, snapshots: snapshots)
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

  deinit {
    try? FileManager.default.removeItem(atPath: folder)
  }

  func database(named name: String) throws -> any Database {
    odds
  }

  func execute(_ statements: [String], foreignKeys: Bool = true) async throws {
    let session = try await odds.open(.write(.normal), purpose: "test")
    try await session.perform { connection in
      if !foreignKeys { try connection.execute("PRAGMA foreign_keys = OFF") }
      for statement in statements { try connection.execute(statement) }
    }
    await session.close()
  }

  func rows(_ sql: String, at path: String? = nil) async throws -> [[DatabaseValue]] {
    let database = path.map { SQLiteDatabase(name: "copy", path: $0) } ?? odds
    let session = try await database.open(.read, purpose: "test")
    let rows = try await session.perform { try $0.rows(sql) }
    await session.close()
    return rows
  }

  /// The first column of a query, as one text.
  func text(_ sql: String) async throws -> String {
    try await rows(sql).map { row in
      switch row[0] {
      case .integer(let number): "\(number)"
      case .text(let text): text
      case .null: "null"
      default: "\(row[0])"
      }
    }.joined(separator: " ")
  }

  /// Copies the database as it is now.
  func copy() async throws -> String {
    let path = "\(folder)/copy-\(UUID().uuidString).sqlite"
    try await execute(["VACUUM INTO '\(path)'"])
    return path
  }

  func context(_ mode: RunMode, except exceptions: [RowException] = []) -> TaskContext {
    TaskContext(
      task: "odds_retention", runID: "01K0000000000000000000TEST", mode: mode, trigger: .manual, now: Self.now,
      wallClock: SystemWallClock(), clock: ContinuousClock(), random: SystemRandomSource(), resources: self,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), forecast: nil, journal: RunJournal(),
      exceptions: exceptions)
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
