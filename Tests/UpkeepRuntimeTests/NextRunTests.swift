import Foundation
import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepSchedule
import UpkeepTestKit

@testable import UpkeepRuntime

/// When a task is started next. It is noon, and its last slot was then.
@Suite struct NextRunTests {
  private let noon = ManualWallClock.noon

  private func next(_ task: ScheduledTask, _ pause: TaskPause?, last: Timestamp? = nil) -> String? {
    task.nextRun(after: last ?? noon, pause: pause, at: noon, host: "box-1").map { String($0.rfc3339.dropFirst(8)) }
  }

  private func pause(_ length: Duration?) -> TaskPause {
    TaskPause(task: "tidy", until: length.map { noon + $0 }, reason: "", by: "ann", since: noon)
  }

  @Test func isTheNextSlotWithoutAPause() {
    #expect(next(.every(.seconds(3600)), nil) == "20T13:00:00.000Z")
    #expect(next(.every(.seconds(3600)), pause(.zero)) == "20T13:00:00.000Z", "it is over")
    #expect(next(.every(.seconds(3600)), pause(.seconds(-60))) == "20T13:00:00.000Z", "it is long over")
    #expect(next(.every(.seconds(3600), isEnabled: false), nil) == nil)
  }

  @Test(arguments: [
    (1, "20T13:00:00.000Z"), (3600, "20T13:00:00.000Z"), (3601, "20T14:00:00.000Z"), (7200, "20T14:00:00.000Z"),
    (86_400 * 10, "30T12:00:00.000Z"), (86_400 * 10 + 1, "30T13:00:00.000Z"),
  ])
  func isTheFirstSlotFromTheEndOfThePause(_ seconds: Int, _ expected: String) {
    #expect(next(.every(.seconds(3600)), pause(.seconds(seconds))) == expected)
  }

  @Test func isNoneWhereThePauseHasNoEnd() {
    #expect(next(.every(.seconds(3600)), pause(nil)) == nil)
  }

  @Test func countsFromTheSlotThatIsDecidedAbout() {
    #expect(next(.every(.seconds(3600)), pause(.seconds(5400)), last: noon - .seconds(900)) == "20T13:45:00.000Z")
  }

  /// A slot that waits for the window's opening runs where the pause is over by then.
  @Test(arguments: [
    (3600, "21T02:00:00.000Z"), (14 * 3600, "21T02:00:00.000Z"), (14 * 3600 + 1, "21T03:00:00.000Z"),
    (15 * 3600 + 1, "22T02:00:00.000Z"), (17 * 3600, "22T02:00:00.000Z"),
  ])
  func waitsForTheWindow(_ seconds: Int, _ expected: String) {
    let task = ScheduledTask.every(
      .seconds(3600), rules: TaskRules(window: TimeWindow(start: 2 * 60, end: 4 * 60)))
    #expect(next(task, pause(.seconds(seconds))) == expected)
  }

  /// The one slot of a day comes in the pause and waits for a window after it.
  @Test func aSlotOfThePauseThatWaitsForAWindowBehindItRuns() {
    let task = ScheduledTask.every(
      .seconds(86_400), rules: TaskRules(window: TimeWindow(start: 2 * 60, end: 4 * 60)))
    let last = noon - .seconds(23 * 3600)
    #expect(next(task, pause(.seconds(2 * 3600)), last: last) == "21T02:00:00.000Z")
  }

  @Test func theJitterCounts() throws {
    let task = ScheduledTask.every(.seconds(3600), jitter: .seconds(1800))
    let delay = Jitter(upTo: .seconds(1800), host: "box-1", task: "tidy").delay(
      of: noon + .seconds(3600), in: .interval(.seconds(3600)))
    try #require(delay > .seconds(1))
    let due = noon + .seconds(3600) + delay
    let none = task.nextRun(after: noon, pause: nil, at: noon, host: "box-1")
    #expect(none == due)
    // Its slot passes in the pause; its run would come behind it.
    let slot = pause(.seconds(3600) + delay)
    #expect(task.nextRun(after: noon, pause: slot, at: noon, host: "box-1") == due)
    let later = pause(.seconds(3601) + delay)
    #expect(task.nextRun(after: noon, pause: later, at: noon, host: "box-1") == due + .seconds(3600))
  }

  /// What is said is what happens: the scheduler's state, told of the pause, makes its first run then.
  @Test(arguments: [1, 59, 60, 61, 3600, 5000])
  func isWhenTheSchedulerStartsIt(_ seconds: Int) throws {
    let pause = pause(.seconds(seconds))
    let task = ScheduledTask.every(.seconds(60), jitter: .seconds(45))
    var scene = SchedulerScene()
    scene.restart([task], pauses: [pause])
    let entry = try #require(scene.state.entries["tidy"])
    let said = try #require(scene.state.nextRun(of: entry, pause: pause, at: scene.now))
    scene.pass(said - scene.now - .milliseconds(1), pauses: [pause])
    #expect(scene.started == [])
    scene.pass(.milliseconds(1), pauses: [pause])
    #expect(scene.started.count == 1)
  }
}
