import Foundation
import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepSchedule
import UpkeepTestKit

@testable import UpkeepRuntime

/// Which records the slots of a task get: the scheduler's state on a clock that the test moves.
@Suite struct SchedulerSlotTests {
  private let minute = Duration.seconds(60)

  @Test func theFirstSlotComesOneIntervalAfterTheFirstStart() {
    var scene = SchedulerScene()
    scene.restart([.every(minute)])
    scene.pass(.seconds(59))
    #expect(scene.summary("tidy") == [])
    scene.pass(.seconds(1))
    #expect(scene.summary("tidy") == ["queued 12:01"])
    #expect(scene.started.count == 1)
  }

  @Test func aRestartKeepsTheGridToTheMillisecond() {
    var scene = SchedulerScene()
    scene.now = scene.now + .milliseconds(123)
    scene.restart([.every(minute)])
    scene.pass(minute)
    scene.finishAll()
    let first = scene.records[0].result.scheduledAt
    scene.now = scene.now + .milliseconds(20_456)
    scene.restart([.every(minute)])
    scene.pass(minute)
    #expect(scene.records.count == 2)
    #expect(scene.records[1].result.scheduledAt == first.map { $0 + minute })
  }

  @Test func theNextSlotFollowsTheSlotAndNotTheRun() {
    var scene = SchedulerScene()
    scene.restart([.every(minute)])
    scene.pass(.seconds(61))
    scene.begin(scene.started[0])
    scene.pass(.seconds(40))
    scene.end(scene.started[0])
    scene.pass(.seconds(60))
    #expect(scene.summary("tidy") == ["completed 12:01", "queued 12:02"])
  }

  @Test func aRunByHandMovesNoSlot() async throws {
    var scene = SchedulerScene()
    scene.restart([.every(minute)])
    let record = scene.state.maker.record(of: .fake(), trigger: .api, at: scene.now)
    scene.handle(.asked(SchedulerState.Run(record: record, task: .fake())))
    scene.finishAll()
    scene.pass(.seconds(60))
    #expect(scene.summary("tidy") == ["queued 12:01"])
  }

  @Test func afterThirtyDaysOffATaskOfEveryMinuteCatchesUpWithOneRun() {
    var scene = SchedulerScene()
    scene.restart([.every(minute)])
    scene.now = scene.now + .seconds(30 * 86_400)
    scene.restart([.every(minute)])
    #expect(scene.records.count == 1)
    #expect(scene.records[0].slots?.count == 43_200)
    #expect(scene.records[0].result.status == .queued)
    #expect(scene.records[0].slots?.first == ManualWallClock.noon + minute)
    #expect(scene.started.count == 1)
  }

  @Test(arguments: [
    (MissedRule.runOnce, Duration?.none, ["queued 12:01-12:10 ×10"]),
    (.skip, nil, ["missed 12:01-12:09 ×9", "queued 12:10"]),
    (.runOnce, .seconds(10), ["missed 12:01-12:10 ×10"]),
    (.runAll, nil, (1...10).map { "queued 12:\($0 < 10 ? "0" : "")\($0)" }),
  ])
  func slotsThatPassedWhileDownFollowTheRule(_ rule: MissedRule, _ grace: Duration?, _ expected: [String]) {
    var scene = SchedulerScene()
    let task = ScheduledTask.every(minute, missed: rule, grace: grace)
    scene.restart([task])
    scene.now = scene.now + .seconds(630)
    scene.restart([task])
    #expect(scene.summary("tidy") == expected)
  }

  @Test func theRunsOfRunAllFollowOneAnother() {
    var scene = SchedulerScene()
    let task = ScheduledTask.every(minute, missed: .runAll)
    scene.restart([task])
    scene.now = scene.now + .seconds(180)
    scene.restart([task])
    #expect(scene.started == [scene.records[0].result.runID])
    scene.finishAll()
    #expect(scene.summary("tidy") == ["completed 12:01", "completed 12:02", "completed 12:03"])
    #expect(scene.started == scene.records.map(\.result.runID))
  }

  @Test func runOnStartTakesThePlaceOfACatchUp() {
    var scene = SchedulerScene()
    let task = ScheduledTask.every(minute, runOnStart: true)
    scene.restart([task])
    #expect(scene.summary("tidy") == ["queued -"])
    scene.finishAll()
    scene.now = scene.now + .seconds(300)
    scene.restart([task])
    #expect(scene.summary("tidy") == ["completed -", "queued 12:01-12:05 ×5"])
    #expect(scene.records.map(\.result.trigger) == [.startup, .startup])
  }

  @Test func aStepForwardOfTheClockIsCaughtUp() {
    var scene = SchedulerScene()
    scene.restart([.every(minute)])
    scene.pass(.seconds(30))
    scene.set(scene.now + .seconds(3600))
    #expect(scene.summary("tidy") == ["queued 12:01-13:00 ×60"])
    scene.finishAll()
    scene.pass(.seconds(60))
    #expect(scene.summary("tidy").last == "queued 13:01")
  }

  @Test func aSmallStepBackIsWaitedOut() {
    var scene = SchedulerScene()
    scene.restart([.every(minute)])
    scene.pass(.seconds(600))
    scene.finishAll()
    let before = scene.slotCount("tidy")
    scene.set(scene.now - .seconds(3600))
    scene.pass(.seconds(3600))
    #expect(scene.slotCount("tidy") == before)
    scene.pass(.seconds(60))
    #expect(scene.slotCount("tidy") == before + 1)
  }

  @Test func aLargeStepBackBeginsTheSlotsAnew() {
    var scene = SchedulerScene()
    scene.restart([.every(minute)])
    scene.pass(.seconds(60))
    scene.finishAll()
    scene.set(scene.now - .seconds(5 * 86_400))
    scene.pass(.seconds(70))
    #expect(scene.records.count == 2)
    #expect(scene.logs == ["the clock is far behind the last slot (2026-11-20T12:01:00.000Z): its slots begin anew"])
  }

  @Test func aPausedTaskGetsARecordThatSaysWhoPausedIt() {
    var scene = SchedulerScene()
    scene.restart([.every(minute)])
    let pause = TaskPause(
      task: "tidy", until: scene.now + .seconds(90), reason: "the disk is replaced", by: "ann", since: scene.now)
    scene.pass(.seconds(120), pauses: [pause])
    #expect(scene.summary("tidy") == ["skipped 12:01", "queued 12:02"])
    #expect(scene.reasons("tidy") == ["paused until 2026-11-20T12:01:30.000Z by ann: the disk is replaced"])
  }

  @Test func logsEachPauseWhenItHearsOfIt() {
    var scene = SchedulerScene()
    func pause(_ task: String, _ length: Duration?, why: String = "") -> TaskPause {
      TaskPause(task: task, until: length.map { scene.now + $0 }, reason: why, by: "ann", since: scene.now)
    }
    let kept = pause("other", nil)
    scene.restart([.every(minute), .every(minute, "other")], pauses: [kept])
    let (short, long) = (pause("tidy", .seconds(90), why: "the disk is replaced"), pause("tidy", .seconds(100)))
    for pauses in [[kept, short], [kept, short], [long], nil] { scene.handle(.tick(pauses: pauses)) }
    scene.set(scene.now + .seconds(100), pauses: [])
    #expect(
      scene.logs == [
        "paused by ann", "paused until 2026-11-20T12:01:30.000Z by ann: the disk is replaced", "resumed",
        "paused until 2026-11-20T12:01:40.000Z by ann", "the pause is over",
      ])
  }

  @Test func aDisabledTaskHasNoSlotsAndKeepsItsGrid() {
    var scene = SchedulerScene()
    scene.restart([.every(minute)])
    scene.pass(.seconds(30))
    scene.handle(.planned(SchedulerPlan(tasks: [.every(minute, isEnabled: false)])))
    scene.pass(.seconds(600))
    #expect(scene.records == [])
    scene.handle(.planned(SchedulerPlan(tasks: [.every(minute)])))
    scene.pass(.seconds(30))
    #expect(scene.summary("tidy") == ["queued 12:11"])
  }

  @Test func anotherIntervalCountsFromTheLastSlotAndOnlyForward() {
    var scene = SchedulerScene()
    scene.restart([.every(.seconds(3600))])
    scene.pass(.seconds(1830))
    scene.handle(.planned(SchedulerPlan(tasks: [.every(.seconds(600))])))
    #expect(scene.records == [])
    scene.pass(.seconds(600))
    #expect(scene.summary("tidy") == ["queued 12:40"])
  }

  @Test func slotsOutsideTheWindowAreRunOnceAtItsOpening() {
    var scene = SchedulerScene()
    let rules = TaskRules(window: TimeWindow(start: 780, end: 840))
    scene.restart([.every(.seconds(1200), rules: rules, missed: .skip, grace: .seconds(60))])
    scene.pass(.seconds(3599))
    #expect(scene.records == [])
    scene.pass(.seconds(1))
    #expect(scene.summary("tidy") == ["queued 12:20-13:00 ×3"])
    scene.finishAll()
    scene.pass(.seconds(1200))
    #expect(scene.summary("tidy").last == "queued 13:20")
  }

  @Test func jitterDelaysTheStartAndNotTheSlot() throws {
    var scene = SchedulerScene()
    let task = ScheduledTask.every(minute, jitter: .seconds(30))
    scene.restart([task])
    let wake = try #require(scene.state.wakeAt)
    #expect(wake > ManualWallClock.noon + minute && wake < ManualWallClock.noon + .seconds(90))
    scene.set(wake - .milliseconds(1))
    #expect(scene.records == [])
    scene.set(wake)
    #expect(scene.summary("tidy") == ["queued 12:01"])
  }

  @Test func slotsThatTheStoreDidNotTakeAreRecordedLater() {
    var scene = SchedulerScene()
    scene.restart([.every(minute)])
    scene.isStoreBroken = true
    scene.pass(.seconds(180))
    #expect(scene.records == [] && scene.started == [])
    scene.isStoreBroken = false
    scene.pass(.seconds(2))
    #expect(scene.slotCount("tidy") == 3)
    #expect(scene.started.count == 1)
  }

  @Test func slotsThatAnotherProcessRecordedAreLeftToIt() {
    var scene = SchedulerScene()
    scene.restart([.every(minute)])
    scene.grids["tidy"]?.last = scene.now + .seconds(120)
    scene.pass(.seconds(120))
    #expect(scene.records == [])
    scene.pass(.seconds(60))
    #expect(scene.summary("tidy") == ["queued 12:03"])
  }

  @Test func aGridThatTheStoreLostIsPlacedAgainWithoutLosingASlot() {
    var scene = SchedulerScene()
    scene.restart([.every(minute)])
    scene.grids = [:]
    scene.pass(.seconds(65))
    #expect(scene.summary("tidy") == ["queued 12:01"])
  }

  @Test func tenThousandTasksHaveOneTimeToWakeAt() {
    var scene = SchedulerScene()
    scene.restart((1...10_000).map { .every(.seconds($0), "t\($0)") })
    #expect(scene.state.wakeAt == ManualWallClock.noon + .seconds(1))
    scene.pass(.seconds(1))
    #expect(scene.started.count == 1)
    #expect(scene.state.wakeAt == ManualWallClock.noon + .seconds(2))
  }
}
