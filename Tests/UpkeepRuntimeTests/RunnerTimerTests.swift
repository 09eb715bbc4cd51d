import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepTestKit

@testable import UpkeepRuntime

/// What the timers of runs leave behind.
@Suite struct RunnerTimerTests {
  /// A cancelled sleep is kept until its end, so that long timeouts would hold on to something of every run.
  @Test func sleepsInPiecesHoweverLongTheTimeoutIs() async {
    let (fixture, clock) = (RunnerFixture(), SleepRecordingClock())
    let runner = Runner(
      store: fixture.store, inspector: StubProcessInspector(), wallClock: fixture.wallClock, clock: clock,
      random: SeededRandom(), resources: NoResources(), logger: fixture.runner.logger)
    // The guard's preview and the run have timers, heartbeat and pulse.
    let task = RunnableTask.fake(rules: TaskRules(timeout: .seconds(86_400)), preview: { _ in }, isGuarded: true) { _ in
      await Task.yield()
    }
    #expect(await runner.run(RunRequest(task: task, trigger: .manual)).status == .completed)
    #expect(clock.longest > .zero)
    #expect(clock.longest <= Runner.longestSleep)
  }
}
