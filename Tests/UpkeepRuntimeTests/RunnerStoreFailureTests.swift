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

  @Test func aPreviewGoesOnWithoutTheStore() async {
    fixture.store.fail(with: full)
    let result = await fixture.runner.run(
      RunRequest(task: .fake(preview: { $0.add("rows_deleted", 1) }), mode: .preview))
    #expect(result.status == .completed)
    #expect(result.counts == ["rows_deleted": 1])
    #expect(
      result.warnings.first == "this preview isn't recorded: state store: the disk is full; free some space")
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
