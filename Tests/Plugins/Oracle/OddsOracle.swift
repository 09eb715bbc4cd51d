public import UpkeepCore
import UpkeepDatabase

/// What a purge of the odds application's database must leave, by a plain set-based reading of the rules.
public enum OddsOracle {
  /// The rules of the application's retention in plain SQL, one statement after the other.
  ///
  /// - Parameters:
  ///   - path: The database, of which nobody else has a connection.
  ///   - odds: The days of `odds_keep`.
  ///   - matches: The days of `match_keep`.
  ///   - now: The instant that the days are counted from.
  public static func purge(_ path: String, odds: Int, matches: Int, now: Timestamp) async throws {
    @Sendable func cutoff(_ days: Int) -> Int64 { (now - .seconds(days * 86_400)).microseconds }
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
