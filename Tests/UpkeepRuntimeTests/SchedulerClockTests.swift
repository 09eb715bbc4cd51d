import Logging
import Synchronization
import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepTestKit

@testable import UpkeepRuntime

/// The scheduler's loop on a clock that a test moves: what it does when the time of day and the time that passes differ.
@Suite(.timeLimit(.minutes(2))) struct SchedulerClockTests {
  /// A scheduler that works, with all that happens around it.
  private struct Desk: Sendable {
    let clock = ManualClock()
    let wallClock: ManualWallClock
    let store: InMemoryStateStore
    let scheduler: Scheduler
    let events = EventLog()
    let log = SchedulerLog()
    let turns: AsyncStream<SchedulerTurn>

    init() {
      let inspector = StubProcessInspector()
      let log = log
      let logger = Logger(label: "test") { _ in log }
      wallClock = ManualWallClock(clock)
      store = InMemoryStateStore(inspector: inspector, wallClock: wallClock)
      let (turns, send) = AsyncStream.makeStream(of: SchedulerTurn.self)
      self.turns = turns
      scheduler = Scheduler(
        store: store, runner: RunnerFixture.runner(store, inspector, wallClock, clock, seed: 3), inspector: inspector,
        wallClock: wallClock, clock: clock, random: SeededRandom(seed: 4), logger: logger, observe: events.add,
        onTurn: { send.yield($0) })
    }

    /// Holds the records of all slots, oldest first, against what they should be.
    func expectSlots(_ expected: [String], at place: SourceLocation = #_sourceLocation) async throws {
      let slots = try await store.records(RunQuery(limit: 100)).reversed().map { record in
        let slots = record.slots.map { $0.count == 1 ? $0.last.clock : "\($0.first.clock)-\($0.last.clock)" } ?? "-"
        return "\(record.result.status.rawValue) \(slots)"
      }
      #expect(slots == expected, sourceLocation: place)
    }
  }

  private func serving(
    _ tasks: [ScheduledTask], _ body: (Desk, inout AsyncStream<SchedulerTurn>.AsyncIterator) async throws -> Void
  ) async throws {
    let desk = Desk()
    var turns = desk.turns.makeAsyncIterator()
    let working = Task { try await desk.scheduler.run(SchedulerPlan(tasks: tasks)) }
    _ = await turns.next()
    try await body(desk, &turns)
    desk.scheduler.stop()
    #expect(try await working.value == 0)
  }

  @Test func looksAtTheClockEveryTenSecondsWithNothingToDo() async throws {
    try await serving([.every(.seconds(3600))]) { desk, turns in
      for _ in 1...5 {
        await desk.clock.untilSomebodySleeps(for: .seconds(10))
        desk.clock.advance(by: .seconds(10))
        _ = await turns.next()
      }
      #expect(await desk.scheduler.isAlive)
      #expect(desk.log.warnings == [])
    }
  }

  @Test func aPausedSlotIsNoWarning() async throws {
    let pause = TaskPause(
      task: "tidy", until: nil, reason: "a migration", by: "ann", since: ManualWallClock.noon)
    try await serving([.every(.seconds(10)), .every(.seconds(10), "other")]) { desk, turns in
      try await desk.store.pause(pause)
      await desk.clock.untilSomebodySleeps(for: .seconds(10))
      desk.clock.advance(by: .seconds(10))
      await desk.events.until("finished", 2)
      #expect(desk.log.lines(.info).contains("skipped: paused by ann: a migration"))
      #expect(desk.log.warnings == [])
    }
  }

  /// What another process writes is found on the round that says to the store that this one lives.
  @Test func logsThePauseOfATaskThatIsNotDue() async throws {
    try await serving([.every(.seconds(3600))]) { desk, turns in
      try await desk.store.pause(
        TaskPause(task: "tidy", until: nil, reason: "a migration", by: "ann", since: ManualWallClock.noon))
      await desk.clock.untilSomebodySleeps(for: .seconds(10))
      desk.clock.advance(by: .seconds(10))
      while !desk.log.lines(.info).contains("paused by ann: a migration") { _ = await turns.next() }
    }
  }

  @Test func aStepForwardIsNoticedAtTheNextLook() async throws {
    try await serving([.every(.seconds(3600))]) { desk, turns in
      desk.wallClock.set(ManualWallClock.noon + .seconds(2 * 3600 + 60))
      await desk.clock.untilSomebodySleeps(for: .seconds(10))
      desk.clock.advance(by: .seconds(10))
      await desk.events.until("finished")
      try await desk.expectSlots(["completed 13:00-14:00"])
      #expect(desk.log.warnings == ["the clock stepped forward by 2h1m"])
    }
  }

  @Test func aStepBackMakesNoSlotComeTwice() async throws {
    try await serving([.every(.seconds(60))]) { desk, turns in
      for count in 1...6 {
        await desk.clock.untilSomebodySleeps(for: .seconds(10))
        desk.clock.advance(by: .seconds(10))
        _ = await turns.next()
        if count == 6 { await desk.events.until("finished") }
      }
      try await desk.expectSlots(["completed 12:01"])
      // Half an hour that comes a second time.
      desk.wallClock.set(ManualWallClock.noon - .seconds(1740))
      for count in 1...186 {
        await desk.clock.untilSomebodySleeps(for: .seconds(10))
        desk.clock.advance(by: .seconds(10))
        _ = await turns.next()
        if count < 186 { #expect(desk.events.kinds.filter { $0 == "finished" }.count == 1) }
      }
      await desk.events.until("finished", 2)
      try await desk.expectSlots(["completed 12:01", "completed 12:02"])
      #expect(desk.log.warnings.contains("the clock stepped back by 30m"))
    }
  }

  /// A machine that sleeps: both clocks go on, and nobody was awake.
  @Test func afterASuspensionWhatPassedIsMadeUpForOnce() async throws {
    try await serving([.every(.seconds(60))]) { desk, _ in
      await desk.clock.untilSomebodySleeps(for: .seconds(10))
      desk.clock.advance(by: .seconds(3600))
      await desk.events.until("finished")
      try await desk.expectSlots(["completed 12:01-13:00"])
      #expect(desk.log.warnings == [], "no clock is wrong")
    }
  }
}

/// What the scheduler logs.
private final class SchedulerLog: LogHandler, Sendable {
  private let lines = Mutex<[(level: Logger.Level, text: String)]>([])

  func lines(_ level: Logger.Level) -> [String] { lines.withLock { $0.filter { $0.level == level }.map(\.text) } }
  var warnings: [String] { lines.withLock { $0.filter { $0.level >= .warning }.map(\.text) } }
  var metadata: Logger.Metadata {
    get { [:] }
    set {}
  }
  var logLevel: Logger.Level {
    get { .trace }
    set {}
  }
  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { nil }
    set {}
  }

  func log(event: LogEvent) {
    lines.withLock { $0.append((event.level, "\(event.message)")) }
  }
}
