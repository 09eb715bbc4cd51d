import Foundation
import Synchronization
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo
import UpkeepFetch
import UpkeepTestKit

/// Platforms on the loopback interface, which live as long as the tests, and an empty database for each check.
final class ScrapedPlatforms: Sendable {
  private let server = StandInPlatforms(
    StandInOdds(events: 4, tournaments: 2, firstKickoff: ManualWallClock.noon + .seconds(3600)))
  private let serving = Mutex<Task<Void, Never>?>(nil)

  func fixture() async throws -> ConformanceFixture {
    await start()
    let place = try Place()
    try await place.makeTables()
    let platforms = StandInPlatforms.names.map { name in
      (name, JSONValue.object(["base_url": .string(server.url(name)), "delay": "0s"]))
    }
    return ConformanceFixture(
      settings: .test(
        .object(["database": "odds", "platforms": .object(Dictionary(platforms) { first, _ in first })])),
      resources: place
    ) { try await place.digest() }
  }

  private func start() async {
    let (started, send) = AsyncStream.makeStream(of: Void.self)
    serving.withLock { serving in
      guard serving == nil else { return send.finish() }
      serving = Task { [server] in
        _ = try? await server.serve {
          send.finish()
          let (ends, _) = AsyncStream.makeStream(of: Void.self)
          for await _ in ends {}
        }
      }
    }
    for await _ in started {}
  }

  private final class Place: DatabaseResources, FetchResources {
    let fetcher: any Fetcher = HTTPFetcher(clock: ContinuousClock())
    private let folder = NSTemporaryDirectory() + "upkeep-conformance-\(UUID().uuidString)"

    init() throws {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit {
      try? FileManager.default.removeItem(atPath: folder)
    }

    func database(named name: String) throws -> any Database {
      SQLiteDatabase(name: name, path: folder + "/odds.sqlite", mayCreate: true)
    }

    func makeTables() async throws {
      let session = try await database(named: "odds").open(.write(.normal), purpose: "test")
      try await session.perform { connection in
        for statement in ["PRAGMA journal_mode = WAL"] + OddsSchema.statements { _ = try connection.rows(statement) }
      }
      await session.close()
    }

    /// What is stored of the platforms, without the numbers of rows and without the records of the runs themselves.
    func digest() async throws -> String {
      let session = try await database(named: "odds").open(.read, purpose: "test")
      let queries = [
        "SELECT name, home_team, away_team, kickoff, sportradar_id FROM events ORDER BY sportradar_id",
        """
        SELECT c.source, c.external_id, e.sportradar_id FROM competitor_events c
        LEFT JOIN events e ON e.id = c.betpawa_event_id ORDER BY c.source, c.external_id
        """,
        """
        SELECT e.sportradar_id, m.betpawa_market_id, m.line, m.outcomes, m.unavailable_at, s.last_confirmed_at
        FROM odds_snapshots s JOIN market_odds m ON m.snapshot_id = s.id JOIN events e ON e.id = s.event_id
        ORDER BY 1, 2, 3
        """,
        """
        SELECT c.external_id, m.betpawa_market_id, m.line, m.outcomes, m.unavailable_at, s.last_confirmed_at
        FROM competitor_odds_snapshots s JOIN competitor_market_odds m ON m.snapshot_id = s.id
        JOIN competitor_events c ON c.id = s.competitor_event_id ORDER BY 1, 2, 3
        """,
        """
        SELECT e.sportradar_id, m.bookmaker_slug, m.betpawa_market_id, m.line, m.outcomes FROM market_odds_current m
        JOIN events e ON e.id = m.event_id ORDER BY 1, 2, 3, 4
        """,
        """
        SELECT e.sportradar_id, m.bookmaker_slug, m.betpawa_market_id, m.line, m.outcomes FROM market_odds_history m
        JOIN events e ON e.id = m.event_id ORDER BY 1, 2, 3, 4
        """,
        "SELECT b.slug, l.external_event_id FROM event_bookmakers l JOIN bookmakers b ON b.id = l.bookmaker_id ORDER BY 1, 2",
      ]
      let rows = try await session.perform { connection in try queries.map { "\(try connection.rows($0))" } }
      await session.close()
      return rows.joined(separator: "\n")
    }
  }
}
