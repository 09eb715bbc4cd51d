import Foundation
import Testing
import UpkeepTestKit

/// `upkeep serve` as a process of its own: its end by signals, and what its store says after it was killed.
@Suite struct ServeTests {
  private static func yaml(_ tasks: String, host: String = "") -> String {
    "version: 1\nhost: { listen: \"127.0.0.1:0\", max_concurrent_runs: 8\(host) }\ntasks:\n\(tasks)"
  }

  private static let long = "  nap: { plugin: noop, run_on_start: true, settings: { duration: 1h } }\n"

  @Test func aSignalLetsRunningTasksEnd() async throws {
    let place = try Workplace(
      Self.yaml("  nap: { plugin: noop, run_on_start: true, settings: { duration: 500ms } }\n"))
    let serve = try place.start(["serve"])
    _ = try await serve.waitForError(containing: "started")
    serve.signal(SIGTERM)
    let end = await serve.outcome()
    #expect(end.status == 0)
    // A clean end is nothing to complain of.
    #expect(!end.errors.contains("ERROR") && !end.errors.contains("CancellationError"), "\(end.errors)")
    #expect(try await place.recordedRuns().map(\.status) == ["completed"])
  }

  @Test func whatOutlastsTheDrainTimeoutIsInterrupted() async throws {
    let place = try Workplace(Self.yaml(Self.long, host: ", drain_timeout: 50ms"))
    let serve = try place.start(["serve"])
    _ = try await serve.waitForError(containing: "started")
    serve.signal(SIGINT)
    #expect(await serve.outcome().status == 1)
    #expect(try await place.recordedRuns().map(\.status) == ["interrupted"])
  }

  @Test func aSecondSignalDoesNotWait() async throws {
    let place = try Workplace(Self.yaml(Self.long, host: ", drain_timeout: 1h"))
    let serve = try place.start(["serve"])
    _ = try await serve.waitForError(containing: "started")
    serve.signal(SIGTERM)
    _ = try await serve.waitForError(containing: "stopping")
    // Signals that come together count as one, so something else happens in between.
    let list = try await place.run("list")
    #expect(list.output.contains("running now"))
    #expect(!list.errors.contains("no upkeep serve works on this"))
    serve.signal(SIGTERM)
    #expect(await serve.outcome().status == 1)
    #expect(try await place.recordedRuns().map(\.status) == ["interrupted"])
  }

  @Test func aSecondServeNamesTheFirst() async throws {
    let place = try Workplace(Self.yaml(Self.long, host: ", drain_timeout: 50ms"))
    let first = try place.start(["serve"])
    let serving = try await first.waitForError(containing: "serving")
    let second = try await place.run("serve")
    #expect(second.status == 5)
    #expect(second.errors.contains("another upkeep serve works on"))
    #expect(second.errors.contains("pid \(first.pid) on "))
    let address = try #require(serving.split(separator: " ").first { $0.hasPrefix("address=") }?.dropFirst(8))
    #expect(address.hasPrefix("127.0.0.1:") && address != "127.0.0.1:0")
    #expect(second.errors.contains("listening on \(address)"))
    first.signal(SIGTERM)
    _ = await first.outcome()
    let third = try place.start(["serve"])
    _ = try await third.waitForError(containing: "serving")
    third.signal(SIGTERM)
    _ = await third.outcome()
  }

  @Test func theCommandLineCancelsARunOfServe() async throws {
    let place = try Workplace(Self.yaml(Self.long))
    let serve = try place.start(["serve"])
    let line = try await serve.waitForError(containing: "started")
    let word = try #require(line.split(separator: " ").first { $0.hasPrefix("run_id=") })
    let run = String(word.dropFirst(7))
    #expect(try await place.run("cancel", run).output == "asked run \(run) of nap to stop\n")
    _ = try await serve.waitForError(containing: "cancelled by")
    serve.signal(SIGTERM)
    #expect(await serve.outcome().status == 0)
    #expect(try await place.recordedRuns().map(\.status) == ["cancelled"])
  }

  @Test func tellsTheDeadMansSwitchOfEachRun() async throws {
    let switches = try StubServer.json("{}")
    let place = try Workplace(
      Self.yaml(
        """
          nap: { plugin: noop, run_on_start: true, heartbeat_url: "\(switches.url("/nap"))" }
          fall: { plugin: noop, run_on_start: true, heartbeat_url: "\(switches.url("/fall"))", settings: { fail: true } }

        """))
    let serve = try place.start(["serve"])
    _ = try await serve.waitForError(containing: "INFO completed")
    // The end of serve waits for what is still being told.
    serve.signal(SIGTERM)
    #expect(await serve.outcome().status == 0)
    let asked = switches.requests.compactMap { request in
      request.split(separator: " ").dropFirst().first.map(String.init)
    }
    #expect(asked.filter { $0.hasPrefix("/nap") } == ["/nap/start", "/nap"])
    #expect(asked.filter { $0.hasPrefix("/fall") } == ["/fall/start", "/fall/fail"])
    let end = try #require(switches.requests.last { $0.contains("/fall/fail ") })
    let runs = try await place.recordedRuns()
    let failed = try #require(runs.first { $0.task == "fall" })
    #expect(failed.status == "failed" && end.contains(failed.id))
  }

  @Test func logsOneJSONObjectALine() async throws {
    let place = try Workplace(
      Self.yaml("  nap: { plugin: noop, run_on_start: true }\n", host: ", log: { format: json }"))
    let serve = try place.start(["serve"])
    let line = try await serve.waitForError(containing: "\"started\"")
    let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
    #expect(object["task"] == "nap" && object["level"] == "info" && object["trigger"] == "startup")
    #expect(try await place.recordedRuns().map(\.id) == [object["run_id"] ?? ""])
    // The end says whether anything was done, or only foreseen.
    let end = try await serve.waitForError(containing: "\"completed\"")
    #expect(try (JSONSerialization.jsonObject(with: Data(end.utf8)) as? [String: Any])?["mode"] as? String == "run")
    serve.signal(SIGTERM)
    _ = await serve.outcome()
  }

  @Test func tasksThatExcludeEachOtherTakeTurns() async throws {
    let place = try Workplace(
      Self.yaml(
        """
          tick: { plugin: noop, interval: 1s, settings: { duration: 600ms } }
          sweep:
            plugin: noop
            interval: 2s
            settings: { duration: 700ms }
            concurrency: { exclusive_with: [tick], on_conflict: wait, max_wait: 20s }

        """))
    let serve = try place.start(["serve"])
    for _ in 1...2 { _ = try await serve.waitForError(containing: "task=sweep trigger") }
    serve.signal(SIGTERM)
    #expect(await serve.outcome().status == 0)
    let runs = try await place.recordedRuns().filter { $0.status == "completed" }
    #expect(runs.filter { $0.task == "sweep" }.count >= 2)
    #expect(runs.contains { $0.task == "tick" })
    for sweep in runs where sweep.task == "sweep" {
      for tick in runs where tick.task == "tick" {
        #expect(tick.finished <= sweep.started || sweep.finished <= tick.started, "\(tick.id) beside \(sweep.id)")
      }
    }
  }

  @Test func everySlotHasOneOutcomeWheneverServeIsKilled() async throws {
    let isSoak = ProcessInfo.processInfo.environment["UPKEEP_SOAK"] == "1"
    let tasks = (1...5).map { "  t\($0): { plugin: noop, interval: 1s, settings: { duration: \($0 * 60)ms } }\n" }
    let place = try Workplace(Self.yaml(tasks.joined()))
    let random = SeededRandom(seed: 7)
    var startups: [Int] = []
    for _ in 1...(isSoak ? 200 : 20) {
      let serve = try place.start(["serve"])
      startups.append(try Self.startup(try await serve.waitForError(containing: "serving address=")))
      for _ in 0...(random.next() % 7) { _ = try await serve.waitForError(containing: "task=t") }
      serve.signal(SIGKILL)
      _ = await serve.outcome()
    }
    let last = try place.start(["serve"])
    _ = try await last.waitForError(containing: "completed")
    last.signal(SIGTERM)
    #expect(await last.outcome().status == 0)
    try await Self.expectWholeGrids(place)
    // What a kill leaves behind holds no start up, such as leases that would have to run out. The middle one counts: the
    // machine may have had something else to do at one or the other.
    let middle = startups.sorted()[startups.count / 2]
    #expect(middle < 2000, "\(startups) ms")
  }

  /// How long the program took to serve, as it says itself.
  private static func startup(_ line: String) throws -> Int {
    let word = try #require(line.split(separator: " ").first { $0.hasPrefix("startup_ms=") })
    return try #require(Int(word.dropFirst(11)))
  }

  /// Each task's slots follow one another without a gap, each in one record, which is final.
  private static func expectWholeGrids(_ place: Workplace) async throws {
    let runs = try await place.recordedRuns()
    #expect(runs.allSatisfy { $0.status != "queued" && $0.status != "running" })
    #expect(runs.contains { $0.status == "interrupted" }, "no kill hit a run, so this shows nothing")
    for (task, records) in Dictionary(grouping: runs, by: \.task) {
      let slots = records.sorted { $0.lastSlot < $1.lastSlot }
      for (earlier, later) in zip(slots, slots.dropFirst()) {
        #expect(later.firstSlot == earlier.lastSlot + 1_000_000, "\(task): between \(earlier.id) and \(later.id)")
      }
      for record in slots { #expect((record.lastSlot - record.firstSlot) / 1_000_000 + 1 == record.slots) }
    }
  }
}
