import Foundation
import OddsOracle
import OddsRetentionPlugin
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo
import UpkeepTestKit

/// An odds database, what a purge must leave of it, and purges of copies of it.
final class OddsScene: Sendable {
  static let now = ManualWallClock.noon
  static let days = 14
  /// The name of the file in each folder.
  static let file = "odds.sqlite"

  /// The rows at first.
  let start: OddsTables
  /// The rows that a complete purge leaves.
  let end: OddsTables
  private let folder: TemporaryFolder

  init(snapshots: Int) async throws {
    folder = try TemporaryFolder()
    try await OddsSample.make(at: folder.file(Self.file), now: Self.now, snapshots: snapshots)
    try FileManager.default.copyItem(atPath: folder.file(Self.file), toPath: folder.file("end.sqlite"))
    try await OddsOracle.purge(folder.file("end.sqlite"), odds: Self.days, matches: Self.days, now: Self.now)
    start = try await OddsTables(folder.file(Self.file))
    end = try await OddsTables(folder.file("end.sqlite"))
  }

  /// A copy in a folder of its own.
  func copy(journal: String = "wal") async throws -> TemporaryFolder {
    let copy = try TemporaryFolder()
    try FileManager.default.copyItem(atPath: folder.file(Self.file), toPath: copy.file(Self.file))
    if journal != "wal" {
      _ = try await OddsTables.query(copy.file(Self.file)) { try $0.rows("PRAGMA journal_mode = \(journal)") }
    }
    return copy
  }

  /// Purges a copy.
  func purge(_ folder: TemporaryFolder) async -> Outcome {
    var settings = OddsRetentionSettings()
    settings.database = DatabaseName("odds")
    settings.oddsKeep = .seconds(Self.days * 86_400)
    settings.matchKeep = .seconds(Self.days * 86_400)
    let database = SQLiteDatabase(name: "odds", path: folder.file(Self.file))
    let context = TaskContext.test(
      task: "odds_retention", now: Self.now, clock: ContinuousClock(), wallClock: SystemWallClock(),
      resources: Resources(database: database))
    var thrown: (any Error)?
    do {
      try await OddsRetentionTask().run(settings, in: context)
    } catch {
      thrown = error
    }
    let contents = context.journal.current
    return Outcome(contents: contents, errors: contents.errors + (thrown.map { [RunError($0, step: "run")] } ?? []))
  }

  /// What is wrong with a copy: damage, rows lost or changed; rows left where the purge should be complete.
  func faults(in folder: TemporaryFolder, complete: Bool = false) async throws -> [String] {
    let path = folder.file(Self.file)
    let tables = try await OddsTables(path)
    return try await OddsTables.damage(in: path) + tables.strays(from: complete ? end : start, to: end)
  }

  /// What a purge said.
  struct Outcome {
    var contents: RunJournal.Contents
    /// Those of steps and the one that ended the run.
    var errors: [RunError]

    var isComplete: Bool { errors.isEmpty }

    var deleted: [String: Int] {
      Dictionary(uniqueKeysWithValues: contents.tables.map { ($0.table, $0.deleted) })
    }
  }

  private struct Resources: DatabaseResources {
    let database: SQLiteDatabase

    func database(named name: String) throws -> any Database { database }
  }
}
