import Foundation
import Logging
import TableRetentionPlugin
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepTestKit

/// Somebody's database in a folder that goes with it, and the task on it.
final class RetentionFixture: DatabaseResources {
  /// 2026-11-20 12:00:00
  static let now = Timestamp(CivilTime(year: 2026, month: 11, day: 20, hour: 12))

  let folder: String
  let file: SQLiteDatabase

  init(_ statements: String...) async throws {
    folder = NSTemporaryDirectory() + "upkeep-retention-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    file = SQLiteDatabase(name: "app", path: folder + "/app.sqlite", mayCreate: true)
    try await execute(["PRAGMA journal_mode = WAL"] + statements)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: folder)
  }

  func database(named name: String) throws -> any Database { file }

  func execute(_ statements: [String]) async throws {
    let session = try await file.open(.write(.normal), purpose: "test")
    try await session.perform { connection in
      for statement in statements { _ = try connection.rows(statement) }
    }
    await session.close()
  }

  /// The first column of a query, as one text.
  func text(_ sql: String) async throws -> String {
    let session = try await file.open(.read, purpose: "test")
    let rows = try await session.perform { try $0.rows(sql) }
    await session.close()
    return rows.map { row in
      switch row[0] {
      case .integer(let number): "\(number)"
      case .text(let text): text
      case .null: "null"
      default: "\(row[0])"
      }
    }.joined(separator: " ")
  }

  /// The settings with rules written as JSON.
  static func settings(_ rules: String) throws -> (settings: TableRetentionSettings, problems: [Diagnostic]) {
    let value = try JSONDecoder().decode(JSONValue.self, from: Data(rules.utf8))
    let node = ConfigurationNode.test(.object(["database": "app", "rules": value]))
    return TableRetentionSettings.read(
      node, owner: .standard, in: SettingScope(folder: "/", databases: ["app"]))
  }

  func context(
    _ mode: RunMode, now: Timestamp = now, clock: any Clock<Duration> = HookClock(), forecast: Forecast? = nil,
    exceptions: [RowException] = [], limits: RunLimits = RunLimits()
  ) -> TaskContext {
    TaskContext(
      task: "table_retention", runID: "01K0000000000000000000TEST", mode: mode, trigger: .manual, now: now,
      wallClock: ManualWallClock(start: now), clock: clock, random: SeededRandom(), resources: self,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), forecast: forecast,
      journal: RunJournal(), limits: limits, exceptions: exceptions)
  }

  func preview(
    _ rules: String, now: Timestamp = now, exceptions: [RowException] = []
  ) async throws -> RunJournal.Contents {
    let (settings, problems) = try Self.settings(rules)
    try #require(problems.map(\.message) == [])
    let context = context(.preview, now: now, exceptions: exceptions)
    try await TableRetentionTask().preview(settings, in: context)
    return context.journal.current
  }

  /// Previews, runs as the runner would, and expects both to say the same.
  @discardableResult
  func run(
    _ rules: String, now: Timestamp = now, clock: any Clock<Duration> = HookClock(), exceptions: [RowException] = []
  ) async throws -> RunJournal.Contents {
    let preview = try await preview(rules, now: now, exceptions: exceptions)
    let (settings, _) = try Self.settings(rules)
    let forecast = Forecast(counts: preview.counts, tables: preview.tables, errors: preview.errors)
    let context = context(.run, now: now, clock: clock, forecast: forecast, exceptions: exceptions)
    try await TableRetentionTask().run(settings, in: context)
    let run = context.journal.current
    if (clock as? HookClock)?.hasHook != true {
      #expect(preview.counts == run.counts)
      #expect(preview.tables.map(\.deleted) == run.tables.map(\.deleted))
      #expect(preview.tables.map(\.keptReferenced) == run.tables.map(\.keptReferenced))
      #expect(preview.tables.map(\.keptExcepted) == run.tables.map(\.keptExcepted))
      #expect(preview.tables.map(\.oldest) == run.tables.map(\.oldest))
      #expect(preview.tables.map(\.newest) == run.tables.map(\.newest))
      #expect(preview.warnings.filter { !$0.contains("no index") } == run.warnings)
      #expect(preview.errors == run.errors)
    }
    return run
  }
}
