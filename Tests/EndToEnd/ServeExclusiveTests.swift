import Foundation
import Testing
import UpkeepCore
import UpkeepDemo

/// A clean-up that must not run beside a task which hardly ever rests.
@Suite(.timeLimit(.minutes(4))) struct ServeExclusiveTests {
  @Test func aCleanUpIsNotStarvedByATaskThatRunsAllTheTime() async throws {
    let place = try Workplace(
      """
      version: 1
      host: { listen: "127.0.0.1:0" }
      databases: { odds: { sqlite: odds.sqlite } }
      tasks:
        scrape: { plugin: noop, interval: 2s, concurrency: { overlap: queue }, settings: { duration: 1900ms } }
        odds_retention:
          interval: 3s
          concurrency: { exclusive_with: [scrape], max_wait: 20s }
          guard: none
          settings: { database: odds }

      """)
    try await OddsSample.make(at: place.path("odds.sqlite"), now: SystemWallClock().now(), snapshots: 2000)
    let serve = try place.start(["serve"])
    for _ in 1...3 { _ = try await serve.waitForError(containing: "INFO completed counts") }
    serve.signal(SIGTERM)
    #expect(await serve.outcome().status == 0)
    let runs = try await place.recordedRuns()
    let (scrapes, purges) = (runs.filter { $0.task == "scrape" }, runs.filter { $0.task == "odds_retention" })
    #expect(purges.filter { $0.status == "completed" }.count >= 3)
    #expect(scrapes.contains { $0.status == "completed" })
    // None gave up: each that began its wait was let in within its max_wait.
    #expect(!purges.contains { $0.status == "skipped" && $0.reason.hasPrefix("waited") })
    for purge in purges where !purge.started.isEmpty {
      for scrape in scrapes where !scrape.started.isEmpty {
        #expect(
          scrape.finished <= purge.started || purge.finished <= scrape.started, "\(scrape.id) beside \(purge.id)")
      }
    }
  }
}
