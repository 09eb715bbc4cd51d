import Foundation
import Logging
import Synchronization
import UpkeepCore
import UpkeepRuns
import UpkeepTestKit

@testable import UpkeepHTTP

/// A host whose runs end as the test says, on a real store in memory.
final class FakeHost: HostStatus, RunCommands, ConfigurationStatusSource, ConfigurationEditing {
  struct State {
    var starts: [StartRequest] = []
    var cancels: [String] = []
    var edits: [ConfigurationEdit] = []
    var isAlive = true
    var troubles: [String] = []
    /// What becomes of each run that is started; nothing means that it stays in a long line.
    var statuses: [RunStatus] = [.running, .completed]
    var reason: String?
    /// The events of runs of which nothing is heard.
    var open: [(RunResult, AsyncStream<RunEvent>.Continuation)] = []
    /// What a run is given at its end.
    var finishing: (@Sendable (inout RunResult) -> Void)?
    var refusal: StartRefusal?
    var editRefusal: EditRefusal?
    var hash = "abc1"
    /// Tasks of which a run works.
    var running: Set<String> = []
    /// Tasks that the schedule doesn't start.
    var disabled: Set<String> = []
    var runSettings: [String: JSONValue] = [:]
    /// When the schedule starts a task, so many seconds from now.
    var nextRun: Int? = 60
    var problems: [ConfigurationProblem] = []
    var yaml = "version: 1\n"
    var refusedYAML: String?
    var statistics = Statistics()
    var groups: [(name: String, tasks: [String])] = []
  }

  let state = Mutex(State())
  let clock = ManualClock()
  let wallClock = ManualWallClock(start: Timestamp(microseconds: 1_764_000_000_000_000))
  let store: InMemoryStateStore
  let metrics = RunMetrics()
  let random = SeededRandom(seed: 3)
  let names = ["odds_retention", "heartbeat"]

  init() {
    store = InMemoryStateStore(inspector: StubProcessInspector(), wallClock: wallClock)
  }

  /// What has been asked of it.
  var seen: State { state.withLock { $0 } }

  func set(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }

  func parts() -> SiteParts {
    SiteParts(
      status: self, commands: self, runs: store, pauses: store, configuration: self, editing: self, metrics: metrics,
      wallClock: wallClock, clock: clock, random: random)
  }

  func site(_ rules: AccessRules = AccessRules(listen: "127.0.0.1")) -> Site {
    Site(parts(), rules: rules)
  }

  /// Ends the runs of which nothing was heard.
  func endOpenRuns(as status: RunStatus) {
    let open = state.withLock { state in
      defer { state.open = [] }
      return state.open
    }
    for (run, send) in open {
      var result = run
      result.status = status
      send.yield(.finished(result))
      send.finish()
    }
  }

  /// A result of one of the tasks.
  func result(_ task: String, _ status: RunStatus, mode: RunMode = .run) -> RunResult {
    let runID = RunID.make(at: wallClock.now(), random: random)
    var result = RunResult(
      runID: runID, task: task, plugin: "noop", mode: mode, trigger: .api, status: status, host: "box-1")
    result.startedAt = wallClock.now()
    return result
  }

  func taskCount() async -> Int { names.count }

  func tasks() async throws -> [TaskStatus] {
    var tasks: [TaskStatus] = []
    for name in names { tasks.append(try await status(of: name)) }
    return tasks
  }

  func task(_ name: String) async throws -> TaskStatus? {
    names.contains(name) ? try await status(of: name) : nil
  }

  private func status(of name: String) async throws -> TaskStatus {
    let pauses = try await store.pauses()
    let (running, disabled) = (seen.running, seen.disabled)
    return TaskStatus(
      name: name, plugin: name == "heartbeat" ? "noop" : name, isEnabled: !disabled.contains(name),
      pause: pauses.first { $0.task == name },
      running: running.contains(name) ? ["01M7XY2W6P2NBJ71JT0T71F6M4"] : [], waiting: [], schedule: "every 1 d",
      interval: .seconds(86_400),
      cron: nil, timeZone: nil,
      timeout: .seconds(1800), nextRunAt: seen.nextRun.map { wallClock.now() + .seconds($0) },
      lastRun: try await store.lastRuns()[name],
      settings: [SettingStatus(key: "odds_keep", value: "14d", origin: "default")],
      runSettings: seen.runSettings, hasPreview: name != "heartbeat",
      origins: ["enabled": "default", "timeout": "upkeep.yaml:7:14"])
  }

  func groups() async -> [(name: String, tasks: [String])] { state.withLock { $0.groups } }
  func statistics(of task: String) async throws -> Statistics { state.withLock { $0.statistics } }
  func upcoming(_ task: String, until end: Timestamp, limit: Int) async -> [Timestamp] { [] }
  func isAlive() async -> Bool { state.withLock { $0.isAlive } }
  func troubles() async -> [String] { state.withLock { $0.troubles } }

  func start(_ request: StartRequest) async throws(StartRefusal) -> StartedRun {
    let (refusal, statuses, reason) = state.withLock { state in
      state.starts.append(request)
      return (state.refusal, state.statuses, state.reason)
    }
    if let refusal { throw refusal }
    let queued = result(request.task, .queued, mode: request.mode)
    let (events, send) = AsyncStream.makeStream(of: RunEvent.self)
    var result = queued
    for status in statuses {
      result.status = status
      result.reason = reason
      if status.isFinal { seen.finishing?(&result) }
      send.yield(
        status.isFinal ? .finished(result) : status == .queued ? .queued(result, behind: []) : .started(result))
    }
    if statuses.isEmpty { state.withLock { $0.open.append((queued, send)) } } else { send.finish() }
    return StartedRun(record: RunRecord(result: queued, owner: nil, createdAt: wallClock.now()), events: events)
  }

  func cancel(_ runID: String, by: String) async throws -> Bool {
    state.withLock { $0.cancels.append(runID) }
    return true
  }

  func configurationStatus() async -> ConfigurationStatus {
    state.withLock { state in
      var status = ConfigurationStatus(
        path: "upkeep.yaml", hash: state.hash, yaml: state.yaml, loadedAt: wallClock.now(), triedAt: wallClock.now(),
        problems: state.problems)
      status.refusedYAML = state.refusedYAML
      return status
    }
  }

  func reloads() async -> AsyncStream<ReloadOutcome> { AsyncStream { $0.finish() } }

  func hash() async throws(EditRefusal) -> String { state.withLock { $0.hash } }

  func plan(
    _ edits: [ConfigurationEdit], expecting hash: String?, scope: EditScope
  ) async throws(EditRefusal) -> ConfigurationEditResult {
    let before = seen.edits
    defer { set { $0.edits = before } }
    return try await edit(edits, expecting: hash, scope: scope)
  }

  func edit(
    _ edits: [ConfigurationEdit], expecting hash: String?, scope: EditScope
  ) async throws(EditRefusal) -> ConfigurationEditResult {
    let (refusal, found) = state.withLock { state in
      state.edits += edits
      return (state.editRefusal, state.hash)
    }
    if let refusal { throw refusal }
    guard scope == .tunable else { throw .notTunable(task: "", key: "") }
    guard hash == nil || hash == found else { throw .changedMeanwhile(expected: hash ?? "", found: found) }
    return ConfigurationEditResult(
      path: "upkeep.yaml", previousHash: found, hash: "abc2", changes: [], diff: [], warnings: [])
  }
}
