import Foundation
import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepTestKit

@testable import UpkeepHTTP

/// What the routes answer.
@Suite struct RouteTests {
  private let host = FakeHost()
  private var site: Site { host.site() }

  @Test func healthSaysWhetherTheLoopTurns() async throws {
    #expect(try await site.ask("GET", "/healthz").text == #"{"status":"ok"}"#)
    host.set { $0.isAlive = false }
    let answer = try await site.ask("GET", "/healthz")
    #expect(answer.status == 503 && answer.code == "not_alive")
  }

  @Test func readinessNamesTheTroubles() async throws {
    #expect(try await site.ask("GET", "/readyz").status == 200)
    host.set { $0.troubles = ["the store can't be written"] }
    let answer = try await site.ask("GET", "/readyz")
    #expect(answer.status == 503)
    #expect(answer.document["troubles"] == .array(["the store can't be written"]))
  }

  @Test func tasksAreListedInTheOrderOfTheFile() async throws {
    let answer = try await site.ask("GET", "/api/v1/tasks")
    guard case .array(let tasks)? = answer.document["tasks"], case .object(let task)? = tasks.first else {
      Issue.record("no tasks in \(answer.text)")
      return
    }
    #expect(tasks.count == 2)
    let expected: [String: JSONValue] = [
      "name": "odds_retention", "plugin": "odds_retention", "enabled": .boolean(true), "paused": .boolean(false),
      "running": .boolean(false), "interval": "1d", "cron": .null, "time_zone": .null, "timeout": "30m",
      "next_run_at": "2025-11-24T16:01:00.000Z", "last_run": .null, "etag": "abc1", "pause": .null, "runs": .array([]),
      "waiting": .array([]), "schedule": "every 1 d", "has_preview": .boolean(true),
      "settings": .object([
        "odds_keep": .object(["value": "14d", "origin": "default", "help": "", "tunable": .boolean(false)])
      ]),
    ]
    #expect(task == expected)
    let one = try await site.ask("GET", "/api/v1/tasks/odds_retention")
    #expect(one.document == expected)
    #expect(one.response.header("ETag") == "\"abc1\"")
  }

  @Test func theListOfTasksSaysWhatIsSoNow() async throws {
    let site = site
    let first = try await site.ask("GET", "/api/v1/tasks").text
    #expect(try await site.ask("GET", "/api/v1/tasks").text == first)
    host.set { $0.running = ["odds_retention"] }
    let running = try await site.ask("GET", "/api/v1/tasks").text
    #expect(first.count { $0 == "{" } == running.count { $0 == "{" } && running.contains(#""running":true"#))
    #expect(!first.contains(#""running":true"#))
    host.set { $0.running = [] }
    #expect(try await site.ask("GET", "/api/v1/tasks").text == first)
  }

  @Test func aRunIsStartedAndItsAddressGiven() async throws {
    let answer = try await site.ask("POST", "/api/v1/tasks/heartbeat/run")
    #expect(answer.status == 202)
    guard case .string(let runID)? = answer.document["run_id"] else {
      Issue.record("\(answer.text)")
      return
    }
    #expect(answer.document["url"] == .string("/api/v1/runs/\(runID)"))
    #expect(answer.response.header("Location") == "/api/v1/runs/\(runID)")
    #expect(answer.document["status"] == "running")
    #expect(host.seen.starts == [StartRequest(task: "heartbeat")])
  }

  @Test func aRunThatWaitsSaysSo() async throws {
    host.set { $0.statuses = [.queued, .running, .completed] }
    let answer = try await site.ask("POST", "/api/v1/tasks/heartbeat/run", "{}")
    #expect(answer.status == 202 && answer.document["status"] == "queued")
  }

  @Test func whoWaitsGetsTheResult() async throws {
    let answer = try await site.ask(
      "POST", "/api/v1/tasks/odds_retention/preview?wait=true", #"{"override_guard": true}"#)
    #expect(answer.status == 200)
    #expect(answer.document["status"] == "completed" && answer.document["mode"] == "preview")
    #expect(answer.document["schema_version"] == .integer(1))
    let start = StartRequest(task: "odds_retention", mode: .preview, overrideGuard: true)
    #expect(host.seen.starts == [start])
  }

  @Test(arguments: [
    (RunStatus.skipped, "a rule forbids the run: scraping runs"),
    (.refused, "the guard refused the run: scraping runs"),
  ])
  func aRunThatMayNotBeIsAConflict(_ status: RunStatus, _ detail: String) async throws {
    host.set { $0.statuses = [status] }
    host.set { $0.reason = "scraping runs" }
    let answer = try await site.ask("POST", "/api/v1/tasks/heartbeat/run?wait=true")
    #expect(answer.status == 409 && answer.code == status.rawValue)
    #expect(answer.document["detail"] == .string(detail))
    #expect(answer.document["run_id"] != nil)
  }

  @Test func aRunThatFailsIsAResult() async throws {
    host.set { $0.statuses = [.running, .failed] }
    let answer = try await site.ask("POST", "/api/v1/tasks/heartbeat/run?wait=true")
    #expect(answer.status == 200 && answer.document["status"] == "failed")
  }

  @Test(arguments: [
    ("/api/v1/tasks/heartbeat/preview", "", 422, "no_preview"), ("/api/v1/tasks/nothing/run", "", 404, "unknown_task"),
    ("/api/v1/tasks/heartbeat/run?wait=yes", "", 400, "bad_parameter"),
    ("/api/v1/tasks/heartbeat/run", "[]", 400, "bad_body"), ("/api/v1/tasks/heartbeat/run", "{", 400, "bad_json"),
    ("/api/v1/tasks/heartbeat/run", #"{"override": true}"#, 400, "unknown_key"),
    ("/api/v1/tasks/heartbeat/run", #"{"override_guard": "yes"}"#, 400, "bad_body"),
    ("/api/v1/tasks/heartbeat/pause", #"{"for": "2"}"#, 400, "bad_duration"),
    ("/api/v1/tasks/heartbeat/pause", #"{"for": "0s"}"#, 400, "bad_duration"),
    ("/api/v1/tasks/heartbeat/pause", #"{"until": "2h"}"#, 400, "bad_time"),
    ("/api/v1/tasks/heartbeat/pause", #"{"until": "2020-01-01T00:00Z"}"#, 400, "bad_time"),
    ("/api/v1/tasks/heartbeat/pause", #"{"until": "2999-01-01T00:00Z", "for": "2h"}"#, 400, "conflict"),
    ("/api/v1/tasks/heartbeat/pause", #"{"til": "2h"}"#, 400, "unknown_key"),
    ("/api/v1/runs/01M7XY2W6P2NBJ71JT0T71F6M4/cancel", "", 404, "unknown_run"),
  ])
  func badRequestsSayWhatIsWrong(_ target: String, _ body: String, _ status: Int, _ code: String) async throws {
    let answer = try await site.ask("POST", target, body)
    #expect(answer.status == status && answer.code == code, "\(answer.text)")
    #expect(host.seen.starts.isEmpty)
    #expect(try await host.store.pauses().isEmpty)
  }

  /// Who sends a document that is none learns where, and what an identifier of a run looks like.
  @Test func badDocumentsSayWhere() async throws {
    let broken = try await site.ask("POST", "/api/v1/tasks/heartbeat/run", "{\n  \"override_guard\": tru\n}")
    #expect(broken.document["detail"] == "the body isn't JSON: Invalid value around character 25.", "\(broken.text)")
    let run = try await site.ask("POST", "/api/v1/tasks/heartbeat/run", #"{"preview": "nosuch"}"#)
    #expect(
      run.document["detail"] == "preview: expected a run's id of 26 letters and digits, found nosuch", "\(run.text)")
  }

  @Test func aHostThatStopsStartsNothing() async throws {
    host.set { $0.refusal = .stopping }
    let answer = try await site.ask("POST", "/api/v1/tasks/heartbeat/run")
    #expect(answer.status == 503 && answer.code == "stopping")
  }

  @Test func aPauseIsSetAndEnded() async throws {
    let body = #"{"for": "2h", "why": "a migration <script>"}"#
    let answer = try await site.ask("POST", "/api/v1/tasks/heartbeat/pause", body)
    #expect(answer.status == 200 && answer.document["paused"] == .boolean(true))
    let pause = try #require(try await host.store.pauses().first)
    #expect(pause.until == host.wallClock.now() + .seconds(7200))
    #expect(pause.reason == "a migration <script>" && pause.by == "the API")
    let resumed = try await site.ask("POST", "/api/v1/tasks/heartbeat/resume")
    #expect(resumed.document["paused"] == .boolean(false))
    #expect(try await host.store.pauses().isEmpty)
    #expect(try await site.ask("POST", "/api/v1/tasks/heartbeat/resume").status == 200)
  }

  @Test func aPauseEndsWhenItIsTold() async throws {
    let end = host.wallClock.now() + .seconds(90_061)
    let answer = try await site.ask("POST", "/api/v1/tasks/heartbeat/pause", #"{"until": "\#(end.rfc3339)"}"#)
    #expect(answer.status == 200)
    #expect(try await host.store.pauses().first?.until == end)
  }

  @Test func runsComeInPagesNewestFirst() async throws {
    var ids: [String] = []
    for number in 0..<120 {
      host.wallClock.set(host.wallClock.now() + .seconds(1))
      let result = host.result(number % 3 == 0 ? "heartbeat" : "odds_retention", number % 5 == 0 ? .failed : .completed)
      ids.insert(result.runID, at: 0)
      try await host.store.save(RunRecord(result: result, owner: nil, createdAt: host.wallClock.now()))
    }
    func page(_ target: String) async throws -> (ids: [String], next: String?) {
      let answer = try await site.ask("GET", target)
      guard case .array(let runs)? = answer.document["runs"] else { return ([], nil) }
      var next: String?
      if case .string(let text)? = answer.document["next_cursor"] { next = text }
      let ids = runs.compactMap { run -> String? in
        guard case .object(let members) = run, case .string(let id)? = members["run_id"] else { return nil }
        return id
      }
      return (ids, next)
    }
    var seen: [String] = []
    var (part, cursor) = try await page("/api/v1/runs")
    #expect(part.count == 50)
    seen += part
    while let next = cursor {
      (part, cursor) = try await page("/api/v1/runs?cursor=\(next)")
      seen += part
    }
    #expect(seen == ids)
    #expect(try await page("/api/v1/runs?limit=120").next == nil)
    #expect(try await page("/api/v1/runs?task=heartbeat&limit=500").ids.count == 40)
    #expect(try await page("/api/v1/runs?status=failed&task=heartbeat").ids.count == 8)
    let one = try await site.ask("GET", "/api/v1/runs/\(ids[0])")
    #expect(one.document["run_id"] == .string(ids[0]))
  }

  /// As on the command line. Ids of one millisecond begin alike.
  @Test(arguments: [("GET", ""), ("GET", "/events"), ("POST", "/cancel")])
  func howARunsIdBeginsIsEnough(_ method: String, _ what: String) async throws {
    var runs: [RunResult] = []
    for _ in 0..<2 {
      let run = host.result("heartbeat", method == "GET" ? .completed : .running)
      try await host.store.save(RunRecord(result: run, owner: nil, createdAt: host.wallClock.now()))
      runs.append(run)
    }
    let (first, second) = (runs[0].runID, runs[1].runID)
    let short = first.commonPrefix(with: second)
    for written in ["\(first.prefix(short.count + 1))", first.lowercased()] {
      let answer = try await site.ask(method, "/api/v1/runs/\(written)\(what)")
      #expect(answer.status < 300, "\(answer.text)")
      if what.isEmpty { #expect(answer.document["run_id"] == .string(first)) }
      if method == "POST" { #expect(host.seen.cancels.last == first) }
    }
    let both = try await site.ask(method, "/api/v1/runs/\(short)\(what)")
    let examples = [first, second].sorted(by: >).joined(separator: ", ")
    #expect(both.status == 409 && both.code == "ambiguous_run")
    #expect(
      both.document["detail"] == .string("several runs begin with \(short) (\(examples), …); write more of the id"))
    let none = try await site.ask(method, "/api/v1/runs/02\(what)")
    #expect(none.status == 404 && none.document["detail"] == "there is no run 02; GET /api/v1/runs lists them")
  }

  @Test(arguments: ["limit=0", "limit=501", "limit=x", "limit=", "status=broken", "cursor=x", "cursor=../../x"])
  func badQueriesSayWhatIsWrong(_ query: String) async throws {
    let answer = try await site.ask("GET", "/api/v1/runs?\(query)")
    #expect(answer.status == 400 && answer.code == "bad_parameter")
  }

  @Test(arguments: [
    ("PATCH", "/api/v1/tasks/odds_retention?dryrun=true", "unknown query parameter dryrun; did you mean dry_run?"),
    ("PATCH", "/api/v1/tasks/odds_retention?dry_run=true&x=1", "unknown query parameter x; expected dry_run"),
    ("POST", "/api/v1/tasks/heartbeat/run?Wait=true", "unknown query parameter Wait; did you mean wait?"),
    ("POST", "/api/v1/tasks/heartbeat/pause?for=2h", "unknown query parameter for; there is none here"),
    ("GET", "/api/v1/runs?cusror=x", "unknown query parameter cusror; did you mean cursor?"),
    ("GET", "/api/v1/runs?page=2", "unknown query parameter page; expected cursor, limit, status, task"),
    ("GET", "/api/v1/tasks?a", "unknown query parameter a; there is none here"),
    ("GET", "/api/v1/events?last-event-id=3", "unknown query parameter last-event-id; there is none here"),
  ])
  func aParameterThatIsMisspeltChangesNothing(_ method: String, _ target: String, _ detail: String) async throws {
    let body = method == "PATCH" ? #"{"enabled": false}"# : "{}"
    let answer = try await site.ask(method, target, body, headers: ["if-match": "\"abc1\""])
    #expect(answer.status == 400)
    #expect(answer.code == "unknown_parameter" && answer.document["detail"] == .string(detail))
    #expect(host.seen.edits.isEmpty && host.seen.starts.isEmpty)
    #expect(try await host.store.pauses().isEmpty)
  }

  @Test(arguments: [
    "/healthz?x=1", "/readyz?x=1", "/metrics?x=1", "/?x=1", "/timeline?x=1", "/assets/app.css?v=2", "/openapi.json?x=1",
    "/api/cleanup/status?x=1",
  ])
  func otherAddressesTakeParametersThatTheyDoNotKnow(_ target: String) async throws {
    #expect(try await site.ask("GET", target).status == 200)
  }

  @Test func aRunIsCancelledUnlessItIsOver() async throws {
    let running = host.result("heartbeat", .running)
    try await host.store.save(RunRecord(result: running, owner: nil, createdAt: host.wallClock.now()))
    let answer = try await site.ask("POST", "/api/v1/runs/\(running.runID)/cancel")
    #expect(answer.status == 202)
    #expect(host.seen.cancels == [running.runID])
    let over = host.result("heartbeat", .completed)
    try await host.store.save(RunRecord(result: over, owner: nil, createdAt: host.wallClock.now()))
    let second = try await site.ask("POST", "/api/v1/runs/\(over.runID)/cancel")
    #expect(second.status == 409 && second.code == "run_is_over")
    #expect(host.seen.cancels.count == 1)
  }

  @Test func aStoreThatFailsIsNamed() async throws {
    host.store.fail(
      with: TaskError(code: "disk_full", place: "state", problem: "the disk is full", fix: "make room"))
    let answer = try await site.ask("GET", "/api/v1/runs")
    #expect(answer.status == 503 && answer.code == "disk_full")
  }

  @Test func aRunInALongLineIsAnsweredAllTheSame() async throws {
    host.set { $0.statuses = [] }
    let site = site
    async let answering = site.ask("POST", "/api/v1/tasks/heartbeat/run")
    await host.clock.untilSomebodySleeps(for: .milliseconds(250))
    host.clock.advance(by: .milliseconds(250))
    let answer = try await answering
    #expect(answer.status == 202 && answer.document["status"] == "queued")
  }

  @Test func theOddsApplicationSeesWhatRuns() async throws {
    // One site, which may keep an answer as long as it is true.
    let site = site
    #expect(
      try await site.ask("GET", "/api/cleanup/status").text == #"{"isCleanupRunning":false,"isScrapingActive":false}"#)
    host.set { $0.running = ["odds_retention"] }
    #expect(
      try await site.ask("GET", "/api/cleanup/status").text == #"{"isCleanupRunning":true,"isScrapingActive":false}"#)
    host.set { $0.disabled = ["odds_retention"] }
    #expect(try await site.ask("GET", "/api/cleanup/status").code == "no_cleanup")
  }

  @Test func onlyTheCompatibilityRoutesKnowOtherOrigins() async throws {
    let site = host.site(AccessRules(listen: "127.0.0.1", origins: ["https://front.example"]))
    let origin = ["origin": "https://front.example"]
    let answer = try await site.ask("GET", "/api/cleanup/status", headers: origin)
    #expect(answer.response.header("Access-Control-Allow-Origin") == "https://front.example")
    #expect(answer.response.header("Vary") == "Origin")
    let asked = try await site.ask("OPTIONS", "/api/cleanup/status", headers: origin)
    #expect(asked.status == 204)
    #expect(asked.response.header("Access-Control-Allow-Headers") == "Content-Type, Authorization")
    let other = try await site.ask("GET", "/api/cleanup/status", headers: ["origin": "https://evil.example"])
    #expect(other.response.header("Access-Control-Allow-Origin") == nil)
    let tasks = try await site.ask("GET", "/api/v1/tasks", headers: origin)
    #expect(tasks.response.header("Access-Control-Allow-Origin") == nil)
  }
}
