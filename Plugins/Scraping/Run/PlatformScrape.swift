import UpkeepCore
import UpkeepFetch

/// Fetches the events of one platform, and stores them in batches while others are fetched.
struct PlatformScrape: Sendable {
  let name: String
  let platform: any Platform
  let store: OddsStore
  let report: ScrapeReport
  let context: TaskContext
  let concurrency: Int
  let batchSize: Int

  private struct LimitReached: Error {
    var reason: StopReason
  }

  /// What waits to be stored.
  private struct Batch {
    var events: [ScrapedEvent] = []
    var failures: [EventFailure] = []
    var gone: Set<String> = []
    var count: Int { events.count + failures.count + gone.count }
  }

  /// What the platform's error in the result is made of.
  private struct Trouble {
    var first: TaskError?
    var failed = 0

    mutating func add(_ failures: [EventFailure]) {
      failed += failures.count
      // That the platform is left alone says less than why.
      first = first ?? failures.first { $0.error.code != "circuit_open" }?.error ?? failures.first?.error
    }
  }

  /// Fetches and stores all events.
  /// - Throws: `CancellationError`, after what had been fetched was stored.
  func run(_ discovery: Discovery) async throws {
    let elapsed = context.clock.stopwatch()
    var (batch, trouble) = (Batch(), Trouble())
    var ending: (any Error)?
    do {
      try await ConcurrentWork.forEach(discovery.events, limit: concurrency) { [platform] event in
        (event, try await Result<ScrapedEvent?, TaskError>.of { try await platform.event(event) })
      } take: { event, result in
        switch result {
        case .success(.some(let scraped)): batch.events.append(scraped)
        case .success(.none): batch.gone.insert(event.sportradarID ?? "")
        case .failure(let error): batch.failures.append(EventFailure(event: event, error: error))
        }
        guard batch.count >= batchSize else { return }
        try await flush(&batch, &trouble)
        if let reason = context.limitReached() { throw LimitReached(reason: reason) }
      }
    } catch {
      ending = error
    }
    try await flush(&batch, &trouble)
    if let limit = ending as? LimitReached {
      context.stop(for: limit.reason)
      ending = nil
    } else if ending == nil, discovery.isWhole {
      try await markMissing(discovery)
    }
    finish(trouble, discovery, elapsed())
    if let ending { throw ending }
  }

  private func flush(_ batch: inout Batch, _ trouble: inout Trouble) async throws {
    guard batch.count > 0 else { return }
    let full = batch
    batch = Batch()
    var failures = full.failures
    do {
      let outcome = try await store.store(full.events, failures: failures, of: name)
      context.add("events_scraped", full.events.count)
      context.add("snapshots_written", outcome.written)
      context.add("snapshots_confirmed", outcome.confirmed)
      context.add("markets_unmapped", full.events.reduce(0) { $0 + $1.unmapped })
      report.update(name) { $0.scraped += full.events.count }
    } catch let error as TaskError where full.events.count > 0 {
      // The batch is undone as a whole: none of its events is stored.
      failures += full.events.map { event in
        EventFailure(
          event: ListedEvent(
            id: event.id, sportradarID: event.sportradarID, kickoff: event.kickoff,
            tournament: ListedTournament(id: event.tournament.id)), error: error)
      }
      try await store.record(failures, of: name)
    }
    trouble.add(failures)
    context.add("events_failed", failures.count)
    let failed = failures.count
    report.update(name) { $0.failed += failed }
    guard !full.gone.isEmpty else { return }
    let gone = full.gone
    _ = try await store.markUnavailable(of: name) { gone.contains($0) }
    context.add("events_gone", gone.count)
    report.update(name) { $0.gone += gone.count }
  }

  /// Marks what the platform no longer lists; only a list that is whole says that.
  private func markMissing(_ discovery: Discovery) async throws {
    let listed = Set(discovery.events.compactMap(\.sportradarID))
    let marked = try await store.markUnavailable(of: name) { !listed.contains($0) }
    context.add("events_gone", marked)
  }

  private func finish(_ trouble: Trouble, _ discovery: Discovery, _ duration: Duration) {
    if var error = trouble.first {
      let count = discovery.events.count
      error.problem = "\(trouble.failed) of \(count) events failed, the first: \(error.problem)"
      context.record(error, step: "\(name) events")
    }
    report.update(name) { entry in
      entry.scraping = duration
      let isFailed = entry.failed > 0 || !discovery.failures.isEmpty
      entry.status = !isFailed ? "completed" : entry.scraped > 0 ? "partial" : "failed"
    }
  }
}
