import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepRuntime
import UpkeepTestKit

@Suite struct RunnerStoreFailureTests {
  let fixture = RunnerFixture()
  let full = TaskError(code: "disk_full", place: "state store", problem: "the disk is full", fix: "free some space")

  @Test func aRunThatCanNotBeRecordedDoesNotStart() async {
    fixture.store.fail(with: full)
    let result = await fixture.runner.run(RunRequest(task: .fake { $0.add("rows_deleted", 1) }))
    #expect(result.status == .failed)
    #expect(result.errors.map(\.code) == ["disk_full"])
    #expect(result.counts.isEmpty)
    #expect(result.warnings == ["this result isn't recorded: state store: the disk is full; free some space"])
  }

  /// A connection that is lost while the run asks for its lease: it asks once more, and only for that reason.
  @Test(arguments: [
    ("connection_lost", 1..<2, RunStatus.completed), ("connection_lost", 1..<3, .failed), ("disk_full", 1..<2, .failed),
  ])
  func aRunAsksAgainWhoseConnectionWasLost(code: String, calls: Range<Int>, status: RunStatus) async throws {
    // The first call records the run.
    fixture.store.fail(with: TaskError(code: code, place: "state store", problem: "no", fix: "wait"), calls: calls)
    let result = await fixture.runner.run(RunRequest(task: .fake { $0.add("rows_deleted", 1) }))
    #expect(result.status == status)
    #expect(result.counts == (status == .completed ? ["rows_deleted": 1] : [:]))
    #expect(try await fixture.store.record(result.runID)?.result.status == status)
    #expect(try await fixture.store.holders().isEmpty)
  }

  /// It stood still for longer than a lease lives, and another host has ended it meanwhile: it must not begin any more.
  @Test func aRunThatWasDeclaredDeadMeanwhileDoesNotBegin() async throws {
    let task = RunnableTask.fake { $0.add("rows_deleted", 1) }
    let result = RunResult(
      runID: "01QUEUED", task: task.name, plugin: task.plugin, mode: .run, trigger: .scheduled, status: .queued,
      host: "box-1")
    let queued = RunRecord(result: result, owner: fixture.inspector.current, createdAt: fixture.wallClock.now())
    var dead = queued
    dead.result.status = .interrupted
    try await fixture.store.save(dead)
    fixture.store.fail(
      with: TaskError(code: "connection_lost", place: "state store", problem: "no", fix: "wait"), calls: 0..<1)
    let ended = await fixture.runner.run(RunRequest(task: task, trigger: .scheduled, record: queued))
    #expect(ended.status == .interrupted && ended.counts.isEmpty)
    #expect(ended.reason == "its lease is lost: it was declared dead, so it must not go on")
  }

  @Test func aPreviewGoesOnWithoutTheStore() async {
    fixture.store.fail(with: full)
    let result = await fixture.runner.run(
      RunRequest(task: .fake(preview: { $0.add("rows_deleted", 1) }), mode: .preview))
    #expect(result.status == .completed)
    #expect(result.counts == ["rows_deleted": 1])
    #expect(
      result.warnings == ["this preview isn't recorded: state store: the disk is full; free some space"])
  }

  @Test func aResultThatCanNotBeRecordedIsReturnedAndRecordedLater() async throws {
    let (store, full) = (fixture.store, full)
    let result = await fixture.runner.run(
      RunRequest(
        task: .fake { context in
          context.add("rows_deleted", 1)
          store.fail(with: full)
        }), observe: fixture.events.add)
    #expect(result.status == .completed)
    #expect(result.counts == ["rows_deleted": 1])
    #expect(result.warnings == ["this result isn't recorded: state store: the disk is full; free some space"])
    await fixture.clock.untilSomebodySleeps(for: Runner.heartbeat)
    store.fail(with: nil)
    fixture.clock.advance(by: Runner.heartbeat)
    await fixture.until("released")
    #expect(try await store.record(result.runID)?.result.counts == ["rows_deleted": 1])
    #expect(try await store.holders().isEmpty)
  }

  @Test func aRunStopsWhenItsLeaseCanNotBeRenewedForLongerThanItLives() async {
    let run = fixture.start(RunRequest(task: .fake { try await $0.clock.sleep(for: .seconds(86_400)) }))
    await fixture.clock.untilSomebodySleeps(for: .seconds(86_400))
    await fixture.clock.untilSomebodySleeps(for: Runner.heartbeat)
    fixture.store.fail(with: full)
    fixture.clock.advance(by: .seconds(30))
    await fixture.clock.untilSomebodySleeps(for: Runner.heartbeat)
    #expect(!fixture.events.kinds.contains("finished"))
    fixture.clock.advance(by: Runner.heartbeat)
    let result = await run.value
    #expect(result.status == .interrupted)
    #expect(
      result.reason == "the state store couldn't be reached for more than 30s: "
        + "state store: the disk is full; free some space")
  }
}
