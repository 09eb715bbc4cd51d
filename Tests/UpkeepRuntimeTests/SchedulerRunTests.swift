import Foundation
import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepSchedule
import UpkeepTestKit

@testable import UpkeepRuntime

/// Which runs begin, and what becomes of slots that come while they wait or work.
@Suite struct SchedulerRunTests {
  private let minute = Duration.seconds(60)

  private func scene(_ overlap: OverlapRule, max: Int = 4) -> SchedulerScene {
    var scene = SchedulerScene()
    scene.restart([.every(minute, rules: TaskRules(overlap: overlap))], max: max)
    scene.pass(minute)
    scene.begin(scene.started[0])
    return scene
  }

  @Test func aSlotThatComesWhileTheTaskRunsIsSkipped() {
    var scene = scene(.skip)
    let first = scene.started[0]
    scene.pass(.seconds(120))
    #expect(scene.summary("tidy") == ["running 12:01", "skipped 12:02", "skipped 12:03"])
    #expect(scene.reasons("tidy")[0] == "tidy is running (run \(first), pid 4711 on box-1)")
    scene.end(first)
    scene.pass(minute)
    #expect(scene.summary("tidy").last == "queued 12:04")
    #expect(scene.started.count == 2)
  }

  @Test func withQueueOneWaitsAndFurtherSlotsJoinIt() {
    var scene = scene(.queue)
    let first = scene.started[0]
    scene.pass(minute)
    // The runner finds the first one's lease in its way.
    scene.handle(.runWaits(scene.started[1]))
    scene.pass(.seconds(180))
    #expect(scene.summary("tidy") == ["running 12:01", "queued 12:02-12:05 ×4"])
    #expect(scene.started.count == 2)
    scene.end(first)
    scene.begin(scene.started[1])
    scene.pass(minute)
    #expect(scene.summary("tidy") == ["completed 12:01", "running 12:02-12:05 ×4", "queued 12:06"])
  }

  @Test func withCancelPreviousTheRunThatWorksIsToldToStop() {
    var scene = scene(.cancelPrevious, max: 1)
    scene.pass(minute)
    #expect(scene.stopped.map(\.run) == [scene.started[0]])
    #expect(scene.stopped.map(\.status) == [.cancelled])
    scene.end(scene.started[0], .cancelled)
    #expect(scene.started.count == 2)
  }

  @Test func withAllowEachSlotHasItsRun() {
    var scene = scene(.allow)
    scene.pass(.seconds(120))
    #expect(scene.started.count == 3)
    #expect(scene.summary("tidy") == ["running 12:01", "queued 12:02", "queued 12:03"])
  }

  @Test func moreRunsThanPlacesWaitInTheOrderInWhichTheyCame() {
    var scene = SchedulerScene()
    scene.restart((1...5).map { .every(minute, "t\($0)") }, max: 2)
    scene.pass(minute)
    let ids = scene.records.map(\.result.runID)
    #expect(scene.records.map(\.result.task) == ["t1", "t2", "t3", "t4", "t5"])
    #expect(scene.started == Array(ids[0...1]))
    scene.begin(ids[0])
    scene.end(ids[0])
    #expect(scene.started == Array(ids[0...2]))
    scene.finishAll()
    #expect(scene.started == ids)
  }

  @Test func aRunThatIsOverGivesItsPlaceAwayBeforeItsEndIsTold() {
    var scene = SchedulerScene()
    scene.restart([.every(minute, "t1"), .every(minute, "t2")], max: 1)
    scene.pass(minute)
    let first = scene.started[0]
    scene.begin(first)
    scene.handle(.runReleased(first))
    #expect(scene.started.count == 2)
    scene.handle(.runReleased(first))
    #expect(scene.state.placed == 1, "it has one place to give")
    // Its task is free as well: the next slot isn't skipped for it.
    scene.begin(scene.started[1])
    scene.pass(minute)
    #expect(scene.summary("t1") == ["running 12:01", "queued 12:02"])
    // A stop waits for what is still to be told of.
    scene.handle(.stop)
    scene.end(scene.started[1])
    #expect(!scene.state.isOver)
    scene.end(first)
    #expect(scene.state.isOver && scene.state.placed == 0)
  }

  @Test func aRunThatWaitsForAnotherGivesItsPlaceAway() {
    var scene = SchedulerScene()
    scene.restart((1...3).map { .every(minute, "t\($0)") }, max: 1)
    scene.pass(minute)
    scene.handle(.runWaits(scene.started[0]))
    #expect(scene.started.count == 2)
    scene.begin(scene.started[1])
    scene.begin(scene.started[0])
    scene.end(scene.started[1])
    #expect(scene.started.count == 2, "the one that waited has a place now")
    scene.end(scene.started[0])
    #expect(scene.started.count == 3)
  }

  @Test func slotsJoinARunThatWaitsForAPlace() {
    var scene = SchedulerScene()
    scene.restart([.every(.seconds(3600), "long"), .every(minute)], max: 1)
    scene.pass(.seconds(3600))
    // Both come due at 13:00; before that the short one had every slot.
    scene.finishAll()
    scene.pass(.seconds(3600))
    let long = scene.started.last { id in scene.records.contains { $0.result.runID == id && $0.result.task == "long" } }
    #expect(long != nil)
    #expect(scene.slotCount("tidy") == 120)
  }

  @Test func aStopLetsWhatWorksEndAndRecordsWhatNeverBegan() {
    var scene = SchedulerScene()
    scene.restart((1...3).map { .every(minute, "t\($0)") }, max: 1)
    scene.pass(minute)
    scene.begin(scene.started[0])
    scene.handle(.stop)
    #expect(scene.summary("t2") == ["missed 12:01"])
    #expect(scene.reasons("t3") == ["serve stopped before it could begin"])
    #expect(!scene.state.isOver)
    scene.pass(.seconds(300))
    #expect(scene.records.count == 3, "nothing is due any more")
    scene.end(scene.started[0])
    #expect(scene.state.isOver)
    #expect(scene.state.interrupted == 0)
  }

  @Test func whatDoesNotEndInTimeIsInterrupted() {
    var scene = scene(.skip)
    scene.handle(.stop)
    #expect(scene.stopped.isEmpty)
    scene.handle(.interruptAll(reason: "too long"))
    #expect(scene.stopped.map(\.status) == [.interrupted])
    scene.end(scene.started[0], .interrupted)
    #expect(scene.state.interrupted == 1)
  }

  @Test func aRunBehindAnotherDoesNotBeginOnceTheHostStops() {
    var scene = scene(.queue)
    scene.pass(minute)
    scene.handle(.runWaits(scene.started[1]))
    scene.handle(.stop)
    #expect(scene.stopped.map(\.run) == [scene.started[1]])
    #expect(scene.stopped.map(\.status) == [.missed])
    scene.end(scene.started[1], .missed)
    #expect(!scene.state.isOver)
  }

  @Test func aPreviewTakesNoPlace() {
    var scene = SchedulerScene()
    scene.restart([.every(minute)], max: 1)
    scene.pass(minute)
    scene.begin(scene.started[0])
    let record = scene.state.maker.record(of: .fake(), mode: .preview, trigger: .api, at: scene.now)
    scene.handle(.asked(SchedulerState.Run(record: record, task: .fake())))
    #expect(scene.started.count == 2)
    scene.handle(.runStarted(record.result.runID))
    scene.handle(.runEnded(record.result.runID, .completed))
    #expect(scene.state.placed == 1)
  }

  /// Two tasks of one place: the first works, the second is in line with a slot, the third with somebody's request.
  private func line() -> SchedulerScene {
    var scene = SchedulerScene()
    scene.restart((1...2).map { .every(minute, "t\($0)") }, max: 1)
    scene.pass(minute)
    scene.begin(scene.started[0])
    let asked = scene.state.maker.record(of: .fake("t2"), trigger: .api, at: scene.now)
    scene.records.append(asked)
    scene.handle(.asked(SchedulerState.Run(record: asked, task: .fake("t2"))))
    return scene
  }

  @Test func aRunInLineBeginsAsThePlanInForceSays() {
    var scene = line()
    let rules = TaskRules(timeout: .seconds(7))
    scene.handle(
      .planned(SchedulerPlan(tasks: [.every(minute, "t1"), .every(minute, "t2", rules: rules)], maxConcurrentRuns: 1)))
    #expect(scene.state.runs[scene.started[0]]?.task.rules.timeout == TaskRules().timeout, "it works already")
    for record in scene.records.dropFirst() {
      #expect(scene.state.runs[record.result.runID]?.task.rules.timeout == .seconds(7))
    }
    scene.finishAll()
    #expect(scene.started == scene.records.map(\.result.runID))
  }

  @Test func aRunInLineDoesNotBeginWhereItsTaskIsGone() {
    var scene = line()
    scene.handle(.planned(SchedulerPlan(tasks: [.every(minute, "t1")], maxConcurrentRuns: 1)))
    #expect(scene.summary("t2") == ["missed 12:01", "cancelled -"])
    #expect(scene.reasons("t2") == Array(repeating: "its task left the configuration before it could begin", count: 2))
    scene.finishAll()
    #expect(scene.started.count == 1)
    // Its slots go on where they were once it is back.
    scene.pass(.seconds(30))
    scene.handle(.planned(SchedulerPlan(tasks: [.every(minute, "t2")], maxConcurrentRuns: 1)))
    scene.pass(.seconds(30))
    #expect(scene.summary("t2").last == "queued 12:02")
  }

  @Test func aSlotInLineDoesNotBeginWhereItsTaskIsDisabled() {
    var scene = line()
    scene.handle(
      .planned(
        SchedulerPlan(tasks: [.every(minute, "t1"), .every(minute, "t2", isEnabled: false)], maxConcurrentRuns: 1)))
    #expect(scene.summary("t2") == ["missed 12:01", "queued -"])
    #expect(scene.reasons("t2") == ["its task was disabled before it could begin"])
    scene.finishAll()
    #expect(scene.summary("t2").last == "completed -", "what somebody asks for runs all the same")
  }

  @Test func aTaskThatLeavesTheConfigurationEndsItsRunAndHasNoSlots() {
    var scene = scene(.skip)
    scene.handle(.planned(SchedulerPlan(tasks: [])))
    scene.pass(.seconds(600))
    scene.end(scene.started[0])
    #expect(scene.summary("tidy") == ["completed 12:01"])
  }
}
