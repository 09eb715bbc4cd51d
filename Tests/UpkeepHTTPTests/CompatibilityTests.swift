import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepTestKit

@testable import UpkeepHTTP

/// The applications' own routes: exactly their keys.
@Suite struct CompatibilityTests {
  private let host = FakeHost()
  private var site: Site { host.site() }

  private static let counts: [String: Int] = [
    "odds_deleted": 1, "competitor_odds_deleted": 2, "market_odds_history_deleted": 3, "scrape_runs_deleted": 4,
    "scrape_batches_deleted": 5, "events_deleted": 6, "competitor_events_deleted": 7, "tournaments_deleted": 8,
    "competitor_tournaments_deleted": 9,
  ]

  private func finish(_ result: inout RunResult) {
    result.counts = Self.counts
    result.settings = ["odds_keep": "14d", "match_keep": "36h"]
    result.finishedAt = host.wallClock.now() + .seconds(2)
    result.durationMilliseconds = 1500
    result.details = [
      .object(["kind": "date", "name": "oldest_odds_date", "value": "2025-10-01T00:00:00.000Z"]),
      .object(["kind": "date", "name": "oldest_match_date", "value": .null]),
    ]
  }

  @Test func aPreviewHasTheApplicationsKeys() async throws {
    host.set { $0.finishing = { finish(&$0) } }
    let answer = try await site.ask("GET", "/api/cleanup/preview?odds_days=3&match_days=365")
    let expected: [String: JSONValue] = [
      "oddsCutoffDate": "2025-11-10T16:00:00.000Z", "matchCutoffDate": "2025-11-23T04:00:00.000Z",
      "oddsSnapshotsCount": .integer(1), "competitorOddsSnapshotsCount": .integer(2),
      "marketOddsHistoryCount": .integer(3), "scrapeRunsCount": .integer(4), "scrapeBatchesCount": .integer(5),
      "eventsCount": .integer(6), "competitorEventsCount": .integer(7), "tournamentsCount": .integer(8),
      "competitorTournamentsCount": .integer(9),
    ]
    #expect(answer.document == expected)
    let start = StartRequest(
      task: "odds_retention", mode: .preview,
      settings: ["settings.odds_keep": "3d", "settings.match_keep": "365d"])
    #expect(host.seen.starts == [start])
    _ = try await site.ask("GET", "/api/cleanup/preview")
    #expect(host.seen.starts.last == StartRequest(task: "odds_retention", mode: .preview))
  }

  @Test func anExecutionHasTheApplicationsKeys() async throws {
    host.set { $0.finishing = { finish(&$0) } }
    let answer = try await site.ask("POST", "/api/cleanup/execute", #"{"oddsRetentionDays": 7}"#)
    let expected: [String: JSONValue] = [
      "oddsDeleted": .integer(1), "competitorOddsDeleted": .integer(2), "marketOddsHistoryDeleted": .integer(3),
      "scrapeRunsDeleted": .integer(4), "scrapeBatchesDeleted": .integer(5), "eventsDeleted": .integer(6),
      "competitorEventsDeleted": .integer(7), "tournamentsDeleted": .integer(8),
      "competitorTournamentsDeleted": .integer(9), "oldestOddsDate": "2025-10-01T00:00:00.000Z",
      "oldestMatchDate": .null, "durationSeconds": .number(1.5),
    ]
    #expect(answer.document == expected)
    let start = StartRequest(task: "odds_retention", trigger: .manual, settings: ["settings.odds_keep": "7d"])
    #expect(host.seen.starts == [start])
  }

  @Test(arguments: [
    ("GET", "/api/cleanup/preview?odds_days=0", ""), ("GET", "/api/cleanup/preview?match_days=366", ""),
    ("GET", "/api/cleanup/preview?odds_days=-5", ""), ("GET", "/api/cleanup/preview?odds_days=1.5", ""),
    ("POST", "/api/cleanup/execute", #"{"oddsRetentionDays": -5}"#),
    ("POST", "/api/cleanup/execute", #"{"matchRetentionDays": 366}"#),
    ("POST", "/api/cleanup/execute", #"{"matchRetentionDays": "14"}"#),
    ("GET", "/api/cleanup/history?limit=0", ""), ("GET", "/api/cleanup/history?limit=101", ""),
  ])
  func whatIsOutOfRangeIsRefused(_ method: String, _ target: String, _ body: String) async throws {
    let answer = try await site.ask(method, target, body)
    #expect(answer.status == 422)
    #expect(host.seen.starts.isEmpty)
  }

  @Test(arguments: [
    (RunStatus.refused, 409, "refused"), (.skipped, 409, "skipped"), (.failed, 500, "cleanup_failed"),
    (.timedOut, 500, "cleanup_failed"),
  ])
  func anExecutionThatDidNotWorkSaysWhy(_ status: RunStatus, _ code: Int, _ name: String) async throws {
    host.set { $0.statuses = [status] }
    host.set { $0.reason = "because" }
    let answer = try await site.ask("POST", "/api/cleanup/execute", "{}")
    #expect(answer.status == code && answer.code == name)
    guard case .string(let detail)? = answer.document["detail"] else {
      Issue.record("no detail")
      return
    }
    #expect(detail.hasSuffix(": because"))
  }

  @Test func onlyOneCleanUpRunsAtATime() async throws {
    host.set { $0.running = ["odds_retention"] }
    let answer = try await site.ask("POST", "/api/cleanup/execute", "{}")
    #expect(answer.status == 409 && answer.code == "already_running")
    #expect(host.seen.starts.isEmpty)
  }

  @Test func theStatisticsHaveTheApplicationsKeys() async throws {
    let old = Timestamp(microseconds: 0)
    host.set {
      $0.statistics = Statistics(
        items: [Statistics.Item(name: "odds_snapshots", count: 5, oldest: old, newest: old)],
        details: [.object(["kind": "events_by_platform", "platform": "betpawa", "count": .integer(3)])])
    }
    let document = try await site.ask("GET", "/api/cleanup/stats").document
    #expect(
      document.keys.sorted() == [
        "competitorEvents", "competitorEventsBySource", "competitorOddsSnapshots", "competitorTournaments", "events",
        "eventsByPlatform", "oddsSnapshots", "scrapeBatches", "scrapeRuns", "tournaments",
      ])
    #expect(
      document["oddsSnapshots"]
        == .object([
          "count": .integer(5), "oldest": "1970-01-01T00:00:00.000Z", "newest": "1970-01-01T00:00:00.000Z",
        ]))
    #expect(document["scrapeRuns"] == .object(["count": .integer(0), "oldest": .null, "newest": .null]))
    #expect(document["eventsByPlatform"] == .array([.object(["platform": "betpawa", "count": .integer(3)])]))
  }

  @Test func theHistoryHasTheApplicationsKeys() async throws {
    for _ in 0..<12 {
      host.wallClock.set(host.wallClock.now() + .seconds(1))
      var result = host.result("odds_retention", .failed)
      finish(&result)
      result.errors = [RunError(step: "run", code: "x", message: "the disk is full")]
      try await host.store.save(RunRecord(result: result, owner: nil, createdAt: host.wallClock.now()))
    }
    let answer = try await site.ask("GET", "/api/cleanup/history")
    guard case .array(let runs)? = answer.document["runs"], case .object(let run)? = runs.first else {
      Issue.record("\(answer.text)")
      return
    }
    #expect(runs.count == 10 && answer.document["total"] == .integer(12))
    #expect(
      run.keys.sorted() == [
        "competitorEventsDeleted", "competitorOddsDeleted", "competitorTournamentsDeleted", "completedAt",
        "durationSeconds", "errorMessage", "eventsDeleted", "id", "matchRetentionDays", "oddsDeleted",
        "oddsRetentionDays", "oldestMatchDate", "oldestOddsDate", "scrapeBatchesDeleted", "scrapeRunsDeleted",
        "startedAt", "status", "tournamentsDeleted", "trigger",
      ])
    #expect(run["id"] == .integer(1_764_000_012_000))
    #expect(run["oddsRetentionDays"] == .integer(14) && run["matchRetentionDays"] == .integer(2))
    #expect(run["errorMessage"] == "the disk is full")
  }

  @Test func aTaskIsStartedAsAJob() async throws {
    let answer = try await site.ask("POST", "/api/jobs/run", #"{"job_type": "heartbeat", "metadata": {"who": "me"}}"#)
    #expect(answer.status == 200)
    guard case .string(let jobID)? = answer.document["job_id"] else {
      Issue.record("\(answer.text)")
      return
    }
    let expected: [String: JSONValue] = [
      "success": .boolean(true), "message": "heartbeat job started successfully", "job_id": .string(jobID),
      "job_type": "heartbeat",
      "metadata": .object(["triggered_by": "manual", "source": "api", "who": "me"]),
    ]
    #expect(answer.document == expected)
    host.set { $0.running = ["heartbeat"] }
    let second = try await site.ask("POST", "/api/jobs/run", #"{"job_type": "heartbeat"}"#)
    #expect(second.status == 409)
    let text = "heartbeat job already running: 01M7XY2W6P2NBJ71JT0T71F6M4"
    #expect(
      second.document == ["success": .boolean(false), "error": .string(text), "detail": .string(text)])
    for body in [#"{"job_type": "sync"}"#, "{}", ""] {
      #expect(try await site.ask("POST", "/api/jobs/run", body).status == 400)
    }
  }
}
