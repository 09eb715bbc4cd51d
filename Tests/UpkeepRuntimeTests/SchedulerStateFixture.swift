import Foundation
import UpkeepCore
import UpkeepRuns
import UpkeepSchedule
import UpkeepTestKit

@testable import UpkeepRuntime

/// A scheduler's state with a store of its own that takes what it is told, and a time that a test moves.
struct SchedulerScene {
  typealias Event = SchedulerState.Event
  typealias Action = SchedulerState.Action

  var state: SchedulerState
  var now = ManualWallClock.noon
  /// The grids as a store keeps them.
  var grids: [String: TaskGrid] = [:]
  /// The records in the order in which they were made.
  var records: [RunRecord] = []
  var started: [String] = []
  var stopped: [(run: String, status: RunStatus)] = []
  var logs: [String] = []
  var isStoreBroken = false

  init() {
    state = SchedulerState(
      maker: RunRecordMaker(identity: StubProcessInspector().current, random: SeededRandom()))
  }

  /// The state of a process that begins now, on the same store.
  mutating func restart(_ tasks: [ScheduledTask], max: Int = 4, pauses: [TaskPause] = []) {
    state = SchedulerState(
      maker: RunRecordMaker(identity: StubProcessInspector().current, random: SeededRandom(seed: UInt64(records.count)))
    )
    handle(
      .began(
        SchedulerPlan(tasks: tasks, maxConcurrentRuns: max), grids: Array(grids.values), pauses: pauses))
  }

  mutating func handle(_ event: Event) {
    for action in state.handle(event, at: now) {
      switch action {
      case .place(let placed):
        for grid in placed { grids[grid.task] = grid }
      case .record(let slots):
        handle(isStoreBroken ? .notRecorded(slots) : .recorded(slots, slots.map { record($0) }))
      case .start(let run): started.append(run.id)
      case .stop(let run, _, let status): stopped.append((run, status))
      case .abandon(let runs, let reason):
        for run in runs {
          let status: RunStatus = run.record.slots == nil ? .cancelled : .missed
          change(run.id) {
            $0.result.status = status
            $0.result.reason = reason
          }
        }
      case .startDrainTimer: break
      case .log(let line): logs.append(line.text)
      }
    }
  }

  private mutating func record(_ entry: SlotEntry) -> SlotOutcome {
    guard grids[entry.grid.task]?.last == entry.previous else { return .taken(grids[entry.grid.task]) }
    grids[entry.grid.task] = entry.grid
    if let joins = entry.joins, let slots = entry.slots {
      change(joins) { $0.cover($0.slots.map { $0.joined(by: slots) } ?? slots) }
      return .joined
    }
    records += entry.records
    return .recorded
  }

  mutating func change(_ id: String, _ change: (inout RunRecord) -> Void) {
    for index in records.indices where records[index].result.runID == id { change(&records[index]) }
  }

  /// Lets time pass, with a look whenever something is due, and at least every ten seconds.
  mutating func pass(_ duration: Duration, pauses: [TaskPause]? = nil) {
    let end = now + duration
    while now < end {
      now = min(end, min(state.wakeAt.map { max($0, now + .milliseconds(1)) } ?? end, now + .seconds(10)))
      handle(.tick(pauses: pauses))
    }
  }

  /// Sets the clock, as somebody would by hand, and looks.
  mutating func set(_ instant: Timestamp, pauses: [TaskPause]? = nil) {
    now = instant
    handle(.tick(pauses: pauses))
  }

  mutating func begin(_ id: String) {
    handle(.runStarted(id))
    change(id) { $0.result.status = .running }
  }

  mutating func end(_ id: String, _ status: RunStatus = .completed) {
    handle(.runEnded(id, status))
    change(id) { $0.result.status = status }
  }

  /// Begins and ends all runs that were handed out and still are at the runner's.
  mutating func finishAll() {
    while let id = started.first(where: { state.runs[$0] != nil }) {
      begin(id)
      end(id)
    }
  }

  /// `queued 12:00` of each record of a task: its status, its slots as minutes of the day, how many they are.
  func summary(_ task: String) -> [String] {
    records.filter { $0.result.task == task }.map { record in
      let slots = record.slots.map { slots in
        slots.count == 1 ? slots.last.clock : "\(slots.first.clock)-\(slots.last.clock) ×\(slots.count)"
      }
      return "\(record.result.status.rawValue) \(slots ?? "-")"
    }
  }

  func reasons(_ task: String) -> [String] {
    records.filter { $0.result.task == task }.compactMap(\.result.reason)
  }

  /// All slots of a task that have a record, as many as there are, in the order of the records.
  func slotCount(_ task: String) -> Int {
    records.filter { $0.result.task == task }.reduce(0) { $0 + ($1.slots?.count ?? 0) }
  }
}

extension Timestamp {
  /// `12:05`, or `12:05:30`.
  var clock: String {
    let text = rfc3339
    let start = text.index(text.startIndex, offsetBy: 11)
    let time = text[start..<text.index(start, offsetBy: 8)]
    return time.hasSuffix(":00") ? String(time.dropLast(3)) : String(time)
  }
}

extension ScheduledTask {
  static func every(
    _ interval: Duration, _ name: String = "tidy", rules: TaskRules = TaskRules(), missed: MissedRule = .runOnce,
    grace: Duration? = nil, runOnStart: Bool = false, isEnabled: Bool = true, jitter: Duration = .zero
  ) -> ScheduledTask {
    ScheduledTask(
      .fake(name, rules: rules), isEnabled: isEnabled, schedule: .interval(interval), runOnStart: runOnStart,
      jitter: jitter, missed: missed, grace: grace)
  }
}
