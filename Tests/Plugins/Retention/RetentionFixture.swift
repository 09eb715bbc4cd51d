import UpkeepPurge
import DatabaseFixture
import Foundation
import TableRetentionPlugin
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepTestKit

/// Somebody's database in a folder that goes with it, and the task on it.
final class RetentionFixture: DatabaseFixture {
  /// 2026-11-20 12:00:00
  static let now = ManualWallClock.noon

  private let folder: TemporaryFolder
  let database: SQLiteDatabase

  init(_ statements: String...) async throws {
    folder = try TemporaryFolder()
    database = SQLiteDatabase(name: "app", path: folder.file("app.sqlite"), mayCreate: true)
    try await execute(["PRAGMA journal_mode = WAL"] + statements)
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
    .test(
      task: "table_retention", mode: mode, now: now, clock: clock, resources: self, forecast: forecast, limits: limits,
      exceptions: exceptions)
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
