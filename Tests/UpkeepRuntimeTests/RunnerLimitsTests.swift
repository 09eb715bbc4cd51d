import Foundation
import Synchronization
import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepRuntime
import UpkeepSchedule
import UpkeepTestKit

/// What a run learns of its budget and its window, and what its result says of them. It is noon.
struct RunnerLimitsTests {
  private let fixture = RunnerFixture()
  private let seen = SeenLimits()

  private func run(_ rules: TaskRules, _ trigger: RunTrigger = .manual) async -> RunResult {
    let seen = seen
    let task = RunnableTask.fake(
      rules: rules, preview: { seen.add("preview", $0.limits) }, isGuarded: true, run: { seen.add("run", $0.limits) })
    return await fixture.runner.run(RunRequest(task: task, trigger: trigger))
  }

  @Test func setsNoLimitsByDefault() async {
    _ = await run(TaskRules())
    #expect(seen.all["run"] == RunLimits())
  }

  @Test(arguments: RunTrigger.allCases)
  func givesTheBudgetToEveryRunButNotToItsPreview(trigger: RunTrigger) async {
    _ = await run(TaskRules(budget: RunBudget(maxRows: 5, maxDuration: .seconds(60))), trigger)
    #expect(seen.all == ["preview": RunLimits(), "run": RunLimits(maxRows: 5, maxDuration: .seconds(60))])
  }

  @Test(arguments: [(RunTrigger.scheduled, true), (.startup, true), (.manual, false), (.api, false)])
  func holdsOnlyTheScheduleToTheWindow(trigger: RunTrigger, holds: Bool) async {
    _ = await run(TaskRules(window: TimeWindow(start: 11 * 60, end: 13 * 60)), trigger)
    #expect(seen.all["run"]?.windowEnd == (holds ? ManualWallClock.noon + .seconds(3600) : nil))
  }

  @Test func readsTheWindowOnTheClocksOfItsZone() async throws {
    let riga = try #require(TimeZone(identifier: "Europe/Riga"))
    _ = await run(TaskRules(window: TimeWindow(start: 11 * 60, end: 15 * 60), timeZone: riga), .scheduled)
    #expect(seen.all["run"]?.windowEnd == ManualWallClock.noon + .seconds(3600))
  }

  @Test(arguments: [TimeWindow(start: 60, end: 720), TimeWindow(start: 721, end: 800)])
  func endsAScheduledRunOutsideItsWindowBeforeItsFirstBatch(window: TimeWindow) async {
    let task = RunnableTask.fake(rules: TaskRules(window: window)) { context in
      if let reason = context.limitReached() { return context.stop(for: reason) }
      context.add("odds_deleted", 1)
    }
    let result = await fixture.runner.run(RunRequest(task: task, trigger: .scheduled))
    #expect(result.status == .completed)
    #expect(result.reason == "window")
    #expect(result.progress == RunProgress(percent: 0, message: "Stopped: its window is over"))
    #expect(result.counts == [:])
  }

  /// Deletes a row a batch, of so many, within its limits.
  private func deleting(_ name: String, _ doomed: Int, budget: Int?) -> RunnableTask {
    .fake(
      name, rules: TaskRules(budget: RunBudget(maxRows: budget)),
      preview: { context in
        context.update(table: "odds") {
          $0.deleted = doomed
          $0.total = 10_000
        }
      }, isGuarded: true,
      run: { context in
        for row in 1...doomed {
          if let reason = context.limitReached() { return context.stop(for: reason) }
          context.update(table: "odds") { $0.deleted += 1 }
          context.report(Double(row) / Double(doomed), "row \(row)")
        }
      })
  }

  @Test func saysWhatAUsedUpBudgetLeavesUndone() async throws {
    let result = await fixture.runner.run(RunRequest(task: deleting("tidy", 5, budget: 2)))
    #expect(result.status == .completed)
    #expect(result.reason == "budget")
    #expect(result.remaining == ["odds": 3])
    #expect(result.progress == RunProgress(percent: 40, message: "Stopped: its budget is used up"))
    #expect(try await fixture.store.record(result.runID)?.result == result)
  }

  @Test func saysNothingWhereTheBudgetSuffices() async {
    let result = await fixture.runner.run(RunRequest(task: deleting("tidy", 5, budget: 5)))
    #expect(result.reason == nil)
    #expect(result.remaining == nil)
    #expect(result.progress == RunProgress(percent: 100, message: "Done"))
  }

  @Test func givesEachTaskOfAGroupABudgetOfItsOwn() async {
    let tasks = [deleting("a", 5, budget: 3), deleting("b", 3, budget: nil), deleting("c", 4, budget: 3)]
    let group = await GroupRunner(fixture.runner).run(GroupRequest(group: "all", tasks: tasks))
    #expect(group.status == .completed)
    #expect(group.results.map(\.reason) == ["budget", nil, "budget"])
    #expect(group.results.map(\.remaining) == [["odds": 2], nil, ["odds": 1]])
    #expect(group.results.map { $0.tables.map(\.deleted) } == [[3], [3], [3]])
  }
}

/// Collects the limits that the parts of a run were given.
private final class SeenLimits: Sendable {
  private let state = Mutex<[String: RunLimits]>([:])

  var all: [String: RunLimits] { state.withLock { $0 } }

  func add(_ part: String, _ limits: RunLimits) {
    state.withLock { $0[part] = limits }
  }
}
