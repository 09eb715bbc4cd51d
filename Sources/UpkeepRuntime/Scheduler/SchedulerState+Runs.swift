import UpkeepCore
import UpkeepRuns

extension SchedulerState {
  /// What is written into the record of a run that the end of the host kept from beginning.
  static let stopped = "serve stopped before it could begin"

  /// Takes a run into the line.
  mutating func enter(_ run: Run) {
    runs[run.id] = run
    line.append(run.id)
    if run.record.slots != nil || run.record.result.trigger == .startup { entries[run.task.name]?.waiting = run.id }
  }

  /// Gives free places to those in line.
  mutating func fillPlaces() -> [Action] {
    var actions: [Action] = []
    while !isStopping, placed < plan.maxConcurrentRuns, let id = line.next() {
      guard var run = runs[id], case .inLine = run.phase else { continue }
      run.phase = .placed(hasStarted: false)
      runs[id] = run
      placed += 1
      actions.append(.start(run))
    }
    return actions
  }

  /// A run stands behind another: somebody else may have its place.
  mutating func runWaits(_ id: String) -> [Action] {
    guard case .placed = runs[id]?.phase else { return [] }
    runs[id]?.phase = .behind
    placed -= 1
    return fillPlaces()
  }

  mutating func runStarted(_ id: String) {
    guard let run = runs[id], run.record.result.mode == .run else { return }
    // Coming from behind it takes a place even where none is free; the leases see to the limit.
    if case .behind = run.phase { placed += 1 }
    runs[id]?.phase = .placed(hasStarted: true)
    entries[run.task.name]?.working.append(id)
    if entries[run.task.name]?.waiting == id { entries[run.task.name]?.waiting = nil }
  }

  mutating func runEnded(_ id: String, _ status: RunStatus) -> [Action] {
    guard let run = runs.removeValue(forKey: id) else { return [] }
    if case .placed = run.phase { placed -= 1 }
    if status == .interrupted, run.hasStarted { interrupted += 1 }
    let name = run.task.name
    entries[name]?.working.removeAll { $0 == id }
    if entries[name]?.waiting == id { entries[name]?.waiting = nil }
    if let chain = entries[name]?.chain, let next = chain.first {
      entries[name]?.chain.removeFirst()
      enter(next)
    }
    return fillPlaces()
  }

  /// Begins the end: those that work may end, nothing else begins.
  mutating func stop() -> [Action] {
    guard !isStopping else { return [] }
    isStopping = true
    var left = line.removeAll().compactMap { id -> Run? in
      guard let run = runs[id], case .inLine = run.phase else { return nil }
      runs[id] = nil
      return run
    }
    for name in plan.tasks.map(\.name) {
      left += entries[name]?.chain ?? []
      entries[name]?.chain = []
    }
    let behind = runs.values.filter { if case .behind = $0.phase { true } else { false } }
    var actions: [Action] = left.isEmpty ? [] : [.abandon(left, reason: Self.stopped)]
    actions += behind.map {
      .stop(run: $0.id, reason: Self.stopped, status: $0.record.slots == nil ? .cancelled : .missed)
    }
    return actions + [.startDrainTimer(plan.drainTimeout)]
  }

  mutating func interruptAll(_ reason: String) -> [Action] {
    runs.values.filter { if case .inLine = $0.phase { false } else { true } }
      .map { .stop(run: $0.id, reason: reason, status: .interrupted) }
  }
}
