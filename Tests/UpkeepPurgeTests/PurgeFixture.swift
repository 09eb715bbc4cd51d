import DatabaseFixture
import UpkeepCore
import UpkeepDatabase
import UpkeepTestKit

@testable import UpkeepPurge

/// A SQLite file of its own in a folder that goes with it, and a purge on it.
final class PurgeFixture: DatabaseFixture {
  static let now = ManualWallClock.noon
  /// Two weeks before ``now``: 2026-11-06 12:00:00.
  static let cutoff = now - .seconds(14 * 86_400)

  private let folder: TemporaryFolder
  let database: SQLiteDatabase

  init(_ statements: String...) async throws {
    folder = try TemporaryFolder()
    database = SQLiteDatabase(name: "test", path: folder.file("test.sqlite"), mayCreate: true)
    try await execute(["PRAGMA journal_mode = WAL"] + statements)
  }

  /// Executes the statements of texts, which a semicolon at the end of a line parts.
  func execute(_ texts: [String]) async throws {
    let statements = texts.flatMap { $0.split(separator: ";\n").map(String.init) }
    try await database.execute(statements.filter { !$0.allSatisfy(\.isWhitespace) })
  }

  func context(
    _ mode: RunMode, journal: RunJournal = RunJournal(), forecast: Forecast? = nil, limits: RunLimits = RunLimits(),
    wallClock: any WallClock = SystemWallClock(), exceptions: [RowException] = []
  ) -> TaskContext {
    .test(
      mode: mode, now: Self.now, clock: ContinuousClock(), wallClock: wallClock, forecast: forecast, journal: journal,
      limits: limits, exceptions: exceptions)
  }

  func preview(
    _ rules: [DeletionRule], edges: [DeletionEdge] = [], except exceptions: [RowException] = []
  ) async throws -> RunJournal.Contents {
    let context = context(.preview, exceptions: exceptions)
    try await Purge.with(database, for: .preview, in: context) { purge in
      let graph = DeletionGraph(purge.catalogue, declared: edges)
      try await purge.preview(DeletionPlan(rules, graph: graph, exceptions: exceptions), in: context)
    }
    return context.journal.current
  }

  func run(
    _ rules: [DeletionRule], edges: [DeletionEdge] = [], except exceptions: [RowException] = []
  ) async throws -> RunJournal.Contents {
    let context = context(.run, exceptions: exceptions)
    try await Purge.with(database, for: .deletion, in: context) { purge in
      let graph = DeletionGraph(purge.catalogue, declared: edges)
      try await purge.run(DeletionPlan(rules, graph: graph, exceptions: exceptions), in: context)
    }
    return context.journal.current
  }
}

extension DeletionRule {
  /// Rows older than the fixture's cutoff.
  static func old(_ table: String, at column: String = "at") -> DeletionRule {
    DeletionRule(
      name: table, table: table, condition: .older(column: column, than: PurgeFixture.cutoff), timeColumn: column)
  }
}
