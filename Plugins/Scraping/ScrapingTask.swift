public import UpkeepCore
import UpkeepDatabase
import UpkeepFetch

/// Fetches the football odds of betting platforms, and stores them in the odds application's tables.
///
/// Events of several platforms are one by their SportRadar id. A snapshot is written where the odds differ from the
/// newest one; where they don't, that one is confirmed. What couldn't be fetched is an error and never taken for absent.
public struct ScrapingTask: PreviewableTask, InspectableTask {
  /// Creates the task.
  public init() {}

  /// What is said of the plugin.
  public static let documentation = PluginDocumentation(
    summary: "Fetches football odds of BetPawa, SportyBet and Bet9ja for the odds comparison application",
    sample: """
      scraping:
        interval: 5m
        grace: 60s
        concurrency: { overlap: skip }
        settings:
          database: odds             # a name under databases:
          platforms:
            betpawa: { concurrency: 20 }
            sportybet: { enabled: true }
            bet9ja: { delay: 50ms }  # the least time between two requests
          request_timeout: 30s
      """,
    counts: [("events_found", "events that the platforms list, which a run asks for")]
      + Platforms.all.map { ("\($0.name)_events", "those of \($0.title)") }
      + [
        ("events_unmatched", "listed events without a SportRadar id, which are left out"),
        ("events_scraped", "events whose odds were stored"),
        ("events_failed", "events that couldn't be had or stored"),
        ("events_gone", "events that the platform no longer has"),
        ("snapshots_written", "new snapshots: the odds had moved"),
        ("snapshots_confirmed", "snapshots that are still right"),
        ("markets_unmapped", "markets that the map doesn't know, which are left out"),
      ], unforeseenCounts: Scrape.unforeseenCounts)

  /// Scrapes.
  public func run(_ settings: ScrapingSettings, in context: TaskContext) async throws {
    try await Self.with(settings, .write(.normal), in: context) { try await $0.run() }
  }

  /// Asks which events there are, and stores nothing.
  public func preview(_ settings: ScrapingSettings, in context: TaskContext) async throws {
    try await Self.with(settings, .read, in: context) { try await $0.preview() }
  }

  private static func with(
    _ settings: ScrapingSettings, _ mode: SessionMode, in context: TaskContext,
    _ body: @Sendable (Scrape) async throws -> Void
  ) async throws {
    try Task.checkCancellation()
    let markets = try MarketMap(file: settings.marketMap?.text)
    let database = try context.database(settings.database)
    let session = try await database.open(mode, purpose: "upkeep/\(context.task)")
    do {
      let tables = try await OddsTables(Catalogue(on: session), database)
      try await context.fetcher().keepingConnections { fetcher in
        try await body(
          Scrape(
            settings: settings, context: context, markets: markets, fetcher: fetcher, session: session, tables: tables))
      }
    } catch {
      await session.close()
      throw error
    }
    await session.close()
  }

  /// How many events and snapshots there are of each platform, and when the newest was captured.
  public func statistics(_ settings: ScrapingSettings, in context: TaskContext) async throws -> Statistics {
    let database = try context.database(settings.database)
    let session = try await database.open(.read, purpose: "upkeep/\(context.task)")
    do {
      let tables = try await OddsTables(Catalogue(on: session), database)
      let statistics = try await session.transaction(.read) { try ScrapeStatistics.read($0, tables) }
      await session.close()
      return statistics
    } catch {
      await session.close()
      throw error
    }
  }
}

extension Catalogue {
  init(on session: any DatabaseSession) async throws {
    self = try await session.perform { try Catalogue(of: $0) }
  }
}
