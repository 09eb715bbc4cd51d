import Foundation
import Logging
import Synchronization
import UpkeepCore
import UpkeepRuns
import UpkeepRuntime
import UpkeepTestKit

/// A runner on a manual clock with a store in memory.
struct RunnerFixture {
  let clock = ManualClock()
  let wallClock: ManualWallClock
  let inspector = StubProcessInspector()
  let store: InMemoryStateStore
  let runner: Runner
  let events = EventLog()

  init() {
    wallClock = ManualWallClock(clock)
    store = InMemoryStateStore(inspector: inspector, wallClock: wallClock)
    runner = Self.runner(store, inspector, wallClock, clock, seed: 1)
  }

  static func runner(
    _ store: any RunLifeStore, _ inspector: StubProcessInspector, _ wallClock: ManualWallClock,
    _ clock: ManualClock, seed: UInt64
  ) -> Runner {
    Runner(
      store: store, inspector: inspector, wallClock: wallClock, clock: clock, random: SeededRandom(seed: seed),
      resources: NoResources(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  func start(_ request: RunRequest) -> Task<RunResult, Never> {
    Task { await runner.run(request, observe: events.add) }
  }

  /// Waits until an event of this kind was told.
  func until(_ kind: String) async {
    await events.until(kind)
  }
}

/// Collects the events of runs.
final class EventLog: Sendable {
  private struct State {
    var events: [RunEvent] = []
    var watchers: [(isDone: @Sendable ([RunEvent]) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let state = Mutex(State())

  var all: [RunEvent] { state.withLock { $0.events } }
  var kinds: [String] { all.map(\.kind) }

  var add: @Sendable (RunEvent) -> Void {
    { event in
      let due = self.state.withLock { state -> [CheckedContinuation<Void, Never>] in
        state.events.append(event)
        let events = state.events
        let due = state.watchers.filter { $0.isDone(events) }.map(\.continuation)
        state.watchers.removeAll { $0.isDone(events) }
        return due
      }
      for continuation in due { continuation.resume() }
    }
  }

  /// Waits for `count` events of a kind.
  func until(_ kind: String, _ count: Int = 1) async {
    let isDone: @Sendable ([RunEvent]) -> Bool = { events in events.filter { $0.kind == kind }.count >= count }
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state -> Bool in
        if isDone(state.events) { return true }
        state.watchers.append((isDone, continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }
}

extension RunEvent {
  var kind: String {
    switch self {
    case .queued: "queued"
    case .started: "started"
    case .forecast: "forecast"
    case .progress: "progress"
    case .finished: "finished"
    case .released: "released"
    }
  }
}

/// A door that a fake task waits at until the test opens it; deaf to cancellation.
final class Door: Sendable {
  private struct State {
    var isOpen = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  func open() {
    let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      state.isOpen = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  func wait() async {
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state -> Bool in
        if !state.isOpen { state.waiting.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
  }
}

extension RunnableTask {
  static func fake(
    _ name: String = "tidy", rules: TaskRules = TaskRules(), run: @escaping PreparedTask.Body = { _ in }
  ) -> RunnableTask {
    RunnableTask(name: name, plugin: "fake", prepared: PreparedTask(settings: settings, run: run), rules: rules)
  }

  /// A task with a preview.
  static func fake(
    _ name: String = "tidy", rules: TaskRules = TaskRules(), preview: @escaping PreparedTask.Body,
    isGuarded: Bool = false, run: @escaping PreparedTask.Body = { _ in }
  ) -> RunnableTask {
    RunnableTask(
      name: name, plugin: "fake",
      prepared: PreparedTask(settings: settings, run: run, preview: preview, isGuarded: isGuarded), rules: rules)
  }

  private static let settings: [String: JSONValue] = ["keep": .string("14d")]

  /// A task that would delete, and deletes, `doomed` of `total` rows.
  static func deleting(_ doomed: Int, of total: Int, guardRule: GuardRule? = GuardRule()) -> RunnableTask {
    fake(
      rules: TaskRules(guardRule: guardRule),
      preview: { context in
        context.add("odds_deleted", doomed)
        context.update(table: "odds") {
          $0.deleted = doomed
          $0.total = total
        }
      }, isGuarded: true,
      run: { context in
        context.add("odds_deleted", doomed)
        context.add("forecast", context.forecast?.deleted ?? -1)
      })
  }
}

extension RunResult {
  var keys: Set<String> {
    get throws {
      let data = try JSONEncoder().encode(self)
      return Set((try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]).keys)
    }
  }
}
