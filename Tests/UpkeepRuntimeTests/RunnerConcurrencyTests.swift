import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepRuntime
import UpkeepTestKit

@Suite struct RunnerConcurrencyTests {
  let fixture = RunnerFixture()

  /// Starts a task that works until `door` is opened, whatever it is told.
  private func occupy(_ name: String = "tidy", exclusiveWith: [String] = [], door: Door) async -> Task<RunResult, Never>
  {
    let run = fixture.start(
      RunRequest(
        task: .fake(name, rules: TaskRules(exclusiveWith: exclusiveWith)) { _ in await door.wait() }))
    await fixture.until("started")
    return run
  }

  @Test func aTaskThatStillRunsIsSkipped() async throws {
    let door = Door()
    let first = await occupy(door: door)
    let runID = try #require(try await fixture.store.holders().first?.runID)
    let second = await fixture.runner.run(RunRequest(task: .fake()))
    #expect(second.status == .skipped)
    #expect(second.reason == "tidy is running (run \(runID), pid 4711 on box-1)")
    #expect(second.startedAt == nil)
    #expect(try await fixture.store.record(second.runID)?.result == second)
    #expect(try await fixture.store.holders().map(\.runID) == [runID])
    door.open()
    #expect(await first.value.status == .completed)
  }

  @Test func overlapQueueWaitsForThePresentRun() async throws {
    let door = Door()
    let first = await occupy(door: door)
    let second = fixture.start(RunRequest(task: .fake(rules: TaskRules(overlap: .queue))))
    await fixture.until("queued")
    await fixture.clock.untilSomebodySleeps(for: Runner.askInterval)
    door.open()
    _ = await first.value
    fixture.clock.advance(by: Runner.askInterval)
    #expect(await second.value.status == .completed)
    #expect(try await fixture.store.holders().isEmpty)
  }

  @Test func overlapQueueLetsOnlyOneWait() async throws {
    let door = Door()
    let first = await occupy(door: door)
    let task = RunnableTask.fake(rules: TaskRules(overlap: .queue))
    let second = fixture.start(RunRequest(task: task))
    await fixture.clock.untilSomebodySleeps(for: Runner.askInterval)
    let third = await fixture.runner.run(RunRequest(task: task))
    let waiting = try #require(try await fixture.store.holders().first { $0.isWaiting })
    #expect(third.status == .skipped)
    #expect(
      third.reason
        == "tidy is waiting already (run \(waiting.runID), pid 4711 on box-1), and at most one waits")
    door.open()
    _ = await first.value
    fixture.clock.advance(by: Runner.askInterval)
    #expect(await second.value.status == .completed)
  }

  @Test func overlapAllowRunsBoth() async throws {
    let door = Door()
    let first = await occupy(door: door)
    let second = await fixture.runner.run(RunRequest(task: .fake(rules: TaskRules(overlap: .allow))))
    #expect(second.status == .completed)
    door.open()
    _ = await first.value
  }

  @Test func overlapCancelPreviousTakesItsPlace() async throws {
    let first = fixture.start(RunRequest(task: .fake { try await $0.clock.sleep(for: .seconds(86_400)) }))
    await fixture.clock.untilSomebodySleeps(for: .seconds(86_400))
    await fixture.clock.untilSomebodySleeps(for: Runner.heartbeat)
    let second = fixture.start(RunRequest(task: .fake(rules: TaskRules(overlap: .cancelPrevious))))
    await fixture.clock.untilSomebodySleeps(for: Runner.askInterval)
    fixture.clock.advance(by: Runner.heartbeat)
    let previous = await first.value
    #expect(previous.status == .cancelled)
    await fixture.clock.untilSomebodySleeps(for: Runner.askInterval)
    fixture.clock.advance(by: Runner.askInterval)
    let next = await second.value
    #expect(next.status == .completed)
    #expect(previous.reason == "cancelled by run \(next.runID), which takes its place")
  }

  @Test(arguments: [true, false]) func exclusiveTasksWaitForEachOtherWhicheverNamesTheOther(
    _ runningNamesTheOther: Bool
  ) async throws {
    let door = Door()
    let first = await occupy("scraping", exclusiveWith: runningNamesTheOther ? ["tidy"] : [], door: door)
    let rules = TaskRules(exclusiveWith: runningNamesTheOther ? [] : ["scraping"])
    let second = fixture.start(RunRequest(task: .fake(rules: rules)))
    await fixture.clock.untilSomebodySleeps(for: Runner.askInterval)
    door.open()
    _ = await first.value
    fixture.clock.advance(by: Runner.askInterval)
    #expect(await second.value.status == .completed)
  }

  @Test func onConflictSkipDoesNotWait() async throws {
    let door = Door()
    let first = await occupy("scraping", door: door)
    let runID = try #require(try await fixture.store.holders().first?.runID)
    let second = await fixture.runner.run(
      RunRequest(task: .fake(rules: TaskRules(exclusiveWith: ["scraping"], onConflict: .skip))))
    #expect(second.status == .skipped)
    #expect(
      second.reason
        == "scraping, which must not run at the same time, is running (run \(runID), pid 4711 on box-1)")
    door.open()
    _ = await first.value
  }

  @Test func aRunWaitsNoLongerThanMaxWait() async throws {
    let door = Door()
    let first = await occupy("scraping", door: door)
    let runID = try #require(try await fixture.store.holders().first?.runID)
    let second = fixture.start(
      RunRequest(task: .fake(rules: TaskRules(exclusiveWith: ["scraping"], maxWait: .seconds(600)))))
    await fixture.clock.untilSomebodySleeps(for: .seconds(600))
    fixture.clock.advance(by: .seconds(600))
    let result = await second.value
    #expect(result.status == .skipped)
    #expect(
      result.reason == "waited 10m, but scraping, which must not run at the same time, is running "
        + "(run \(runID), pid 4711 on box-1)")
    #expect(try await fixture.store.holders().map(\.runID) == [runID])
    door.open()
    _ = await first.value
  }

  @Test func aRunThatWaitsCanBeCancelled() async throws {
    let door = Door()
    let first = await occupy("scraping", door: door)
    let second = fixture.start(RunRequest(task: .fake(rules: TaskRules(exclusiveWith: ["scraping"]))))
    await fixture.clock.untilSomebodySleeps(for: Runner.askInterval)
    let waiting = try #require(try await fixture.store.holders().first { $0.isWaiting })
    #expect(try await fixture.store.requestCancel(waiting.runID, by: "somebody"))
    fixture.clock.advance(by: Runner.askInterval)
    let result = await second.value
    #expect(result.status == .cancelled)
    #expect(result.reason == "cancelled by somebody")
    door.open()
    _ = await first.value
  }

  @Test func theCallerCanForbidToWait() async throws {
    let door = Door()
    let first = await occupy("scraping", door: door)
    let rules = TaskRules(exclusiveWith: ["scraping"])
    #expect(await fixture.runner.run(RunRequest(task: .fake(rules: rules), waits: false)).status == .skipped)
    door.open()
    _ = await first.value
  }

  @Test func aRunThatWasDeclaredDeadStops() async throws {
    let run = fixture.start(
      RunRequest(
        task: .fake { context in
          context.add("rows_deleted", 1)
          try await context.clock.sleep(for: .seconds(86_400))
        }))
    await fixture.clock.untilSomebodySleeps(for: .seconds(86_400))
    await fixture.clock.untilSomebodySleeps(for: Runner.heartbeat)
    fixture.inspector.set(fixture.inspector.current, .gone)
    #expect(try await fixture.store.reap().count == 1)
    fixture.clock.advance(by: Runner.heartbeat)
    let result = await run.value
    #expect(result.status == .interrupted)
    #expect(result.reason == "its lease is lost: it was declared dead, so it must not go on")
    let stored = try await fixture.store.record(result.runID)?.result
    #expect(stored?.status == .interrupted)
    #expect(stored?.reason == "its process (pid 4711 on box-1) is gone")
  }
}
