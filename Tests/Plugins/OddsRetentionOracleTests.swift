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
    try await Self.purgePlainly(expected, odds: odds, matches: matches)
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

  /// The rules of the application's retention in plain SQL, one statement after the other.
  static func purgePlainly(_ path: String, odds: Int, matches: Int) async throws {
    @Sendable func cutoff(_ days: Int) -> Int64 { (OddsFixture.now - .seconds(days * 86_400)).microseconds }
    let session = try await SQLiteDatabase(name: "expected", path: path).open(.write(.normal), purpose: "oracle")
    try await session.perform { connection in
      let (o, m) = (cutoff(odds), cutoff(matches))
      try connection.execute("PRAGMA foreign_keys = OFF")
      for (prefix, owner) in [("", "event_id"), ("competitor_", "competitor_event_id")] {
        for statement in [
          """
          DELETE FROM \(prefix)odds_snapshots WHERE upkeep_instant(captured_at) < \(o)
            AND (last_confirmed_at IS NULL OR upkeep_instant(last_confirmed_at) < \(o))
          """,
          """
          DELETE FROM \(prefix)odds_snapshots
            WHERE \(owner) IN (SELECT id FROM \(prefix)events WHERE upkeep_instant(kickoff) < \(m))
          """,
          "DELETE FROM \(prefix)events WHERE upkeep_instant(kickoff) < \(m)",
          "DELETE FROM \(prefix)market_odds WHERE snapshot_id NOT IN (SELECT id FROM \(prefix)odds_snapshots)",
        ] { try connection.execute(statement) }
      }
      for statement in [
        "DELETE FROM market_odds_history WHERE upkeep_instant(captured_at) < \(o)",
        "DELETE FROM event_bookmakers WHERE event_id NOT IN (SELECT id FROM events)",
        "DELETE FROM market_odds_current WHERE event_id NOT IN (SELECT id FROM events)",
        "UPDATE scrape_errors SET event_id = NULL WHERE event_id NOT IN (SELECT id FROM events)",
        "UPDATE competitor_events SET betpawa_event_id = NULL WHERE betpawa_event_id NOT IN (SELECT id FROM events)",
        "DELETE FROM tournaments WHERE id NOT IN (SELECT tournament_id FROM events)",
        "DELETE FROM competitor_tournaments WHERE id NOT IN (SELECT tournament_id FROM competitor_events)",
        """
        DELETE FROM scrape_runs WHERE upkeep_instant(started_at) < \(o) AND id NOT IN (
          SELECT scrape_run_id FROM odds_snapshots WHERE scrape_run_id IS NOT NULL
          UNION SELECT scrape_run_id FROM competitor_odds_snapshots WHERE scrape_run_id IS NOT NULL)
        """,
        "DELETE FROM scrape_errors WHERE scrape_run_id NOT IN (SELECT id FROM scrape_runs)",
        "DELETE FROM scrape_phase_logs WHERE scrape_run_id NOT IN (SELECT id FROM scrape_runs)",
        "DELETE FROM event_scrape_status WHERE scrape_run_id NOT IN (SELECT id FROM scrape_runs)",
        """
        DELETE FROM scrape_batches WHERE upkeep_instant(started_at) < \(o)
          AND id NOT IN (SELECT batch_id FROM scrape_runs WHERE batch_id IS NOT NULL)
        """,
      ] { try connection.execute(statement) }
    }
    await session.close()
  }
}
