import Foundation
import PostgresCluster
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo
import UpkeepTestKit

/// The program's scrapes: what it asks, what a kill leaves, and how it goes beside retention.
@Suite struct ScrapeProgramTests {
  private static func server(_ events: Int) -> StandInPlatforms {
    StandInPlatforms(
      StandInOdds(events: events, tournaments: 2, firstKickoff: SystemWallClock().now() + .seconds(86_400)))
  }

  private static func yaml(_ server: StandInPlatforms, database: String = "sqlite: odds.sqlite", more: String = "")
    -> String
  {
    let platforms = StandInPlatforms.names.map { "        \($0): { base_url: \"\(server.url($0))\", delay: 0s }" }
    return """
      version: 1
      host: { listen: "127.0.0.1:0" }
      databases:
        odds: { \(database) }
      tasks:
        scraping:
          \(more)
          settings:
            database: odds
            platforms:
      \(platforms.map { "    \($0)" }.joined(separator: "\n"))

      """
  }

  private func makeTables(_ place: Workplace) async throws -> SQLiteDatabase {
    let database = SQLiteDatabase(name: "odds", path: place.path("odds.sqlite"), mayCreate: true)
    let session = try await database.open(.write(.normal), purpose: "test")
    try await session.perform { connection in
      for statement in ["PRAGMA journal_mode = WAL"] + OddsSchema.statements { _ = try connection.rows(statement) }
    }
    await session.close()
    return database
  }

  private func rows(_ database: any Database, _ sql: String) async throws -> [[DatabaseValue]] {
    let session = try await database.open(.read, purpose: "test")
    let rows = try await session.perform { try $0.rows(sql) }
    await session.close()
    return rows
  }

  /// Every request that isn't to this machine goes through the proxy of the environment, and so into a trap: the demo
  /// leaves none there. That the trap works is shown by a scrape of the real addresses, which comes no further.
  @Test func neverAsksAnOutsideAddressInTheDemo() async throws {
    let trap = try StubServer.json("no", status: "403 Forbidden")
    let proxies = ["HTTPS_PROXY": trap.url(), "HTTP_PROXY": trap.url(), "NO_PROXY": "", "no_proxy": ""]
    let place = try Workplace()
    let demo = try await Program.run(["demo", "demo", "--scale", "0.02"], in: place.folder, environment: proxies)
    #expect(demo.status == 0, "\(demo.errors)")
    #expect(demo.output.contains("scraping: preview completed in "))
    #expect(demo.output.contains("scraping: completed in "))
    #expect(demo.output.contains("events_scraped: 360"))
    #expect(demo.output.contains("odds_retention: completed in "))
    #expect(trap.requests == [])

    let other = try Workplace(
      "version: 1\ndatabases: { odds: { sqlite: odds.sqlite } }\ntasks:\n  scraping: { settings: { database: odds, attempts: 1 } }\n"
    )
    _ = try await makeTables(other)
    let outcome = try await other.run("run", "scraping", environment: proxies)
    #expect(outcome.status == 1)
    let hosts = Set(trap.requests.compactMap { $0.split(separator: " ").dropFirst().first.map(String.init) })
    #expect(hosts == ["www.betpawa.ng:443", "www.sportybet.com:443", "sports.bet9ja.com:443"])
    #expect(trap.requests.allSatisfy { $0.hasPrefix("CONNECT ") })
  }

  @Test func saysAllThatIsWrongWithAPlatformAtOnce() async throws {
    let place = try Workplace(
      """
      version: 1
      databases: { odds: { sqlite: odds.sqlite } }
      tasks:
        scraping:
          settings:
            database: odds
            platforms: { bet9ja: { base_url: "ftp://x", concurrency: 0 }, betpawo: {} }

      """)
    let outcome = try await place.run("validate")
    #expect(outcome.status == 4)
    for problem in [
      "upkeep.yaml:7:40: error: platforms: bet9ja.base_url: expected scheme and host, such as https://www.example.org, "
        + "found \"ftp://x\" [bad_url]",
      "upkeep.yaml:7:64: error: platforms: bet9ja.concurrency: expected at least 1, found 0 [out_of_range]",
      "upkeep.yaml:7:69: error: platforms: unknown platform betpawo; did you mean betpawa? [unknown_platform]",
    ] { #expect(outcome.errors.contains(problem), "\(outcome.errors)") }
  }

  @Test func answersForThePlatformsAsLongAsItIsWanted() async throws {
    // A port that was free a moment ago.
    let port = try StubServer.json("{}").port
    let place = try Workplace()
    let server = try place.start(
      ["demo", "demo", "--scale", "0.001", "--platforms", "\(port)", "--matches", "7"])
    _ = try await server.waitForError(containing: "until this is stopped")
    let outcome = try await place.run(
      "run", "scraping", "--json", environment: ["UPKEEP_CONFIG": "demo/upkeep.yaml"])
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    #expect(try (outcome.json()["counts"] as? [String: Int])?["events_scraped"] == 21)
    server.signal(SIGTERM)
    #expect(await server.outcome().status == 143)
    // In a demo that is there it answers as well, and makes nothing anew.
    let before = try place.bytes("demo/upkeep.yaml")
    let again = try place.start(["demo", "demo", "--platforms", "\(port)", "--matches", "7"])
    _ = try await again.waitForError(containing: "until this is stopped")
    again.signal(SIGTERM)
    let end = await again.outcome()
    #expect(end.status == 143)
    #expect(!end.errors.contains("Making"))
    #expect(try place.bytes("demo/upkeep.yaml") == before)
  }

  @Test func leavesNoHalfEventAndNoRunningRunWhenKilled() async throws {
    let server = Self.server(200)
    try await server.serve { () async throws in
      server.setFaults([StandInFault(.slow, on: .event)], of: "betpawa")
      let place = try Workplace(Self.yaml(server))
      let database = try await makeTables(place)
      let program = try place.start(["run", "scraping", "--quiet"])
      while try await rows(database, "SELECT count(*) FROM competitor_odds_snapshots") == [[0]] {}
      program.signal(SIGKILL)
      #expect(await program.outcome().status == 137)
      #expect(try await rows(database, "SELECT status FROM scrape_runs") == [["running"]])
      let halves = """
        SELECT count(*) FROM competitor_odds_snapshots s
        WHERE (SELECT count(*) FROM competitor_market_odds m WHERE m.snapshot_id = s.id) <> 6
        """
      #expect(try await rows(database, halves) == [[0]])
      #expect(try await rows(database, "PRAGMA foreign_key_check").isEmpty)
      server.setFaults([], of: "betpawa")
      let next = try await place.run("run", "scraping", "--json")
      #expect(next.status == 0, "\(next.output)\(next.errors)")
      let counts = try #require(try next.json()["counts"] as? [String: Int])
      #expect(counts["events_scraped"] == 600)
      #expect(try await rows(database, "SELECT status FROM scrape_runs ORDER BY id") == [["failed"], ["completed"]])
      #expect(try await rows(database, "SELECT count(*) FROM events") == [[200]])
      #expect(
        try await rows(database, "SELECT count(*) FROM competitor_events WHERE betpawa_event_id IS NULL") == [[0]])
    }
  }

  @Test func recordsWhyItWasStopped() async throws {
    let server = Self.server(20)
    try await server.serve { () async throws in
      server.setFaults([StandInFault(.slow, on: .event)], of: "betpawa")
      let place = try Workplace(Self.yaml(server))
      let database = try await makeTables(place)
      let program = try place.start(["run", "scraping", "--json"])
      while try await rows(database, "SELECT count(*) FROM competitor_odds_snapshots") != [[40]] {}
      program.signal(SIGTERM)
      let outcome = await program.outcome()
      #expect(outcome.status == 143)
      #expect(
        try outcome.json()["status"] as? String == "interrupted" || outcome.json()["status"] as? String == "cancelled")
      #expect(try await rows(database, "SELECT status, events_scraped FROM scrape_runs") == [["failed", 40]])
      #expect(
        try await rows(database, "SELECT error_type, error_message FROM scrape_errors") == [
          ["interrupted", "the run was told to stop before it had finished"]
        ])
    }
  }

  @Test(arguments: [DatabaseEngine.sqlite, .postgres])
  func takesTurnsWithRetention(engine: DatabaseEngine) async throws {
    let minutes = ProcessInfo.processInfo.environment["UPKEEP_SOAK"] == nil ? 1 : 10
    let server = Self.server(40)
    try await server.serve { () async throws in
      let place = try Workplace()
      let file = try await makeTables(place)
      var (database, address): (any Database, String) = (file, "sqlite: odds.sqlite")
      if engine == .postgres {
        let made = try await PostgresCluster.shared().makeDatabase()
        try await ServerSample.odds(now: SystemWallClock().now()).copy(file.path, to: made)
        let name = try await rows(made, "SELECT current_database()").first?[0].text ?? ""
        database = made
        address = "postgres: \"\(try PostgresCluster.shared().url(name))\""
      }
      let retention = """
          odds_retention:
            interval: 1s
            concurrency: { exclusive_with: [scraping] }
            guard: none
            settings: { database: odds, odds_keep: 1h, match_keep: 1h }

        """
      try place.write(
        Self.yaml(server, database: address, more: "interval: 1s") + retention, to: "upkeep.yaml")
      let program = try place.start(["serve"])
      let elapsed = ContinuousClock().stopwatch()
      while elapsed() < .seconds(60 * minutes) {
        _ = try await program.waitForError(containing: " completed ")
        server.moveOdds(ofEvery: 3)
      }
      program.signal(SIGINT)
      let outcome = await program.outcome()
      #expect(outcome.status == 0, "\(outcome.errors)")
      let runs = try await place.recordedRuns()
      // A slot that came while the other ran, or later than its grace, says so.
      #expect(Set(runs.map(\.status)).isSubset(of: ["completed", "skipped", "missed"]))
      for task in ["scraping", "odds_retention"] {
        let slots = runs.filter { $0.task == task && $0.slots > 0 }.sorted { $0.firstSlot < $1.firstSlot }
        #expect(slots.count >= 10 * minutes)
        for (one, next) in zip(slots, slots.dropFirst()) { #expect(next.firstSlot == one.lastSlot + 1_000_000) }
      }
      let worked = runs.filter { $0.status == "completed" }
      #expect(Set(worked.map(\.task)) == ["scraping", "odds_retention"])
      let spans = worked.compactMap { run -> (start: Timestamp, end: Timestamp)? in
        guard let start = Timestamp(text: run.started), let end = Timestamp(text: run.finished) else { return nil }
        return (start, end)
      }.sorted { $0.start < $1.start }
      #expect(spans.count == worked.count)
      for (one, next) in zip(spans, spans.dropFirst()) { #expect(one.end <= next.start) }
      let scrapes = try await rows(database, "SELECT count(*) FROM scrape_runs WHERE status = 'completed'")
      #expect(scrapes == [[.integer(Int64(worked.count { $0.task == "scraping" }))]])
      #expect(try await rows(database, "SELECT count(*) FROM scrape_errors") == [[0]])
    }
  }
}
