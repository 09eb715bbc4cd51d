import Foundation
import Logging
import UpkeepCore
import UpkeepDatabase

@testable import UpkeepPurge

/// A SQLite file of its own in a folder that goes with it, and a purge on it.
final class PurgeFixture: Sendable {
  static let now = Timestamp(CivilTime(year: 2026, month: 11, day: 20, hour: 12))
  /// Two weeks before ``now``: 2026-11-06 12:00:00.
  static let cutoff = now - .seconds(14 * 86_400)

  let folder: String
  let database: SQLiteDatabase

  init(_ statements: String...) async throws {
    folder = NSTemporaryDirectory() + "upkeep-purge-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    database = SQLiteDatabase(name: "test", path: folder + "/test.sqlite", mayCreate: true)
    try await execute(["PRAGMA journal_mode = WAL"] + statements)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: folder)
  }

  func execute(_ statements: [String]) async throws {
    let session = try await database.open(.write(.normal), purpose: "test")
    try await session.perform { connection in
      for statement in statements.flatMap({ $0.split(separator: ";\n") }) where !statement.allSatisfy(\.isWhitespace) {
        _ = try connection.rows(String(statement))
      }
    }
    await session.close()
  }

  func rows(_ sql: String) async throws -> [[DatabaseValue]] {
    let session = try await database.open(.read, purpose: "test")
    let rows = try await session.perform { try $0.rows(sql) }
    await session.close()
    return rows
  }

  /// The values of a query's first column as one text.
  func text(_ sql: String) async throws -> String {
    try await rows(sql).map { row in
      switch row[0] {
      case .integer(let number): "\(number)"
      case .text(let text): text
      default: "\(row[0])"
      }
    }.joined(separator: " ")
  }

  func context(
    _ mode: RunMode, journal: RunJournal = RunJournal(), forecast: Forecast? = nil, limits: RunLimits = RunLimits(),
    wallClock: any WallClock = SystemWallClock(), exceptions: [RowException] = []
  ) -> TaskContext {
    TaskContext(
      task: "test", runID: "01K0000000000000000000TEST", mode: mode, trigger: .manual, now: Self.now,
      wallClock: wallClock, clock: ContinuousClock(), random: SystemRandomSource(), resources: NoResources(),
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), forecast: forecast, journal: journal,
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

private struct NoResources: TaskResources {}

extension DeletionRule {
  /// Rows older than the fixture's cutoff.
  static func old(_ table: String, at column: String = "at") -> DeletionRule {
    DeletionRule(
      name: table, table: table, condition: .older(column: column, than: PurgeFixture.cutoff), timeColumn: column)
  }
}
