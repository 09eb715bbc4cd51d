import DatabaseFixture
import Foundation
import ScrapingPlugin
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo
import UpkeepTestKit

/// Scrapes of three platforms on the loopback interface, on both engines.
@Suite struct ScrapeTests {
  /// 1,000 matches where there is time, fewer where the whole suite has to be quick.
  private static let many = ProcessInfo.processInfo.environment["UPKEEP_SOAK"] == nil ? 120 : 1000
  private static let later = ScrapeFixture.now + .seconds(300)

  private static func server(_ events: Int, tournaments: Int = 6) -> StandInPlatforms {
    StandInPlatforms(
      StandInOdds(events: events, tournaments: tournaments, firstKickoff: ScrapeFixture.now + .seconds(3600)))
  }

  private static let odds = [
    "odds_snapshots", "market_odds", "competitor_odds_snapshots", "competitor_market_odds", "events",
    "competitor_events", "event_bookmakers", "tournaments", "competitor_tournaments", "market_odds_current",
    "market_odds_history",
  ]

  @Test(arguments: [DatabaseEngine.sqlite, .postgres])
  func storesEachMatchOnceAndItsOddsWhereTheyMoved(engine: DatabaseEngine) async throws {
    let fixture = try await ScrapeFixture.make(engine)
    let server = Self.server(Self.many)
    let many = Int64(Self.many)
    try await server.serve { () async throws in
      let settings = fixture.settings(server)
      let (first, error) = await fixture.scrape(settings)
      #expect(error == nil)
      #expect(first.errors.map(\.message) == [])
      #expect(first.counts["events_found"] == Self.many * 3)
      #expect(first.counts["events_scraped"] == Self.many * 3)
      #expect(first.counts["snapshots_written"] == Self.many * 3)
      #expect(try await fixture.count("events") == many)
      #expect(try await fixture.count("competitor_events") == 2 * many)
      let unlinked = """
        SELECT count(*) FROM competitor_events c LEFT JOIN events e
        ON e.id = c.betpawa_event_id AND e.sportradar_id = c.sportradar_id WHERE e.id IS NULL
        """
      #expect(try await fixture.rows(unlinked) == [[0]])
      #expect(try await fixture.count("event_bookmakers") == 3 * many)
      #expect(try await fixture.count("tournaments") == 6)
      #expect(try await fixture.count("competitor_tournaments") == 12)
      #expect(try await fixture.count("odds_snapshots") == many)
      #expect(try await fixture.count("market_odds") == 6 * many)
      #expect(try await fixture.count("competitor_market_odds") == 12 * many)
      #expect(try await fixture.count("market_odds_current") == 18 * many)
      #expect(try await fixture.count("market_odds_history") == 18 * many)

      // Nothing has moved: the newest snapshots are confirmed, and not a value beside that changes.
      let before = try await fixture.contents(Self.odds)
      let (second, _) = await fixture.scrape(settings, now: Self.later)
      #expect(second.counts["snapshots_written"] == 0)
      #expect(second.counts["snapshots_confirmed"] == Self.many * 3)
      let confirmed = try await fixture.contents(Self.odds)
      for table in Self.odds {
        let isConfirmed = ["odds_snapshots", "competitor_odds_snapshots", "market_odds_current"].contains(table)
        let (old, new) = (before[table] ?? [], confirmed[table] ?? [])
        #expect(old.count == new.count, "\(table)")
        // last_confirmed_at is the last column of each of these tables.
        #expect(
          old.map { $0.dropLast(isConfirmed ? 1 : 0) } == new.map { $0.dropLast(isConfirmed ? 1 : 0) }, "\(table)")
        if isConfirmed { #expect(new.allSatisfy { Timestamp(text: $0.last?.text ?? "") == Self.later }, "\(table)") }
      }

      // Every tenth match moves: exactly those get a snapshot, of each platform.
      server.moveOdds(ofEvery: 10)
      let moved = (Self.many + 9) / 10
      let (third, _) = await fixture.scrape(settings, now: Self.later + .seconds(300))
      #expect(third.counts["snapshots_written"] == 3 * moved)
      #expect(third.counts["snapshots_confirmed"] == 3 * (Self.many - moved))
      let which = try await fixture.rows(
        """
        SELECT e.sportradar_id FROM odds_snapshots s JOIN events e ON e.id = s.event_id
        GROUP BY e.sportradar_id HAVING count(*) = 2 ORDER BY e.sportradar_id
        """)
      #expect(which.map { $0[0].text } == stride(from: 0, to: Self.many, by: 10).map { "\(60_000_001 + $0)" })
      #expect(try await fixture.count("market_odds_current") == 18 * many)
      #expect(try await fixture.count("market_odds_history") == 18 * many + 18 * Int64(moved))
      #expect(try await fixture.count("scrape_runs", where: "status = 'completed'") == 3)
      #expect(try await fixture.count("scrape_errors") == 0)
    }
  }

  @Test(arguments: [DatabaseEngine.sqlite, .postgres])
  func writesOddsAsTheApplicationReadsThem(engine: DatabaseEngine) async throws {
    let fixture = try await ScrapeFixture.make(engine)
    let server = Self.server(1, tournaments: 1)
    try await server.serve { () async throws in
      _ = await fixture.scrape(fixture.settings(server))
      let run = try await fixture.rows(
        """
        SELECT status, events_scraped, events_failed, trigger, started_at, completed_at, current_phase FROM scrape_runs
        """)
      #expect(run.first?[0] == "completed")
      #expect(run.first.map { Array($0[1...3]) } == [3, 0, "manual"])
      #expect(run.first?[5].text.flatMap { Timestamp(text: $0) } == ScrapeFixture.now)
      #expect(run.first?[6] == .null)
      let event = try await fixture.rows(
        "SELECT name, home_team, away_team, sportradar_id, kickoff FROM events")
      #expect(
        event.first.map { Array($0[0...3]) } == [
          "Riga United - Nairobi Rovers", "Riga United", "Nairobi Rovers", "60000001",
        ])
      #expect(event.first?[4].text.flatMap { Timestamp(text: $0) } == ScrapeFixture.now + .seconds(3600))
      let rivals = try await fixture.rows(
        "SELECT source, external_id, sportradar_id FROM competitor_events ORDER BY source")
      #expect(rivals == [["bet9ja", "70000000", "60000001"], ["sportybet", "sr:match:60000001", "60000001"]])
      for table in ["market_odds", "competitor_market_odds"] {
        let markets = try await fixture.rows(
          "SELECT DISTINCT betpawa_market_id, line FROM \(table) ORDER BY betpawa_market_id, line")
        #expect(
          markets == [
            ["3743", .null], ["3795", .null], ["4693", .null], ["5000", .real(1.5)], ["5000", .real(2.5)],
            ["5000", .real(3.5)],
          ], "\(table)")
        let outcomes = try await fixture.rows("SELECT outcomes FROM \(table) WHERE betpawa_market_id = '4693'")
        for row in outcomes {
          let values = try JSONDecoder().decode([Outcome].self, from: Data((row[0].text ?? "").utf8))
          #expect(values.map(\.name) == ["12", "1X", "X2"])
          #expect(values.allSatisfy { $0.odds > 1 && $0.is_active })
        }
      }
    }
  }

  private struct Outcome: Decodable {
    var name: String
    var odds: Double
    var is_active: Bool
  }

  @Test func previewsWhatARunWouldAskForAndStoresNothing() async throws {
    let fixture = try await ScrapeFixture.make(.sqlite)
    let server = Self.server(250, tournaments: 2)
    try await server.serve { () async throws in
      var settings = fixture.settings(server)
      settings.platforms["bet9ja"].isEnabled = false
      let tables = OddsSchema.tableNames
      let before = try await fixture.contents(tables)
      let context = fixture.context(.preview)
      try await ScrapingTask().preview(settings, in: context)
      let found = context.journal.current
      #expect(found.counts["events_found"] == 500)
      #expect(found.counts["betpawa_events"] == 250)
      #expect(found.counts["bet9ja_events"] == nil)
      #expect(try await fixture.contents(tables) == before)
      // Two tournaments of 125 matches are two pages each, and one list of tournaments.
      #expect(server.requests(to: "betpawa") == 5)
      #expect(server.requests(to: "sportybet") == 3)
      #expect(server.requests(to: "bet9ja") == 0)
      guard case .object(let detail) = found.details.first else {
        Issue.record("no details")
        return
      }
      #expect(detail["platform"] == "betpawa")
      #expect(detail["tournaments"] == .integer(2))
      #expect(detail["next_kickoff"] == .string("2026-11-20T13:00:00.000Z"))
    }
  }

  @Test func takesTheNearestKickoffsWhereNotAllAreWanted() async throws {
    let fixture = try await ScrapeFixture.make(.sqlite)
    let server = Self.server(30)
    try await server.serve { () async throws in
      var settings = fixture.settings(server)
      settings.maxEvents = 4
      let (contents, _) = await fixture.scrape(settings)
      #expect(contents.counts["events_scraped"] == 12)
      let ids = try await fixture.rows("SELECT sportradar_id FROM events ORDER BY sportradar_id")
      #expect(ids.map { $0[0].text } == ["60000001", "60000002", "60000003", "60000004"])
    }
  }

  @Test(arguments: [DatabaseEngine.sqlite, .postgres])
  func linksACompetitorsMatchThatBetPawaListsLater(engine: DatabaseEngine) async throws {
    let fixture = try await ScrapeFixture.make(engine)
    let server = Self.server(6, tournaments: 2)
    try await server.serve { () async throws in
      server.hide([2], on: "betpawa")
      _ = await fixture.scrape(fixture.settings(server))
      #expect(try await fixture.count("events") == 5)
      #expect(try await fixture.count("competitor_events", where: "betpawa_event_id IS NULL") == 2)
      #expect(try await fixture.count("market_odds_current") == 5 * 18)
      server.hide([], on: "betpawa")
      let (contents, _) = await fixture.scrape(fixture.settings(server), now: Self.later)
      #expect(contents.counts["snapshots_written"] == 1)
      #expect(try await fixture.count("competitor_events", where: "betpawa_event_id IS NULL") == 0)
      #expect(try await fixture.count("event_bookmakers") == 18)
      #expect(try await fixture.count("market_odds_current") == 6 * 18)
    }
  }

  @Test(arguments: [DatabaseEngine.sqlite, .postgres])
  func marksWhatAPlatformNoLongerHas(engine: DatabaseEngine) async throws {
    let fixture = try await ScrapeFixture.make(engine)
    let server = Self.server(6, tournaments: 2)
    try await server.serve { () async throws in
      _ = await fixture.scrape(fixture.settings(server))
      // One isn't listed any more, one is listed and gone.
      for name in StandInPlatforms.names {
        server.hide([1], on: name)
        server.lose([3], on: name)
      }
      let (contents, error) = await fixture.scrape(fixture.settings(server), now: Self.later)
      #expect(error == nil)
      #expect(contents.errors.isEmpty)
      #expect(contents.counts["events_gone"] == 6)
      #expect(contents.counts["events_failed"] == 0)
      #expect(try await fixture.count("market_odds", where: "unavailable_at IS NOT NULL") == 12)
      #expect(try await fixture.count("competitor_market_odds", where: "unavailable_at IS NOT NULL") == 24)
      #expect(try await fixture.count("market_odds_current", where: "unavailable_at IS NOT NULL") == 36)
      #expect(try await fixture.count("scrape_runs", where: "status = 'completed'") == 2)
      // Back again: their odds are in force again, in a new snapshot.
      for name in StandInPlatforms.names {
        server.hide([], on: name)
        server.lose([], on: name)
      }
      let (back, _) = await fixture.scrape(fixture.settings(server), now: Self.later + .seconds(300))
      #expect(back.counts["snapshots_written"] == 6)
      #expect(try await fixture.count("market_odds_current", where: "unavailable_at IS NOT NULL") == 0)
    }
  }

  @Test(arguments: [DatabaseEngine.sqlite, .postgres])
  func worksOnADatabaseWithoutTheNewerTables(engine: DatabaseEngine) async throws {
    let fixture = try await ScrapeFixture.make(engine, without: ["market_odds_current", "market_odds_history"])
    let server = Self.server(3, tournaments: 1)
    try await server.serve { () async throws in
      let (contents, error) = await fixture.scrape(fixture.settings(server))
      #expect(error == nil)
      #expect(contents.counts["events_scraped"] == 9)
      #expect(
        contents.warnings == [
          "the database has no table market_odds_current; it is left out",
          "the database has no table market_odds_history; it is left out",
        ])
    }
  }

  @Test func makesTheMissingPartitionOfTheHistory() async throws {
    let fixture = try await ScrapeFixture.make(.postgres)
    let server = Self.server(2, tournaments: 1)
    try await server.serve { () async throws in
      let spring = Timestamp(CivilTime(year: 2027, month: 4, day: 30, hour: 23))
      let (contents, _) = await fixture.scrape(fixture.settings(server), now: spring)
      #expect(contents.warnings == [])
      #expect(try await fixture.count("market_odds_history_2027_04") == 36)
    }
  }

  @Test(arguments: [DatabaseEngine.sqlite, .postgres])
  func closesTheRunOfAKilledProcessAndNobodyElses(engine: DatabaseEngine) async throws {
    let fixture = try await ScrapeFixture.make(engine)
    try await fixture.execute([
      """
      INSERT INTO scrape_runs(status, started_at, platform_status, events_scraped, events_failed)
      VALUES ('running', '2026-11-20 11:00:00', '{"betpawa":"scraping","upkeep_run":"01K"}', 0, 0)
      """,
      """
      INSERT INTO scrape_runs(status, started_at, platform_status, events_scraped, events_failed)
      VALUES ('running', '2026-11-20 11:00:00', '{"betpawa":"scraping"}', 0, 0)
      """,
    ])
    let server = Self.server(1, tournaments: 1)
    try await server.serve { () async throws in
      _ = await fixture.scrape(fixture.settings(server))
      let runs = try await fixture.rows("SELECT status FROM scrape_runs ORDER BY id")
      #expect(runs == [["failed"], ["running"], ["completed"]])
      let errors = try await fixture.rows("SELECT scrape_run_id, error_type, bookmaker_id FROM scrape_errors")
      #expect(errors == [[1, "interrupted", .null]])
    }
  }

  @Test func countsWhatIsStoredOfEachPlatform() async throws {
    for engine in [DatabaseEngine.sqlite, .postgres] {
      let fixture = try await ScrapeFixture.make(engine)
      let server = Self.server(4, tournaments: 2)
      try await server.serve { () async throws in
        _ = await fixture.scrape(fixture.settings(server))
        let statistics = try await ScrapingTask().statistics(fixture.settings(server), in: fixture.context(.preview))
        #expect(
          statistics.items.map(\.name) == StandInPlatforms.names.flatMap { ["\($0) events", "\($0) snapshots"] })
        #expect(statistics.items.allSatisfy { $0.count == 4 })
        #expect(
          statistics.items.filter { $0.name.hasSuffix("snapshots") }.allSatisfy { $0.newest == ScrapeFixture.now })
      }
    }
  }

  @Test func saysWhichTableIsMissing() async throws {
    let fixture = try await ScrapeFixture.make(.sqlite, without: ["scrape_errors"])
    let (_, error) = await fixture.scrape(ScrapingSettings())
    #expect(
      (error as? TaskError)?.description
        == "database odds, table scrape_errors: there is no such table; name the odds application's database, or let "
        + "the application make its tables first")
  }
}
