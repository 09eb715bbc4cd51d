import Synchronization
import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepRuntime
import UpkeepTestKit

@Suite struct RunnerGuardTests {
  let fixture = RunnerFixture()

  @Test func aRunThatWouldDeleteTooMuchIsRefusedAndDoesNothing() async throws {
    let result = await fixture.runner.run(RunRequest(task: .deleting(1200, of: 1500)))
    #expect(result.status == .refused)
    #expect(result.reason == "odds would lose 1,200 of 1,500 rows (80 %), more than the guard's 50 %")
    #expect(result.counts.isEmpty)
    #expect(result.tables.isEmpty)
    #expect(
      result.guardVerdict
        == GuardVerdict(
          wouldRefuse: true, overridden: false, maxPercent: 50, minRows: 1000,
          tables: [GuardedTable(table: "odds", doomed: 1200, total: 1500, percent: 80)]))
    #expect(try await fixture.store.record(result.runID)?.result == result)
    #expect(try await fixture.store.holders().isEmpty)
  }

  @Test(arguments: [
    (doomed: 999, total: 999, status: RunStatus.completed),
    (doomed: 1000, total: 1999, status: .refused),
    (doomed: 1000, total: 2000, status: .completed),
    (doomed: 1001, total: 2000, status: .refused),
    (doomed: 0, total: 0, status: .completed),
  ])
  func theGuardHoldsFromMinRowsAndAboveMaxPercent(doomed: Int, total: Int, status: RunStatus) async {
    let result = await fixture.runner.run(RunRequest(task: .deleting(doomed, of: total)))
    #expect(result.status == status)
    #expect(result.guardVerdict?.wouldRefuse == (status == .refused))
  }

  @Test func theGuardNamesTheTableFirstThatWouldLoseTheLargestShare() {
    let tables = [(6000, 10_000), (1000, 1000), (999, 999), (7000, 10_000)].enumerated().map { index, table in
      TableResult(table: "t\(index)", deleted: table.0, total: table.1)
    }
    let verdict = GuardRule().judge(tables, overridden: false)
    #expect(verdict.tables.map(\.table) == ["t1", "t3", "t0"])
    #expect(verdict.tables.map(\.percent) == [100, 70, 60])
  }

  @Test(arguments: [(0, 0, false), (0, 1, false), (1, 1, true), (1, 2, false), (2, 3, true)])
  func theGuardJudgesTheSmallestTablesWhereItsRuleSaysSo(doomed: Int, total: Int, refuses: Bool) {
    let table = TableResult(table: "odds", deleted: doomed, total: total)
    #expect(GuardRule(minRows: 0).judge([table], overridden: false).wouldRefuse == refuses)
  }

  @Test func aPreviewOfATaskWithoutAGuardIsNotJudged() async {
    let preview: PreparedTask.Body = { context in
      context.update(table: "odds") { ($0.deleted, $0.total) = (1200, 1500) }
    }
    let result = await fixture.runner.run(RunRequest(task: .fake(preview: preview, run: preview), mode: .preview))
    #expect(result.status == .completed)
    #expect(result.guardVerdict == nil)
  }

  /// What a run deletes is what its preview has found: both count ages from the same instant, and leave alone the same.
  @Test func aPreviewAndItsRunAreToldTheSameTimeAndExceptions() async {
    let seen = Mutex<[(now: Timestamp, exceptions: [RowException])]>([])
    let clock = fixture.clock
    let look: PreparedTask.Body = { context in
      seen.withLock { $0.append((context.now, context.exceptions(in: "app"))) }
      clock.advance(by: .seconds(5))
    }
    var task = RunnableTask.fake(preview: look, isGuarded: true, run: look)
    task.rules.exceptions = [RowException(database: "app", table: "odds", rows: .keys([.integer(7)]))]
    let start = fixture.wallClock.now()
    let result = await fixture.runner.run(RunRequest(task: task))
    #expect(result.status == .completed)
    #expect(seen.withLock { $0.map(\.now) } == [start, start])
    #expect(seen.withLock { $0.map(\.exceptions) } == [task.rules.exceptions, task.rules.exceptions])
  }

  @Test func anOverriddenGuardIsRecorded() async {
    let result = await fixture.runner.run(RunRequest(task: .deleting(1200, of: 1500), overrideGuard: true))
    #expect(result.status == .completed)
    #expect(result.counts == ["odds_deleted": 1200, "forecast": 1200])
    #expect(result.guardVerdict?.wouldRefuse == true)
    #expect(result.guardVerdict?.overridden == true)
  }

  @Test func theForecastIsToldBeforeTheFirstRowGoes() async {
    _ = await fixture.runner.run(RunRequest(task: .deleting(10, of: 1500)), observe: fixture.events.add)
    #expect(fixture.events.kinds == ["started", "forecast", "finished"])
    guard case .forecast(let result, let forecast) = fixture.events.all[1] else { return }
    #expect(result.counts.isEmpty)
    #expect(result.guardVerdict?.wouldRefuse == false)
    #expect(forecast.deleted == 10)
  }

  @Test func theForecastIsMadeEvenWhereTheGuardIsSwitchedOff() async {
    let result = await fixture.runner.run(RunRequest(task: .deleting(1200, of: 1500, guardRule: nil)))
    #expect(result.status == .completed)
    #expect(result.guardVerdict == nil)
    #expect(result.counts == ["odds_deleted": 1200, "forecast": 1200])
  }

  /// A task that is guarded only where somebody sets a guard has no forecast without one.
  @Test func aTaskWhoseGuardIsOptionalHasNoForecastWithoutOne() async {
    func task(_ rule: GuardRule?) -> RunnableTask {
      var task = RunnableTask.deleting(1200, of: 1500, guardRule: rule)
      let prepared = task.prepared
      task.prepared = PreparedTask(
        run: prepared.run, preview: prepared.preview, isGuarded: true, isGuardOptional: true)
      return task
    }
    let free = await fixture.runner.run(RunRequest(task: task(nil)))
    #expect(free.status == .completed)
    #expect(free.guardVerdict == nil)
    #expect(free.counts == ["odds_deleted": 1200, "forecast": -1])
    let guarded = await fixture.runner.run(RunRequest(task: task(GuardRule())))
    #expect(guarded.status == .refused)
  }

  /// A task that has to notice a change since then learns of its last completed run, not of failures and previews.
  @Test func aTaskLearnsOfItsLastCompletedRun() async throws {
    let seen = Mutex<[String?]>([])
    func task(fails: Bool = false) -> RunnableTask {
      let look: PreparedTask.Body = { context in
        let last = try await context.lastCompleted()?.runID
        seen.withLock { $0.append(last) }
        if fails { throw TaskError(code: "no", place: "here", problem: "no", fix: "no") }
      }
      return .fake(preview: look, run: look)
    }
    var results: [RunResult] = []
    for (fails, mode) in [(false, RunMode.run), (true, .run), (false, .preview), (false, .run), (false, .run)] {
      fixture.clock.advance(by: .seconds(1))
      results.append(await fixture.runner.run(RunRequest(task: task(fails: fails), mode: mode)))
    }
    let (first, last) = (results[0].runID, results[3].runID)
    #expect(seen.withLock { $0 } == [nil, first, first, first, last])
  }

  @Test func aTaskThatDeletesNothingHasNoGuard() async {
    let result = await fixture.runner.run(
      RunRequest(task: .fake(preview: { $0.add("plans_reset", 9) }, run: { $0.add("plans_reset", 9) })))
    #expect(result.guardVerdict == nil)
    #expect(result.counts == ["plans_reset": 9])
  }

  @Test func aPreviewThatTheGuardWouldRefuseIsCompletedAndSaysSo() async throws {
    let result = await fixture.runner.run(
      RunRequest(task: .deleting(1200, of: 1500), mode: .preview), observe: fixture.events.add)
    #expect(result.status == .completed)
    #expect(result.counts == ["odds_deleted": 1200])
    #expect(result.tables == [TableResult(table: "odds", deleted: 1200, total: 1500)])
    #expect(result.guardVerdict?.wouldRefuse == true)
    #expect(result.guardVerdict?.overridden == false)
    #expect(try await fixture.store.record(result.runID)?.result == result)
    #expect(fixture.events.kinds == ["started", "finished"])
  }

  @Test func aPreviewNeedsNoLease() async throws {
    let door = Door()
    let task = RunnableTask.fake(preview: { $0.add("rows_deleted", 1) }, run: { _ in await door.wait() })
    let run = fixture.start(RunRequest(task: task))
    await fixture.until("started")
    #expect(await fixture.runner.run(RunRequest(task: task, mode: .preview)).status == .completed)
    door.open()
    _ = await run.value
  }

  @Test func aPreviewOfATaskThatHasNoneFails() async {
    let result = await fixture.runner.run(RunRequest(task: .fake(), mode: .preview))
    #expect(result.status == .failed)
    #expect(
      result.errors == [
        RunError(
          step: "run", code: "no_preview", message: "task tidy: its plugin fake has no preview; run it instead")
      ])
  }

  @Test func aForecastThatFailsKeepsTheRunFromStarting() async {
    let result = await fixture.runner.run(
      RunRequest(
        task: .fake(
          preview: { _ in throw TaskError(code: "no_table", place: "table a", problem: "gone", fix: "create it") },
          isGuarded: true, run: { $0.add("rows_deleted", 1) })))
    #expect(result.status == .failed)
    #expect(result.errors.map(\.code) == ["no_table"])
    #expect(result.counts.isEmpty)
  }

  @Test func aStepThatTheGuardCouldNotJudgeIsLeftOut() async {
    let result = await fixture.runner.run(
      RunRequest(
        task: .fake(
          preview: { context in
            _ = try await context.step("a") {
              throw TaskError(code: "database_busy", place: "table a", problem: "busy", fix: "wait")
            }
            _ = try await context.step("b") { context.add("b_deleted", 1) }
          }, isGuarded: true,
          run: { context in
            _ = try await context.step("a") { context.add("a_deleted", 1) }
            _ = try await context.step("b") { context.add("b_deleted", 1) }
          })))
    #expect(result.status == .completedWithErrors)
    #expect(result.counts == ["b_deleted": 1])
    #expect(result.errors == [RunError(step: "a", code: "database_busy", message: "table a: busy; wait")])
  }
}
