import Foundation
import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepRuntime
import UpkeepTestKit

@Suite struct RunnerOutcomeTests {
  let fixture = RunnerFixture()

  static let contractKeys: Set<String> = [
    "schema_version", "run_id", "task", "plugin", "mode", "trigger", "status", "reason", "scheduled_at", "started_at",
    "finished_at", "duration_ms", "progress", "counts", "tables", "details", "guard", "remaining", "warnings", "errors",
    "settings", "host", "version", "first_slot", "last_slot", "slots",
  ]

  private func stored(_ result: RunResult) async throws -> RunResult? {
    try await fixture.store.record(result.runID)?.result
  }

  @Test func aRunThatDoesItsWorkIsCompleted() async throws {
    let result = await fixture.runner.run(
      RunRequest(
        task: .fake { context in
          context.add("rows_deleted", 3)
          context.report(0.4, "Deleting")
        }), observe: fixture.events.add)
    #expect(result.status == .completed)
    #expect(result.reason == nil)
    #expect(result.counts == ["rows_deleted": 3])
    #expect(result.progress == RunProgress(percent: 100, message: "Done"))
    #expect(result.startedAt == ManualWallClock.noon)
    #expect(result.finishedAt == ManualWallClock.noon)
    #expect(result.durationMilliseconds == 0)
    #expect(result.host == "box-1")
    #expect(result.settings == ["keep": .string("14d")])
    #expect(try await stored(result) == result)
    #expect(try await fixture.store.holders().isEmpty)
    #expect(fixture.events.kinds == ["started", "finished"])
  }

  @Test func aStepThatFailsLeavesTheOthersDone() async throws {
    let result = await fixture.runner.run(
      RunRequest(
        task: .fake { context in
          _ = try await context.step("first") {
            throw TaskError(code: "no_table", place: "table a", problem: "it is missing", fix: "create it")
          }
          _ = try await context.step("second") { context.add("b_deleted", 2) }
        }))
    #expect(result.status == .completedWithErrors)
    #expect(result.errors == [RunError(step: "first", code: "no_table", message: "table a: it is missing; create it")])
    #expect(result.counts == ["b_deleted": 2])
    #expect(result.progress == RunProgress(percent: 100, message: "Done, with errors"))
  }

  @Test func aRunThatThrowsHasFailedAndKeepsItsCounts() async throws {
    let result = await fixture.runner.run(
      RunRequest(
        task: .fake { context in
          context.add("rows_deleted", 500)
          throw TaskError(
            code: "disk_full", place: "database odds", problem: "the disk is full", fix: "free some space")
        }))
    #expect(result.status == .failed)
    #expect(
      result.errors == [
        RunError(step: "run", code: "disk_full", message: "database odds: the disk is full; free some space")
      ])
    #expect(result.counts == ["rows_deleted": 500])
    #expect(result.progress.percent == 0)
    #expect(try await stored(result) == result)
  }

  @Test func aRunThatCancelsItselfHasFailed() async {
    let result = await fixture.runner.run(RunRequest(task: .fake { _ in throw CancellationError() }))
    #expect(result.status == .failed)
    #expect(
      result.errors.map(\.message) == [
        "task tidy: it ended as cancelled, but nobody cancelled it; this is a fault of its plugin, please report it"
      ])
  }

  @Test func aRunWhoseBudgetIsUsedUpSaysSo() async {
    let result = await fixture.runner.run(
      RunRequest(
        task: .fake { context in
          context.journal.update {
            $0.reason = "budget"
            $0.remaining = ["odds": 7]
          }
        }))
    #expect(result.status == .completed)
    #expect(result.reason == "budget")
    #expect(result.remaining == ["odds": 7])
  }

  @Test func aRunThatTakesTooLongIsTimedOutWithItsCounts() async throws {
    let run = fixture.start(
      RunRequest(
        task: .fake(rules: TaskRules(timeout: .seconds(1800))) { context in
          context.add("rows_deleted", 10)
          try await context.clock.sleep(for: .seconds(86_400))
        }))
    await fixture.clock.untilSomebodySleeps(for: .seconds(86_400))
    await fixture.clock.untilSomebodySleeps(for: .seconds(1800))
    fixture.clock.advance(by: .seconds(1800))
    let result = await run.value
    #expect(result.status == .timedOut)
    #expect(result.reason == "it took longer than its timeout of 30m")
    #expect(result.counts == ["rows_deleted": 10])
    #expect(result.durationMilliseconds == 1_800_000)
    #expect(result.warnings.isEmpty)
    #expect(try await fixture.store.holders().isEmpty)
  }

  @Test func theTimeoutCoversThePreviewToo() async throws {
    let run = fixture.start(
      RunRequest(
        task: .fake(
          rules: TaskRules(timeout: .seconds(60)), preview: { try await $0.clock.sleep(for: .seconds(86_400)) },
          isGuarded: true, run: { $0.add("rows_deleted", 1) })))
    await fixture.clock.untilSomebodySleeps(for: .seconds(86_400))
    await fixture.clock.untilSomebodySleeps(for: .seconds(60))
    fixture.clock.advance(by: .seconds(60))
    let result = await run.value
    #expect(result.status == .timedOut)
    #expect(result.counts.isEmpty)
  }

  @Test func aTaskThatIgnoresItsTimeoutIsReportedOnTimeAndKeepsItsLease() async throws {
    let door = Door()
    let task = RunnableTask.fake(rules: TaskRules(timeout: .seconds(60))) { context in
      context.add("rows_deleted", 10)
      await door.wait()
      context.add("rows_deleted", 90)
    }
    let run = fixture.start(RunRequest(task: task))
    await fixture.clock.untilSomebodySleeps(for: .seconds(60))
    fixture.clock.advance(by: .seconds(60))
    await fixture.clock.untilSomebodySleeps(for: Runner.grace)
    fixture.clock.advance(by: Runner.grace)
    let result = await run.value
    #expect(result.status == .timedOut)
    #expect(result.counts["rows_deleted"] ?? 0 <= 10)
    #expect(
      result.warnings == ["the task didn't stop within 5s of being told to; it keeps its lease until it does"])
    #expect(try await fixture.store.holders().map(\.runID) == [result.runID])

    let second = await fixture.runner.run(RunRequest(task: task))
    #expect(second.status == .skipped)

    door.open()
    await fixture.until("released")
    #expect(try await fixture.store.holders().isEmpty)
    #expect(try await stored(result) == result)
  }

  @Test func aRunThatIsAskedToStopIsCancelled() async throws {
    let stop = RunStop()
    let run = fixture.start(
      RunRequest(
        task: .fake { context in
          context.add("rows_deleted", 1)
          try await context.clock.sleep(for: .seconds(86_400))
        }, stop: stop))
    await fixture.clock.untilSomebodySleeps(for: .seconds(86_400))
    stop.request("stopped by SIGINT")
    let result = await run.value
    #expect(result.status == .cancelled)
    #expect(result.reason == "stopped by SIGINT")
    #expect(result.counts == ["rows_deleted": 1])
  }

  @Test func aRunWhoseCallerIsCancelledIsCancelledAndRecorded() async throws {
    let run = fixture.start(RunRequest(task: .fake { try await $0.clock.sleep(for: .seconds(86_400)) }))
    await fixture.clock.untilSomebodySleeps(for: .seconds(86_400))
    run.cancel()
    let result = await run.value
    #expect(result.status == .cancelled)
    #expect(result.reason == "its caller stopped it")
    #expect(try await stored(result) == result)
  }

  @Test func aRunIsCancelledThroughTheStore() async throws {
    let run = fixture.start(RunRequest(task: .fake { try await $0.clock.sleep(for: .seconds(86_400)) }))
    await fixture.clock.untilSomebodySleeps(for: .seconds(86_400))
    await fixture.clock.untilSomebodySleeps(for: Runner.heartbeat)
    let runID = try #require(try await fixture.store.holders().first?.runID)
    #expect(try await fixture.store.requestCancel(runID, by: "upkeep cancel (pid 12 on box-1)"))
    fixture.clock.advance(by: Runner.heartbeat)
    let result = await run.value
    #expect(result.status == .cancelled)
    #expect(result.reason == "cancelled by upkeep cancel (pid 12 on box-1)")
  }

  @Test func aRunThatIsStoppedBeforeItStartsDoesNothing() async throws {
    let stop = RunStop()
    stop.request("stopped by SIGTERM")
    let result = await fixture.runner.run(
      RunRequest(task: .fake { $0.add("rows_deleted", 1) }, stop: stop), observe: fixture.events.add)
    #expect(result.status == .cancelled)
    #expect(result.startedAt == nil)
    #expect(result.durationMilliseconds == nil)
    #expect(result.counts.isEmpty)
    #expect(fixture.events.kinds == ["finished"])
    #expect(try await stored(result) == result)
  }

  @Test func aRunThatTheHostCanNotWaitForIsInterrupted() async throws {
    let stop = RunStop()
    let run = fixture.start(
      RunRequest(task: .fake { try await $0.clock.sleep(for: .seconds(86_400)) }, stop: stop))
    await fixture.clock.untilSomebodySleeps(for: .seconds(86_400))
    stop.request("the host's drain timeout of 30s is over", as: .interrupted)
    #expect(await run.value.status == .interrupted)
  }

  @Test func aSlotThatPassedIsRecordedAsMissed() async throws {
    let result = await fixture.runner.recordMissed(
      RunRequest(task: .fake(), trigger: .scheduled, scheduledAt: ManualWallClock.noon - .seconds(3600)),
      because: "its slot is older than the grace of 30m")
    #expect(result.status == .missed)
    #expect(result.reason == "its slot is older than the grace of 30m")
    #expect(result.scheduledAt == ManualWallClock.noon - .seconds(3600))
    #expect(try await stored(result) == result)
  }

  @Test func progressIsToldAndNeverFalls() async throws {
    let steps = [0.5, 0.2, 0.9].map { (fraction: $0, reported: Door(), shown: Door()) }
    let run = fixture.start(
      RunRequest(
        task: .fake { context in
          for step in steps {
            context.report(step.fraction, "At \(step.fraction)")
            context.add("rows_deleted", 1)
            step.reported.open()
            await step.shown.wait()
          }
        }))
    for (index, step) in steps.enumerated() {
      await step.reported.wait()
      await fixture.clock.untilSomebodySleeps(for: Runner.pulse)
      fixture.clock.advance(by: Runner.pulse)
      await fixture.events.until("progress", index + 1)
      step.shown.open()
    }
    _ = await run.value
    #expect(fixture.events.all.map(\.result.progress.percent) == [0, 50, 50, 90, 100])
    #expect(fixture.events.all.map { $0.result.counts["rows_deleted"] ?? 0 } == [0, 1, 2, 3, 3])
  }

  @Test func theLiveResultIsKeptAtMostOnceASecond() async throws {
    let run = fixture.start(
      RunRequest(
        task: .fake { context in
          context.add("rows_deleted", 1)
          try await context.clock.sleep(for: .seconds(86_400))
        }))
    await fixture.clock.untilSomebodySleeps(for: .seconds(86_400))
    let runID = try #require(try await fixture.store.holders().first?.runID)
    for _ in 0..<3 {
      await fixture.clock.untilSomebodySleeps(for: Runner.pulse)
      fixture.clock.advance(by: Runner.pulse)
    }
    await fixture.clock.untilSomebodySleeps(for: Runner.pulse)
    #expect(try await fixture.store.record(runID)?.result.counts == [:])
    fixture.clock.advance(by: Runner.pulse)
    await fixture.clock.untilSomebodySleeps(for: Runner.pulse)
    #expect(try await fixture.store.record(runID)?.result.counts == ["rows_deleted": 1])
    #expect(try await fixture.store.record(runID)?.result.status == .running)
    run.cancel()
    _ = await run.value
  }

  @Test(arguments: RunStatus.allCases) func theResultHasTheSameKeysOnEveryStatus(_ status: RunStatus) throws {
    let result = RunResult(
      runID: "01", task: "tidy", plugin: "fake", mode: .run, trigger: .manual, status: status, host: "box-1")
    #expect(try result.keys == Self.contractKeys)
  }
}
