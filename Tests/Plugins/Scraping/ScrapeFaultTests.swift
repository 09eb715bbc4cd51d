import DatabaseFixture
import ScrapingPlugin
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo
import UpkeepFetch

/// What a platform does wrong harms nobody but itself.
@Suite struct ScrapeFaultTests {
  private static let events = 12

  private static func server() -> StandInPlatforms {
    StandInPlatforms(
      StandInOdds(events: events, tournaments: 2, firstKickoff: ScrapeFixture.now + .seconds(3600)))
  }

  /// Settings under which faults don't take long.
  private static func settings(_ fixture: ScrapeFixture, _ server: StandInPlatforms) -> ScrapingSettings {
    var settings = fixture.settings(server)
    settings.attempts = 2
    settings.maxResponse = 1 << 16
    for name in StandInPlatforms.names {
      settings.platforms[name].concurrency = 4
      settings.platforms[name].discoveryConcurrency = 2
    }
    return settings
  }

  /// What the address of a single event contains.
  private static let single = ["betpawa": "/v3/events/3", "sportybet": "factsCenter/event?", "bet9ja": "/GetEvent?"]
  /// What that of the list of tournaments contains.
  private static let lists = [
    "betpawa": "categories/list", "sportybet": "popularAndSportList", "bet9ja": "/GetSports",
  ]

  /// What an error of a fault is called.
  private static let codes: [StandInFault.Kind: Set<String>] = [
    .slow: ["fetch_timeout"], .cutOff: ["fetch_failed"], .refused: ["fetch_refused"], .tooMany: ["fetch_status"],
    .broken: ["fetch_status"], .wrongShape: ["unexpected_shape"], .huge: ["fetch_too_large"],
    .wrongLength: ["unexpected_shape", "fetch_failed"], .movedAway: ["fetch_redirect"],
  ]

  @Test(arguments: StandInFault.Kind.allCases.filter { $0 != .moved }, StandInPlatforms.names)
  func failsTheEventsOfOnePlatformAlone(kind: StandInFault.Kind, platform: String) async throws {
    let fixture = try await ScrapeFixture.make(.sqlite)
    let server = Self.server()
    try await server.serve { () async throws in
      server.setFaults([StandInFault(kind, on: .event)], of: platform)
      let settings = Self.settings(fixture, server)
      if kind == .slow { fixture.giveNoTime(to: Self.single[platform] ?? "?") }
      let (contents, error) = await fixture.scrape(settings)
      #expect(error == nil)
      #expect(contents.counts["events_scraped"] == 2 * Self.events)
      #expect(contents.counts["events_failed"] == Self.events)
      #expect(contents.errors.count == 1)
      #expect(contents.errors.first?.step == "\(platform) events")
      #expect(Self.codes[kind]?.contains(contents.errors.first?.code ?? "") ?? false, "\(contents.errors)")
      #expect(contents.errors.first?.message.contains("12 of 12 events failed, the first: ") ?? false)
      let runs = try await fixture.rows("SELECT status, events_scraped, events_failed FROM scrape_runs")
      #expect(runs == [["partial", 24, 12]])
      let rows = try await fixture.rows(
        """
        SELECT b.slug, count(*) FROM scrape_errors x JOIN bookmakers b ON b.id = x.bookmaker_id GROUP BY b.slug
        """)
      #expect(rows == [[.text(platform), 12]])
      #expect(try await fixture.count("odds_snapshots") == (platform == "betpawa" ? 0 : 12))
      #expect(try await fixture.count("competitor_odds_snapshots") == (platform == "betpawa" ? 24 : 12))
      #expect(
        try await fixture.count("competitor_events", where: "source = '\(platform)'") == 0)
    }
  }

  @Test(arguments: StandInFault.Kind.allCases.filter { $0 != .moved }, StandInPlatforms.names)
  func takesAFailedDiscoveryForNoAnswerAndNotForNoEvents(kind: StandInFault.Kind, platform: String) async throws {
    let fixture = try await ScrapeFixture.make(.sqlite)
    let server = Self.server()
    try await server.serve { () async throws in
      let settings = Self.settings(fixture, server)
      _ = await fixture.scrape(settings)
      let tables = ["market_odds", "competitor_market_odds", "market_odds_current"]
      server.setFaults([StandInFault(kind, on: .tournaments)], of: platform)
      if kind == .slow { fixture.giveNoTime(to: Self.lists[platform] ?? "?") }
      let (contents, error) = await fixture.scrape(settings, now: ScrapeFixture.now + .seconds(300))
      #expect(error == nil)
      #expect(contents.errors.map(\.step) == ["\(platform) discovery"])
      #expect(Self.codes[kind]?.contains(contents.errors.first?.code ?? "") ?? false, "\(contents.errors)")
      #expect(contents.counts["events_scraped"] == 2 * Self.events)
      #expect(contents.counts["events_failed"] == 0)
      #expect(contents.counts["events_gone"] == 0)
      for table in tables { #expect(try await fixture.count(table, where: "unavailable_at IS NOT NULL") == 0) }
      let run = try await fixture.rows("SELECT status, events_scraped, events_failed FROM scrape_runs WHERE id = 2")
      #expect(run == [["partial", 24, 0]])
      let rows = try await fixture.rows(
        "SELECT b.slug, x.event_id FROM scrape_errors x JOIN bookmakers b ON b.id = x.bookmaker_id")
      #expect(rows == [[.text(platform), .null]])
    }
  }

  @Test(arguments: StandInPlatforms.names)
  func knowsNothingOfATournamentThatCouldNotBeListed(platform: String) async throws {
    let fixture = try await ScrapeFixture.make(.sqlite)
    let server = Self.server()
    try await server.serve { () async throws in
      let settings = Self.settings(fixture, server)
      _ = await fixture.scrape(settings)
      server.setFaults([StandInFault(.wrongShape, on: .events, times: 1)], of: platform)
      let (contents, _) = await fixture.scrape(settings, now: ScrapeFixture.now + .seconds(300))
      #expect(contents.errors.map(\.step) == ["\(platform) discovery"])
      #expect(contents.counts["\(platform)_events"] == 6)
      #expect(contents.counts["events_scraped"] == 30)
      #expect(try await fixture.count("market_odds_current", where: "unavailable_at IS NOT NULL") == 0)
    }
  }

  @Test func failsWhereNothingOfAnyPlatformCouldBeHad() async throws {
    let fixture = try await ScrapeFixture.make(.sqlite)
    let server = Self.server()
    try await server.serve { () async throws in
      for name in StandInPlatforms.names { server.setFaults([StandInFault(.broken, on: .all)], of: name) }
      let (contents, error) = await fixture.scrape(Self.settings(fixture, server))
      #expect((error as? TaskError)?.code == "scrape_failed")
      #expect(contents.errors.count == 3)
      #expect(try await fixture.rows("SELECT status, events_scraped FROM scrape_runs") == [["failed", 0]])
    }
  }

  @Test(arguments: [StandInFault.Kind.broken, .tooMany, .cutOff], StandInPlatforms.names)
  func triesAgainWhatMayWorkTheNextTime(kind: StandInFault.Kind, platform: String) async throws {
    let fixture = try await ScrapeFixture.make(.sqlite)
    let server = Self.server()
    try await server.serve { () async throws in
      let faults = [StandInFault.Scope.tournaments, .events, .event].map { StandInFault(kind, on: $0, times: 1) }
      server.setFaults(faults, of: platform)
      let (contents, error) = await fixture.scrape(Self.settings(fixture, server))
      #expect(error == nil)
      #expect(contents.errors.isEmpty)
      #expect(contents.counts["events_scraped"] == 3 * Self.events)
    }
  }

  @Test(arguments: StandInPlatforms.names)
  func followsTheSameSiteAlone(platform: String) async throws {
    let fixture = try await ScrapeFixture.make(.sqlite)
    let server = Self.server()
    try await server.serve { () async throws in
      server.setFaults([StandInFault(.moved, on: .event)], of: platform)
      let (contents, _) = await fixture.scrape(Self.settings(fixture, server))
      #expect(contents.errors.isEmpty)
      #expect(contents.counts["events_scraped"] == 3 * Self.events)
    }
  }

  @Test(arguments: StandInPlatforms.names)
  func leavesAPlatformAloneThatRefusesAndSaysSo(platform: String) async throws {
    let fixture = try await ScrapeFixture.make(.sqlite)
    let server = Self.server()
    try await server.serve { () async throws in
      server.setFaults([StandInFault(.refused, on: .event)], of: platform)
      var settings = Self.settings(fixture, server)
      settings.platforms[platform].concurrency = 1
      let (contents, _) = await fixture.scrape(settings)
      let asked = server.requests(to: platform)
      // The list of tournaments, two lists of events, and one event.
      #expect(asked == 4)
      let detail = contents.details.compactMap { detail -> [String: JSONValue]? in
        guard case .object(let values) = detail, values["platform"] == .string(platform) else { return nil }
        return values
      }
      guard case .object(let circuit) = detail.first?["circuit"] else {
        Issue.record("no circuit in \(contents.details)")
        return
      }
      #expect(circuit["state"] == "open")
      #expect(circuit["reason"] == "it answered 403, refused")
      // The next run doesn't ask it either, within the time.
      let (next, _) = await fixture.scrape(settings, now: ScrapeFixture.now + .seconds(60))
      #expect(server.requests(to: platform) == asked)
      #expect(next.errors.map(\.code) == ["circuit_open"])
      #expect(next.counts["events_scraped"] == 2 * Self.events)
      server.setFaults([], of: platform)
      let (after, _) = await fixture.scrape(settings, now: ScrapeFixture.now + .seconds(300))
      #expect(after.errors.isEmpty)
      #expect(after.counts["events_scraped"] == 3 * Self.events)
    }
  }
}
