import DatabaseFixture
import Foundation
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo
import UpkeepFetch
import UpkeepTestKit

/// The media application's database in a folder that goes with it.
final class MediaFixture: DatabaseFixture, FetchResources {
  /// 2026-11-20 12:00:00 UTC
  static let now = ManualWallClock.noon

  private let folder: TemporaryFolder
  let database: SQLiteDatabase
  let fetcher: any Fetcher = HTTPFetcher(clock: ContinuousClock())

  /// Makes the application's tables, and executes the statements.
  init(_ statements: String..., schema: [String] = MediaSchema.statements) async throws {
    folder = try TemporaryFolder()
    database = SQLiteDatabase(name: "stash", path: folder.file("stash.sqlite"), mayCreate: true)
    try await execute(["PRAGMA journal_mode = WAL"] + schema + statements)
  }

  /// Makes sample data, and executes the statements.
  init(jobs: Int, plans: Int, hasStaleJobs: Bool = true, _ statements: [String] = []) async throws {
    folder = try TemporaryFolder()
    database = SQLiteDatabase(name: "stash", path: folder.file("stash.sqlite"), mayCreate: true)
    try await MediaSample.make(at: database.path, now: Self.now, jobs: jobs, plans: plans, hasStaleJobs: hasStaleJobs)
    try await execute(statements)
  }

  /// Every row of every table.
  func contents(at path: String? = nil) async throws -> [String: [[DatabaseValue]]] {
    var contents: [String: [[DatabaseValue]]] = [:]
    for table in MediaSchema.tableNames {
      contents[table] = try await rows("SELECT * FROM \(table) ORDER BY id", at: path ?? database.path)
    }
    return contents
  }

  func context(
    _ mode: RunMode, except exceptions: [RowException] = [], clock: any Clock<Duration> = ContinuousClock(),
    limits: RunLimits = RunLimits()
  ) -> TaskContext {
    .test(
      mode: mode, now: Self.now, clock: clock, wallClock: SystemWallClock(), resources: self, limits: limits,
      exceptions: exceptions)
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
