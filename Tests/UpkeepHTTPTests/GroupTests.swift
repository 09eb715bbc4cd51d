import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepTestKit

@testable import UpkeepHTTP

/// Groups over HTTP.
@Suite struct GroupTests {
  private let host = FakeHost()

  init() {
    host.set { $0.groups = [("cleanup", ["heartbeat", "odds_retention"])] }
  }

  private func start(_ site: Site) async throws -> (answer: Answer, id: String) {
    let answer = try await site.ask("POST", "/api/jobs/run", #"{"job_type": "cleanup"}"#)
    guard case .string(let id)? = answer.document["job_id"] else { return (answer, "") }
    return (answer, id)
  }

  /// Waits until a group's run has ended.
  private func end(of id: String, _ site: Site) async throws -> [String: JSONValue] {
    while true {
      let document = try await site.ask("GET", "/api/v1/runs/\(id)").document
      if document["status"] != "running" { return document }
      await Task.yield()
    }
  }

  private func working(_ body: (Site) async throws -> Void) async throws {
    let parts = host.parts()
    let site = Site(parts, rules: AccessRules(listen: "127.0.0.1"))
    let work = Task { await parts.groups.work() }
    defer { work.cancel() }
    try await body(site)
  }

  @Test func membersRunInOrderAndTheGroupHasOneDocument() async throws {
    try await working { site in
      let (answer, id) = try await start(site)
      #expect(answer.status == 200)
      let document = try await end(of: id, site)
      #expect(document["group"] == "cleanup" && document["status"] == "completed")
      guard case .array(let results)? = document["results"] else { return }
      #expect(results.count == 2)
      #expect(host.seen.starts.map(\.task) == ["heartbeat", "odds_retention"])
      #expect(host.seen.starts.allSatisfy { $0.groupRunID == id })
    }
  }

  @Test func aMemberThatFailsDoesNotKeepTheNextFromRunning() async throws {
    host.set { $0.statuses = [.running, .failed] }
    try await working { site in
      let document = try await end(of: start(site).id, site)
      #expect(document["status"] == "failed")
      #expect(host.seen.starts.count == 2)
    }
  }

  @Test func aGroupRunsOnceAtATimeAndCanBeStopped() async throws {
    host.set { $0.statuses = [] }
    try await working { site in
      let (_, id) = try await start(site)
      let (second, _) = try await start(site)
      #expect(second.status == 409)
      #expect(second.document["error"] == .string("cleanup job already running: \(id)"))
      while host.seen.open.isEmpty { await Task.yield() }
      let cancelled = try await site.ask("POST", "/api/v1/runs/\(id)/cancel", "{}")
      #expect(cancelled.status == 202)
      host.endOpenRuns(as: .cancelled)
      #expect(try await end(of: id, site)["status"] == "cancelled")
      #expect(host.seen.starts.count == 1)
      #expect(try await site.ask("POST", "/api/v1/runs/\(id)/cancel", "{}").code == "run_is_over")
    }
  }

  @Test func aGroupOfAnotherProcessIsPutTogetherFromItsRecords() async throws {
    let id = RunID.make(at: host.wallClock.now(), random: host.random)
    for task in ["heartbeat", "odds_retention"] {
      host.wallClock.set(host.wallClock.now() + .seconds(1))
      var result = host.result(task, .completed)
      result.finishedAt = host.wallClock.now()
      try await host.store.save(
        RunRecord(result: result, owner: nil, groupRunID: id, createdAt: host.wallClock.now()))
    }
    let document = try await host.site().ask("GET", "/api/v1/runs/\(id)").document
    #expect(document["group"] == "cleanup" && document["status"] == "completed")
    #expect(document["finished_at"] == .string(host.wallClock.now().rfc3339))
    let stream = try await host.site().ask("GET", "/api/v1/runs/\(id)/events").response
    var events: [EventTests.Event] = []
    for await chunk in try #require(stream.events).chunks { events.append(EventTests.event(chunk)) }
    #expect(events.map(\.kind) == ["run", "end"])
    #expect(events.allSatisfy { $0.data["group"] == "cleanup" && $0.data["status"] == "completed" })
    let again = try await host.site().ask(
      "GET", "/api/v1/runs/\(id)/events", headers: ["last-event-id": try #require(events.last).id])
    #expect(again.status == 204)
  }
}
