import DatabaseFixture
import Foundation
import PostgresCluster
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo
import UpkeepFetch
import UpkeepTestKit

/// One database, whatever it is asked for by.
private struct OneDatabase: DatabaseResources {
  let database: any Database

  func database(named name: String) throws -> any Database { database }
}

/// A database of a PostgreSQL server, for tasks to work on.
final class ServerFixture: DatabaseFixture, FetchResources {
  /// 2026-11-20 12:00:00 UTC
  static let now = ManualWallClock.noon

  let database: PostgresDatabase
  let fetcher: any Fetcher = HTTPFetcher(clock: ContinuousClock())

  /// Makes a database, and executes the statements.
  init(
    _ statements: String..., on cluster: PostgresCluster? = nil, limits: ServerLimits = ServerLimits(),
    dropsPartitions: Bool = false
  ) async throws {
    database = try await (cluster ?? .shared()).makeDatabase(
      limits: limits, dropsPartitions: dropsPartitions)
    try await execute(statements)
  }

  /// Makes a database with the rows of a sample file.
  init(
    _ sample: ServerSample, of path: String, on cluster: PostgresCluster? = nil, dropsPartitions: Bool = false
  ) async throws {
    database = try await (cluster ?? .shared()).makeDatabase(dropsPartitions: dropsPartitions)
    try await sample.copy(path, to: database)
  }

  func context(
    _ mode: RunMode, except exceptions: [RowException] = [], clock: any Clock<Duration> = ContinuousClock(),
    limits: RunLimits = RunLimits(), forecast: Forecast? = nil, database: (any Database)? = nil
  ) -> TaskContext {
    .test(
      mode: mode, now: Self.now, clock: clock, resources: database.map { OneDatabase(database: $0) } ?? self,
      forecast: forecast, limits: limits, exceptions: exceptions)
  }

  /// Ends the connection of a run as soon as it waits: for a replica to confirm its commit, or asleep in a trigger.
  func endRunThatWaits() async throws {
    let other = try await database.open(.write(.normal), purpose: "other")
    let waits = """
      SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
      WHERE application_name = 'upkeep/test' AND wait_event IN ('SyncRep', 'PgSleep')
      """
    while try await other.perform({ try $0.integer(waits) }) == 0 {}
    await other.close()
  }

  /// Previews and runs, which must say the same, and runs again, which must find nothing.
  /// - Returns: What the first run reported.
  @discardableResult
  func work<T: PreviewableTask>(
    _ task: T, _ settings: T.Settings, except exceptions: [RowException] = []
  ) async throws -> RunJournal.Contents {
    let preview = context(.preview, except: exceptions)
    try await task.preview(settings, in: preview)
    let foreseen = preview.journal.current
    let forecast = Forecast(counts: foreseen.counts, tables: foreseen.tables, errors: foreseen.errors)
    let run = context(.run, except: exceptions, forecast: forecast)
    try await task.run(settings, in: run)
    let done = run.journal.current
    #expect(foreseen.counts == done.counts)
    #expect(foreseen.tables.map(\.table) == done.tables.map(\.table))
    #expect(foreseen.tables.map(\.deleted) == done.tables.map(\.deleted))
    #expect(foreseen.tables.map(\.keptReferenced) == done.tables.map(\.keptReferenced))
    #expect(foreseen.tables.map(\.keptExcepted) == done.tables.map(\.keptExcepted))
    #expect(foreseen.tables.map(\.oldest) == done.tables.map(\.oldest))
    #expect(foreseen.tables.map(\.newest) == done.tables.map(\.newest))
    #expect(foreseen.errors == done.errors)
    let again = context(.run, except: exceptions)
    try await task.run(settings, in: again)
    #expect(again.journal.current.counts.allSatisfy { $0.value == 0 })
    return done
  }

  /// The rows of a table as they would stand in a file: instants as instants, truth as numbers, JSON without blanks.
  func comparable(_ table: String) async throws -> [[DatabaseValue]] {
    Self.comparable(try await rows("SELECT * FROM \(table) ORDER BY id"))
  }

  static func comparable(_ rows: [[DatabaseValue]]) -> [[DatabaseValue]] {
    rows.map { row in
      row.map { value in
        switch value {
        case .text(let text):
          if let instant = Timestamp(text: text) { return .integer(instant.microseconds) }
          return .text(text.hasPrefix("[") || text.hasPrefix("{") ? text.filter { $0 != " " } : text)
        case .integer(let number): return .real(Double(number))
        default: return value
        }
      }
    }
  }
}
