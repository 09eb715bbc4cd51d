import UpkeepCore
import UpkeepDatabase
import UpkeepFetch

/// One scrape: first what there is, then each event, all platforms beside each other.
struct Scrape: Sendable {
  /// The counts that only a run can know.
  static let unforeseenCounts: Set<String> = [
    "events_scraped", "events_failed", "events_gone", "snapshots_written", "snapshots_confirmed", "markets_unmapped",
  ]
  /// How many events a transaction stores at most.
  private static let batchSize = 50

  let settings: ScrapingSettings
  let context: TaskContext
  let markets: MarketMap
  let fetcher: any Fetcher
  let session: any DatabaseSession
  let tables: OddsTables

  /// A platform that is scraped, and how.
  private struct Source: Sendable {
    var name: String
    var platform: any Platform
    var settings: PlatformSettings
  }

  private func sources(_ board: CircuitBoard) -> [Source] {
    Platforms.all.compactMap { type in
      let platform = settings.platforms[type.name]
      guard platform.isEnabled, let base = platform.baseURL else { return nil }
      let policy = FetchPolicy(
        attempts: settings.attempts, delay: platform.delay ?? .zero, longestRetryAfter: settings.maxRetryAfter)
      var headers = platform.headers
      if let userAgent = settings.userAgent { headers["user-agent"] = userAgent }
      let site = PlatformSite(
        name: type.name, base: PlatformAddress.trimmed(base), headers: headers, timeout: settings.requestTimeout,
        maxBytes: settings.maxResponse,
        fetcher: PoliteFetcher(fetcher, site: PlatformAddress.trimmed(base), policy, board: board, in: context),
        markets: markets, milliseconds: { [wallClock = context.wallClock] in wallClock.now().microseconds / 1000 })
      return Source(name: type.name, platform: type.init(site), settings: platform)
    }
  }

  private func circuit(_ board: CircuitBoard) -> (String) -> (reason: String, until: Timestamp)? {
    let now = context.wallClock.now()
    return { name in settings.platforms[name].baseURL.flatMap { board.rest(of: PlatformAddress.trimmed($0), at: now) } }
  }

  /// Says what a run would ask for.
  func preview() async throws {
    let board = try context.circuits()
    let sources = sources(board)
    let report = ScrapeReport(sources.map(\.name), context)
    let found = try await discover(sources, report)
    for (name, discovery) in found { noteFailures(of: name, discovery) }
    report.countFound()
    report.detail(circuit(board))
  }

  /// Fetches and stores.
  func run() async throws {
    for name in Self.unforeseenCounts { context.add(name, 0) }
    let board = try context.circuits()
    let sources = sources(board)
    let report = ScrapeReport(sources.map(\.name), context)
    let store = try await OddsStore.begin(session, tables, platforms: sources.map(\.name), in: context)
    let outcome: Result<Void, any Error>
    do {
      try await run(sources, store, report)
      outcome = .success(())
    } catch {
      outcome = .failure(error)
    }
    report.detail(circuit(board))
    let end = end(of: report, outcome)
    try await store.finish(end)
    try outcome.get()
    guard end.status != "failed" else {
      throw TaskError(
        code: "scrape_failed", place: "scrape", problem: "no event of any platform was stored",
        fix: "see the other errors")
    }
  }

  private func run(_ sources: [Source], _ store: OddsStore, _ report: ScrapeReport) async throws {
    let found = try await discover(sources, report)
    report.countFound()
    for (name, discovery) in found {
      noteFailures(of: name, discovery)
      try await store.record(discovery.failures.map { EventFailure(event: nil, error: $0) }, of: name)
    }
    try await store.progress("scraping", report.states)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for source in sources {
        guard let discovery = found.first(where: { $0.name == source.name })?.discovery else { continue }
        group.addTask {
          try await PlatformScrape(
            name: source.name, platform: source.platform, store: store, report: report, context: context,
            concurrency: source.settings.concurrency ?? 1, batchSize: Self.batchSize
          ).run(discovery)
        }
      }
      try await group.waitForAll()
    }
    try Task.checkCancellation()
    context.report(0.96, "Linking events")
    try await store.progress("linking", report.states)
    _ = try await store.link()
  }

  private func discover(
    _ sources: [Source], _ report: ScrapeReport
  ) async throws -> [(name: String, discovery: Discovery)] {
    let found = try await withThrowingTaskGroup(of: (String, Discovery).self) { group in
      for source in sources {
        group.addTask {
          report.update(source.name) { $0.status = "discovery" }
          let discovery = try await Discovery(
            source.platform, limit: source.settings.discoveryConcurrency ?? 1, maxEvents: settings.maxEvents, context)
          report.update(source.name) { entry in
            entry.tournaments = discovery.tournaments
            entry.found = discovery.events.count
            entry.unmatched = discovery.unmatched
            entry.nextKickoff = discovery.events.first?.kickoff
            entry.discovery = discovery.duration
            entry.isListed = true
            entry.status = discovery.failures.isEmpty ? "scraping" : discovery.events.isEmpty ? "failed" : "partial"
          }
          return (source.name, discovery)
        }
      }
      var found: [String: Discovery] = [:]
      for try await (name, discovery) in group { found[name] = discovery }
      return found
    }
    return sources.compactMap { source in found[source.name].map { (source.name, $0) } }
  }

  /// One error for all that a platform's discovery couldn't have.
  private func noteFailures(of name: String, _ discovery: Discovery) {
    guard var error = discovery.failures.first else { return }
    if discovery.failures.count > 1 {
      error.problem += " (and \(discovery.failures.count - 1) more of \(discovery.tournaments) tournaments)"
    }
    context.record(error, step: "\(name) discovery")
  }

  private func end(of report: ScrapeReport, _ outcome: Result<Void, any Error>) -> ScrapeRecord.End {
    let all = report.all
    var end = ScrapeRecord.End(
      status: "completed", scraped: all.reduce(0) { $0 + $1.entry.scraped },
      failed: all.reduce(0) { $0 + $1.entry.failed }, platforms: report.states, timings: [:])
    for (name, entry) in all { end.timings[name] = (entry.discovery + entry.scraping).milliseconds }
    switch outcome {
    case .success:
      let isTroubled = all.contains { $0.entry.status == "failed" || $0.entry.status == "partial" }
      if isTroubled { end.status = end.scraped > 0 ? "partial" : "failed" }
    case .failure(let error):
      end.status = "failed"
      end.interruption =
        error is CancellationError ? "the run was told to stop before it had finished" : "\(error)"
    }
    return end
  }
}
