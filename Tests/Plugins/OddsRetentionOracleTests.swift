import DatabaseFixture
import OddsOracle
import OddsRetentionPlugin
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo

/// The purge against a plain set-based reading of the rules, on sample data, row by row.
struct OddsRetentionOracleTests {
  @Test(arguments: [(14, 14), (30, 14), (7, 30), (44, 44), (1, 1)])
  func leavesExactlyTheRowsThatTheRulesLeave(odds: Int, matches: Int) async throws {
    let fixture = try await OddsFixture(snapshots: 6000)
    let expected = try await fixture.copy()
    try await OddsOracle.purge(expected, odds: odds, matches: matches, now: OddsFixture.now)
    let settings = fixture.settings(odds, matches)
    let preview = try await fixture.preview(settings)
    let run = try await fixture.run(settings)
    #expect(run.errors.isEmpty)
    #expect(preview.counts == run.counts)
    #expect(preview.tables.map(\.table) == run.tables.map(\.table))
    #expect(preview.tables.map(\.deleted) == run.tables.map(\.deleted))
    #expect(preview.tables.map(\.keptReferenced) == run.tables.map(\.keptReferenced))
    #expect(preview.tables.map(\.oldest) == run.tables.map(\.oldest))
    #expect(preview.tables.map(\.newest) == run.tables.map(\.newest))
    for table in OddsSchema.tableNames where table != "cleanup_runs" {
      let (left, right) = (
        try await fixture.rows("SELECT * FROM \(table) ORDER BY id"),
        try await fixture.rows("SELECT * FROM \(table) ORDER BY id", at: expected)
      )
      #expect(left.count == right.count, "\(table)")
      #expect(left == right, "\(table)")
    }
    #expect(try await fixture.rows("PRAGMA foreign_key_check").isEmpty)
    #expect(try await fixture.text("PRAGMA integrity_check") == "ok")
    let again = try await fixture.run(settings)
    #expect(again.counts.allSatisfy { $0.value == 0 })
  }

  @Test func hasWorkToDoInEveryTable() async throws {
    let fixture = try await OddsFixture(snapshots: 6000)
    let counts = try await fixture.preview(fixture.settings(14, 14)).counts
    #expect(counts.filter { $0.value == 0 }.map(\.key) == [])
  }
}
