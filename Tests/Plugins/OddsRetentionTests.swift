import DatabaseFixture
import OddsRetentionPlugin
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo

/// The failures of the application's own clean-up, which must not happen here, and the rules beside them.
struct OddsRetentionTests {
  private static let run =
    "INSERT INTO scrape_runs(id, status, started_at) VALUES (1, 'completed', '2026-11-06 11:59:00'), (2, 'completed', '2026-11-06 12:00:00')"

  private static func event(_ id: Int, kickoff: String, tournament: Int = 1) -> [String] {
    [
      "INSERT OR IGNORE INTO tournaments VALUES (\(tournament), 1, 'T\(tournament)', 'Latvia', NULL)",
      "INSERT INTO events VALUES (\(id), \(tournament), 'A - B', 'A', 'B', '\(kickoff)', 's\(id)', '2026-01-01')",
    ]
  }

  private static func snapshot(_ id: Int, event: Int, at: String, run: String = "NULL", confirmed: String = "NULL")
    -> [String]
  {
    [
      "INSERT INTO odds_snapshots VALUES (\(id), \(event), 1, '\(at)', \(run), \(confirmed))",
      "INSERT INTO market_odds(id, snapshot_id, betpawa_market_id, betpawa_market_name, outcomes) VALUES (\(id), \(id), '1', 'm', '[]')",
    ]
  }

  private func fixture(_ statements: [String]...) async throws -> OddsFixture {
    let fixture = try await OddsFixture()
    try await fixture.execute(statements.flatMap { $0 })
    return fixture
  }

  @Test func keepsARunThatAYoungSnapshotRefersTo() async throws {
    let fixture = try await fixture(
      Self.event(1, kickoff: "2026-11-30 12:00:00"), [Self.run],
      Self.snapshot(1, event: 1, at: "2026-11-06 11:59:59.999999", run: "1"),
      Self.snapshot(2, event: 1, at: "2026-11-06 12:00:00", run: "1"))
    let preview = try await fixture.preview(fixture.settings())
    let run = try await fixture.run(fixture.settings())
    #expect(run.errors.isEmpty)
    #expect(run.counts["odds_deleted"] == 1)
    #expect(run.counts["scrape_runs_deleted"] == 0)
    #expect(preview.counts == run.counts)
    #expect(run.tables.first { $0.table == "scrape_runs" }?.keptReferenced == 1)
    #expect(preview.tables.first { $0.table == "scrape_runs" }?.keptReferenced == 1)
    #expect(try await fixture.text("SELECT id FROM scrape_runs") == "1 2")
    #expect(try await fixture.text("SELECT id FROM market_odds") == "2")
  }

  @Test func touchesNothingThatIsExcepted() async throws {
    let fixture = try await fixture(
      Self.event(1, kickoff: "2026-10-01 12:00:00"), Self.event(2, kickoff: "2026-10-01 12:00:00", tournament: 2),
      [Self.run], Self.snapshot(1, event: 1, at: "2026-10-01", run: "1"),
      Self.snapshot(2, event: 2, at: "2026-10-01", run: "1"), Self.snapshot(3, event: 2, at: "2026-10-01"))
    let exceptions = [
      RowException(database: "odds", table: "events", rows: .matching("sportradar_id IN ('s1', 's9')")),
      RowException(table: "market_odds", rows: .keys([.integer(2)])),
      RowException(database: "stash", table: "nowhere", rows: .keys([.integer(2)])),
    ]
    let preview = try await fixture.preview(fixture.settings(), except: exceptions)
    let run = try await fixture.run(fixture.settings(), except: exceptions)
    #expect(run.errors.isEmpty)
    #expect(preview.counts == run.counts)
    #expect(preview.tables.map(\.keptExcepted) == run.tables.map(\.keptExcepted))
    // Event 1 itself, and event 2 for the market of its second snapshot; snapshot 1 may go, it isn't excepted.
    #expect(try await fixture.text("SELECT id FROM events") == "1 2")
    #expect(try await fixture.text("SELECT id FROM odds_snapshots") == "2")
    #expect(try await fixture.text("SELECT id FROM tournaments") == "1 2")
    #expect(run.tables.first { $0.table == "events" }?.keptExcepted == 2)
    #expect(run.tables.first { $0.table == "odds_snapshots" }?.keptExcepted == 1)
    #expect(run.tables.first { $0.table == "scrape_runs" }?.keptReferenced == 1)
  }

  @Test func removesAnEventWithItsYoungOddsOnBothSides() async throws {
    let competitors = [
      "INSERT INTO competitor_tournaments(id, source, sport_id, name, external_id, created_at) VALUES (1, 'x', 1, 'T', 't', '2026-01-01')",
      """
      INSERT INTO competitor_events(id, source, tournament_id, betpawa_event_id, name, home_team, away_team, kickoff,
        external_id, sportradar_id, created_at, updated_at) VALUES
        (1, 'x', 1, 1, 'n', 'a', 'b', '2026-11-06 11:59:59', 'e1', 's1', '2026-01-01', '2026-01-01'),
        (2, 'x', 1, 1, 'n', 'a', 'b', '2026-11-06 12:00:00', 'e2', 's1', '2026-01-01', '2026-01-01')
      """,
      "INSERT INTO competitor_odds_snapshots(id, competitor_event_id, captured_at) VALUES (1, 1, '2026-11-19'), (2, 2, '2026-11-19')",
      "INSERT INTO competitor_market_odds(id, snapshot_id, betpawa_market_id, betpawa_market_name, outcomes) VALUES (1, 1, '1', 'm', '[]'), (2, 2, '1', 'm', '[]')",
    ]
    let fixture = try await fixture(
      Self.event(1, kickoff: "2026-11-06 11:59:59.999999"),
      Self.event(2, kickoff: "2026-11-06 12:00:00", tournament: 2),
      Self.snapshot(1, event: 1, at: "2026-11-19 12:00:00"), Self.snapshot(2, event: 2, at: "2026-11-19 12:00:00"),
      competitors,
      [
        "INSERT INTO event_bookmakers VALUES (1, 1, 1, 'x', NULL, '2026-01-01'), (2, 2, 1, 'x', NULL, '2026-01-01')",
        """
        INSERT INTO market_odds_current(id, event_id, bookmaker_slug, betpawa_market_id, betpawa_market_name, outcomes,
          last_updated_at, last_confirmed_at) VALUES (1, 1, 'b', '1', 'm', '[]', '2026-11-19', '2026-11-19'),
          (2, 2, 'b', '1', 'm', '[]', '2026-11-19', '2026-11-19')
        """,
        Self.run,
        "INSERT INTO scrape_errors VALUES (1, 2, 1, 1, 't', 'm', '2026-11-19'), (2, 2, 1, 2, 't', 'm', '2026-11-19')",
      ])
    let preview = try await fixture.preview(fixture.settings(30, 14))
    let run = try await fixture.run(fixture.settings(30, 14))
    #expect(run.errors.isEmpty)
    #expect(preview.counts == run.counts)
    #expect(
      run.counts.filter { $0.value > 0 } == [
        "events_deleted": 1, "odds_deleted": 1, "market_odds_deleted": 1, "event_bookmakers_deleted": 1,
        "market_odds_current_deleted": 1, "competitor_events_deleted": 1, "competitor_odds_deleted": 1,
        "competitor_market_odds_deleted": 1, "competitor_events_unlinked": 1, "scrape_errors_unlinked": 1,
        "tournaments_deleted": 1,
      ])
    for table in [
      "events", "odds_snapshots", "market_odds", "event_bookmakers", "market_odds_current", "tournaments",
      "competitor_events", "competitor_odds_snapshots", "competitor_market_odds",
    ] {
      #expect(try await fixture.text("SELECT id FROM \(table)") == "2", "\(table)")
    }
    #expect(try await fixture.text("SELECT betpawa_event_id FROM competitor_events") == "null")
    #expect(try await fixture.text("SELECT event_id FROM scrape_errors ORDER BY id") == "null 2")
    #expect(try await fixture.rows("PRAGMA foreign_key_check").isEmpty)
  }

  @Test func keepsOddsThatWereConfirmedLately() async throws {
    let fixture = try await fixture(
      Self.event(1, kickoff: "2026-11-30 12:00:00"),
      Self.snapshot(1, event: 1, at: "2026-10-01 12:00:00", confirmed: "'2026-11-06 12:00:00'"),
      Self.snapshot(2, event: 1, at: "2026-10-01 12:00:00", confirmed: "'2026-11-06 11:59:59.999999'"),
      Self.snapshot(3, event: 1, at: "2026-10-01 12:00:00"),
      Self.snapshot(4, event: 1, at: "2026-10-01 12:00:00", confirmed: "'soon'"))
    _ = try await fixture.run(fixture.settings())
    #expect(try await fixture.text("SELECT id FROM odds_snapshots") == "1 4")
  }

  @Test(arguments: [("-5d", "bad_duration"), ("0d", "out_of_range"), ("5", "bad_duration"), ("3651d", "out_of_range")])
  func refusesRetentionThatWouldTakeEverything(text: String, code: String) {
    let origin = ValueOrigin.file(
      path: "u.yaml", range: SourceRange(start: .init(line: 1, column: 1), end: .init(line: 1, column: 2)))
    let node = ConfigurationNode(
      .map([
        ConfigurationEntry(
          key: "database", keyOrigin: origin, value: .init(.string("odds"), text: "odds", origin: origin)),
        ConfigurationEntry(
          key: "odds_keep", keyOrigin: origin, value: .init(.string(text), text: text, origin: origin)),
      ]), origin: origin)
    let scope = SettingScope(folder: "/", databases: ["odds"])
    let problems = OddsRetentionSettings.read(node, owner: origin, in: scope).problems
    #expect(problems.map(\.code) == [code])
  }

  @Test func leavesOutWhatOlderSchemasLack() async throws {
    let fixture = try await OddsFixture(without: ["market_odds_current", "market_odds_history", "cleanup_runs"])
    try await fixture.execute(Self.event(1, kickoff: "2026-11-30 12:00:00"))
    try await fixture.execute(Self.snapshot(1, event: 1, at: "2026-10-01", confirmed: "'2026-11-19'"))
    try await fixture.execute(["ALTER TABLE odds_snapshots DROP COLUMN last_confirmed_at"])
    let preview = try await fixture.preview(fixture.settings())
    let run = try await fixture.run(fixture.settings())
    #expect(run.counts == preview.counts)
    #expect(run.counts["odds_deleted"] == 1)
    #expect(
      run.warnings == [
        "odds_snapshots has no column last_confirmed_at; snapshots go by captured_at alone",
        "the database has no table market_odds_history; its step is left out",
        "the database has no table market_odds_current; current odds of removed matches are left out",
      ])
  }

  @Test func keepsEmptyTournamentsWhereToldSo() async throws {
    let fixture = try await fixture(["INSERT INTO tournaments VALUES (1, 1, 'T', 'Latvia', NULL)"])
    _ = try await fixture.run(fixture.settings(14, 14, .keep))
    #expect(try await fixture.text("SELECT id FROM tournaments") == "1")
    _ = try await fixture.run(fixture.settings())
    #expect(try await fixture.text("SELECT id FROM tournaments") == "")
  }

  @Test func writesTheApplicationsOwnRecordOnceItIsDone() async throws {
    let fixture = try await fixture(
      Self.event(1, kickoff: "2026-11-30 12:00:00"), Self.snapshot(1, event: 1, at: "2026-10-02 12:00:00"))
    _ = try await fixture.preview(fixture.settings(14, 30))
    #expect(try await fixture.text("SELECT count(*) FROM cleanup_runs") == "0")
    let run = try await fixture.run(fixture.settings(14, 30))
    let row = try await fixture.rows(
      """
      SELECT trigger, odds_retention_days, match_retention_days, odds_deleted, events_deleted, oldest_odds_date,
        oldest_match_date, status, error_message, started_at FROM cleanup_runs
      """)
    #expect(
      row == [
        [
          .text("manual"), .integer(14), .integer(30), .integer(1), .integer(0), .text("2026-10-02 12:00:00"), .null,
          .text("completed"), .null, .text("2026-11-20 12:00:00"),
        ]
      ])
    let oldest = JSONValue.string("2026-10-02T12:00:00.000Z")
    let entry = JSONValue.object(["kind": .string("date"), "name": .string("oldest_odds_date"), "value": oldest])
    #expect(run.details.contains(entry))
  }

  @Test func recordsACancelledRunAsFailedWithWhatItCommitted() async throws {
    let fixture = try await OddsFixture(snapshots: 6000)
    let context = fixture.context(.run)
    let settings = fixture.settings(1, 1)
    let run = Task { try await OddsRetentionTask().run(settings, in: context) }
    while (context.journal.current.counts["odds_deleted"] ?? 0) == 0 { await Task.yield() }
    run.cancel()
    await #expect(throws: CancellationError.self) { try await run.value }
    let deleted = context.journal.current.counts["odds_deleted"] ?? -1
    #expect(
      try await fixture.rows("SELECT status, odds_deleted FROM cleanup_runs") == [
        [.text("failed"), .integer(Int64(deleted))]
      ])
    #expect(try await fixture.rows("PRAGMA foreign_key_check").isEmpty)
    #expect(
      try await fixture.text(
        "SELECT count(*) FROM market_odds WHERE snapshot_id NOT IN (SELECT id FROM odds_snapshots)") == "0")
  }

  @Test func describesWhatItWatchesOver() async throws {
    let fixture = try await OddsFixture(snapshots: 500)
    let statistics = try await OddsRetentionTask().statistics(fixture.settings(), in: fixture.context(.preview))
    #expect(
      statistics.items.map(\.name) == [
        "odds_snapshots", "competitor_odds_snapshots", "events", "competitor_events", "tournaments",
        "competitor_tournaments", "scrape_runs", "scrape_batches",
      ])
    #expect(statistics.items[0].count == 500)
    let bounds = try await fixture.rows(
      "SELECT min(upkeep_instant(captured_at)), max(upkeep_instant(captured_at)) FROM odds_snapshots")[0]
    #expect(statistics.items[0].oldest?.microseconds == bounds[0].integer)
    #expect(statistics.items[0].newest?.microseconds == bounds[1].integer)
  }
}
