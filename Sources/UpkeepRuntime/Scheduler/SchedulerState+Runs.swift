import UpkeepCore
import UpkeepRuns

extension SchedulerState {
  /// What is written into the record of a run that the end of the host kept from beginning.
  static let stopped = "serve stopped before it could begin"

  /// What is written into the record of a run whose task is no more.
  static let left = "its task left the configuration before it could begin"

  /// Takes a run into the line.
  mutating func enter(_ run: Run) {
    runs[run.id] = run
    line.append(run.id)
    if run.record.slots != nil || run.record.result.trigger == .startup { entries[run.task.name]?.waiting = run.id }
  }

  /// Gives the runs in line the settings of the plan in force, so that none of them works with those of one plan on the
  /// databases of another. Where that plan doesn't want them any more they don't begin.
  mutating func rebind() -> [Action] {
    var (gone, disabled): ([Run], [Run]) = ([], [])
    func rebound(_ run: Run, _ entry: Entry?) -> Run? {
      guard let task = entry?.task, task.runnable.plugin == run.task.plugin else {
        gone.append(run)
        return nil
      }
      let trigger = run.record.result.trigger
      if !task.isEnabled, trigger == .scheduled || trigger == .startup {
        disabled.append(run)
        return nil
      }
      var run = run
      run.task = task.runnable
      run.record.result.settings = task.runnable.prepared.settings
      return run
    }
    for id in runs.keys.sorted() {
      guard let run = runs[id], case .inLine = run.phase else { continue }
      runs[id] = rebound(run, entries[run.task.name])
      if runs[id] == nil, entries[run.task.name]?.waiting == id { entries[run.task.name]?.waiting = nil }
    }
    for (name, entry) in entries where !entry.chain.isEmpty {
      entries[name]?.chain = entry.chain.compactMap { rebound($0, entry) }
    }
    return [
      Action.abandon(gone, reason: Self.left),
      Action.abandon(disabled, reason: "its task was disabled before it could begin"),
    ].filter { if case .abandon(let runs, _) = $0 { !runs.isEmpty } else { true } }
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
    let actions = runReleased(id)
    guard let run = runs.removeValue(forKey: id) else { return actions }
    if status == .interrupted, run.hasStarted { interrupted += 1 }
    return actions
  }

  /// A run is over: its place and its task are free.
  mutating func runReleased(_ id: String) -> [Action] {
    guard let run = runs[id] else { return [] }
    if case .ending = run.phase { return [] }
    if case .placed = run.phase { placed -= 1 }
    runs[id]?.phase = .ending(hasStarted: run.hasStarted)
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
