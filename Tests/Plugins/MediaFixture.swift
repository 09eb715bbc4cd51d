import Foundation
import Logging
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo
import UpkeepFetch
import UpkeepTestKit

/// The media application's database in a folder that goes with it.
final class MediaFixture: DatabaseResources, FetchResources {
  /// 2026-11-20 12:00:00 UTC
  static let now = ManualWallClock.noon

  let folder: String
  let stash: SQLiteDatabase
  let fetcher: any Fetcher = HTTPFetcher(clock: ContinuousClock())

  /// Makes the application's tables, and executes the statements.
  init(_ statements: String..., schema: [String] = MediaSchema.statements) async throws {
    folder = NSTemporaryDirectory() + "upkeep-media-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    stash = SQLiteDatabase(name: "stash", path: folder + "/stash.sqlite", mayCreate: true)
    try await execute(["PRAGMA journal_mode = WAL"] + schema + statements)
  }

  /// Makes sample data, and executes the statements.
  init(jobs: Int, plans: Int, hasStaleJobs: Bool = true, _ statements: [String] = []) async throws {
    folder = NSTemporaryDirectory() + "upkeep-media-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    stash = SQLiteDatabase(name: "stash", path: folder + "/stash.sqlite", mayCreate: true)
    try await MediaSample.make(at: stash.path, now: Self.now, jobs: jobs, plans: plans, hasStaleJobs: hasStaleJobs)
    try await execute(statements)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: folder)
  }

  func database(named name: String) throws -> any Database {
    stash
  }

  func execute(_ statements: [String]) async throws {
    let session = try await stash.open(.write(.normal), purpose: "test")
    try await session.perform { connection in
      for statement in statements { _ = try connection.rows(statement) }
    }
    await session.close()
  }

  func rows(_ sql: String, at path: String? = nil) async throws -> [[DatabaseValue]] {
    let database = path.map { SQLiteDatabase(name: "copy", path: $0) } ?? stash
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

  /// Every row of every table.
  func contents(at path: String? = nil) async throws -> [String: [[DatabaseValue]]] {
    var contents: [String: [[DatabaseValue]]] = [:]
    for table in MediaSchema.tableNames {
      contents[table] = try await rows("SELECT * FROM \(table) ORDER BY id", at: path)
    }
    return contents
  }

  /// Copies the database as it is now.
  func copy() async throws -> String {
    let path = "\(folder)/copy-\(UUID().uuidString).sqlite"
    try await execute(["VACUUM INTO '\(path)'"])
    return path
  }

  func context(
    _ mode: RunMode, except exceptions: [RowException] = [], clock: any Clock<Duration> = ContinuousClock(),
    limits: RunLimits = RunLimits()
  ) -> TaskContext {
    TaskContext(
      task: "test", runID: "01K0000000000000000000TEST", mode: mode, trigger: .manual, now: Self.now,
      wallClock: SystemWallClock(), clock: clock, random: SystemRandomSource(), resources: self,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), forecast: nil, journal: RunJournal(),
      limits: limits, exceptions: exceptions)
  }

  /// Previews, which must change nothing; runs, which must do what the preview said; and runs again, which must find
  /// nothing.
  /// - Returns: What the first run reported.
  func work<T: PreviewableTask>(
    _ task: T, _ settings: T.Settings, except exceptions: [RowException] = []
  ) async throws -> RunJournal.Contents {
    let before = try await contents()
    let preview = context(.preview, except: exceptions)
    try await task.preview(settings, in: preview)
    #expect(try await contents() == before)
    let run = context(.run, except: exceptions)
    try await task.run(settings, in: run)
    let (foreseen, done) = (preview.journal.current, run.journal.current)
    #expect(foreseen.counts == done.counts)
    #expect(foreseen.tables.map(\.deleted) == done.tables.map(\.deleted))
    #expect(foreseen.tables.map(\.keptExcepted) == done.tables.map(\.keptExcepted))
    let jobs = { (contents: RunJournal.Contents) in contents.details.filter { !$0.is("database") } }
    #expect(jobs(foreseen) == jobs(done))
    let after = try await contents()
    let again = context(.run, except: exceptions)
    try await task.run(settings, in: again)
    #expect(again.journal.current.counts.allSatisfy { $0.value == 0 })
    #expect(try await contents() == after)
    return done
  }

  /// The error that a task ends with.
  func failure<T: PreviewableTask>(_ task: T, _ settings: T.Settings) async -> TaskError? {
    do {
      try await task.run(settings, in: context(.run))
    } catch {
      return error as? TaskError
    }
    return nil
  }

  /// A row of `job`.
  static func job(
    _ id: String, type: String = "sync", status: String = "running", progress: Int = 40, started: String? = nil,
    completed: String? = nil, created: String = "2026-11-01 00:00:00", updated: String = "2026-11-01 00:00:00"
  ) -> String {
    func literal(_ text: String?) -> String { text.map { "'\($0)'" } ?? "NULL" }
    return """
      INSERT INTO job(id, type, status, progress, metadata, started_at, completed_at, created_at, updated_at)
      VALUES ('\(id)', '\(type)', '\(status)', \(progress), NULL, \(literal(started)), \(literal(completed)),
        '\(created)', '\(updated)')
      """
  }
}

extension JSONValue {
  /// Whether this is a detail of a kind.
  func `is`(_ kind: String) -> Bool {
    if case .object(let values) = self { values["kind"] == .string(kind) } else { false }
  }
}
