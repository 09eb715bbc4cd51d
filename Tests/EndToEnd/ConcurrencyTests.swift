import Foundation
import Testing

/// The rules between processes, by real ones.
@Suite struct ConcurrencyTests {
  @Test func letsOneOfManyProcessesRunATask() async throws {
    let place = try Workplace(Workplace.noop(settings: "{ duration: 1h }"))
    let count = 100
    let all = try (0..<count).map { _ in try place.start(["run", "nap", "--json", "--quiet"]) }
    let outcomes = try await withThrowingTaskGroup(of: (Int32, Program.Outcome).self) { group in
      for program in all { group.addTask { (program.pid, await program.outcome()) } }
      var outcomes: [Program.Outcome] = []
      var left = Set(all.map(\.pid))
      while let (pid, outcome) = try await group.next() {
        outcomes.append(outcome)
        left.remove(pid)
        // All but one have ended by themselves: the last is the one that runs.
        if left.count == 1, let last = left.first { kill(last, SIGTERM) }
      }
      return outcomes
    }
    #expect(outcomes.map(\.status) == Array(repeating: 5, count: count - 1) + [143])
    let statuses = try outcomes.map { try $0.json()["status"] as? String }
    #expect(statuses == Array(repeating: "skipped", count: count - 1) + ["cancelled"])
  }

  @Test func cancelsARunOfAnotherProcess() async throws {
    let place = try Workplace(Workplace.noop(settings: "{ duration: 1h }"))
    let running = try place.start(["run", "nap", "--json"])
    let line = try await running.waitForError(containing: "started")
    let runID = try #require(line.split(separator: " ").first { $0.count == 26 }.map(String.init))
    let cancel = try await place.run("cancel", runID)
    #expect(cancel.output == "asked run \(runID) of nap to stop\n")
    #expect(cancel.status == 0)
    let outcome = await running.outcome()
    #expect(outcome.status == 1)
    #expect(try outcome.json()["status"] as? String == "cancelled")
    let again = try await place.run("cancel", runID)
    #expect(again.status == 0)
    #expect(again.output == "run \(runID) of nap doesn't run any more: cancelled\n")
  }

  @Test func recordsAKilledRunAsInterrupted() async throws {
    let place = try Workplace(Workplace.noop(settings: "{ duration: 1h }"))
    let running = try place.start(["run", "nap"])
    _ = try await running.waitForError(containing: "started")
    running.signal(SIGKILL)
    #expect(await running.outcome().status == 128 + SIGKILL)
    let runs = try #require(try await place.run("history", "--json").json()["runs"] as? [[String: Any]])
    #expect(runs.map { $0["status"] as? String } == ["interrupted"])
    #expect(try await place.run("run", "nap", "--set", "duration=0s").status == 0)
  }

  @Test func noMoreRunsWorkThanMayWhicheverProcessRunsThem() async throws {
    let place = try Workplace(
      """
      version: 1
      host: { max_concurrent_runs: 1 }
      tasks:
        first: { plugin: noop, settings: { duration: 1h } }
        second: { plugin: noop }
        third: { plugin: noop, concurrency: { max_wait: 50ms } }
      """)
    let first = try place.start(["run", "first"])
    _ = try await first.waitForError(containing: "started")
    let second = try place.start(["run", "second"])
    let line = try await second.waitForError(containing: "waits for")
    #expect(line == "second: waits for a place: as many runs work as host.max_concurrent_runs lets")
    let third = try await place.run("run", "third", "--json", "--quiet")
    #expect(third.status == 5)
    let reason = "waited 50ms, but as many runs work as host.max_concurrent_runs lets"
    #expect(try third.json()["reason"] as? String == reason)
    first.signal(SIGTERM)
    #expect(await first.outcome().status == 143)
    #expect(await second.outcome().status == 0)
  }

  @Test func waitsForATaskItMustNotRunBeside() async throws {
    let place = try Workplace(
      """
      version: 1
      tasks:
        first: { plugin: noop, settings: { duration: 1h } }
        second: { plugin: noop, concurrency: { exclusive_with: [first] } }
        third: { plugin: noop, concurrency: { exclusive_with: [first], on_conflict: skip } }
      """)
    let first = try place.start(["run", "first"])
    _ = try await first.waitForError(containing: "started")
    let second = try place.start(["run", "second"])
    let line = try await second.waitForError(containing: "waits for")
    #expect(line.hasPrefix("second: waits for first (run "))
    #expect(try await place.run("run", "third").status == 5)
    first.signal(SIGTERM)
    #expect(await first.outcome().status == 143)
    #expect(await second.outcome().status == 0)
  }
}
