import DatabaseFixture
import OddsRetentionPlugin
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo
import UpkeepTestKit

/// The purge of the odds application's database on PostgreSQL: partitions, times with and without zone, and a server
/// whose own zone is Pacific/Auckland.
struct ServerOddsTests {
  @Test(arguments: [(14, 14), (30, 14), (7, 30)])
  func leavesTheRowsThatItLeavesOnSQLite(odds: Int, matches: Int) async throws {
    let file = try await OddsFixture(snapshots: 6000)
    let server = try await ServerFixture(.odds(now: OddsFixture.now), of: file.database.path)
    let settings = file.settings(odds, matches)
    let expected = try await file.run(settings)
    let done = try await server.work(OddsRetentionTask(), settings)
    #expect(done.errors.isEmpty)
    #expect(done.counts == expected.counts)
    #expect(done.tables.map(\.table) == expected.tables.map(\.table))
    #expect(done.tables.map(\.keptReferenced) == expected.tables.map(\.keptReferenced))
    #expect(done.tables.map(\.oldest) == expected.tables.map(\.oldest))
    #expect(done.tables.map(\.newest) == expected.tables.map(\.newest))
    for table in OddsSchema.tableNames where table != "cleanup_runs" {
      let left = try await server.comparable(table)
      let right = ServerFixture.comparable(try await file.rows("SELECT * FROM \(table) ORDER BY id"))
      #expect(left.count == right.count, "\(table)")
      #expect(left == right, "\(table)")
    }
    let records = "SELECT trigger, status, odds_deleted, oldest_odds_date IS NULL FROM cleanup_runs ORDER BY id LIMIT 1"
    let record: [DatabaseValue] = ["manual", "completed", .integer(Int64(done.counts["odds_deleted"] ?? 0)), 0]
    #expect(try await server.rows(records) == [record])
  }

  @Test func printsTheIndexesThatTheApplicationLacks() async throws {
    let file = try await OddsFixture(snapshots: 6000)
    let server = try await ServerFixture(.odds(now: OddsFixture.now), of: file.database.path)
    let warning =
      "odds_snapshots has no index on scrape_run_id, by which it refers to scrape_runs; the server reads all of it for "
      + "each deleted row: CREATE INDEX CONCURRENTLY ix_odds_snapshots_default_scrape_run_id ON odds_snapshots_default "
      + "(scrape_run_id); CREATE INDEX ix_odds_snapshots_scrape_run_id ON odds_snapshots (scrape_run_id);"
    let (preview, run) = (server.context(.preview), server.context(.run))
    try await OddsRetentionTask().preview(file.settings(), in: preview)
    #expect(preview.journal.current.warnings.contains(warning))
    try await OddsRetentionTask().run(file.settings(), in: run)
    #expect(run.journal.current.warnings.contains(warning))
  }
}
