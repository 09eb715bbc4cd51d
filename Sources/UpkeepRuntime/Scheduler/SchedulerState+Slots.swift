import UpkeepCore
import UpkeepRuns
import UpkeepSchedule

extension SchedulerState {
  /// Takes a plan over: what it doesn't change stays as it is, runs that work go on as they began.
  mutating func configure(_ plan: SchedulerPlan, at now: Timestamp) -> [Action] {
    self.plan = plan
    let former = entries
    var (moved, lines): ([TaskGrid], [Action]) = ([], [])
    entries = [:]
    heap.removeAll()
    for task in plan.tasks {
      let known = former[task.name]
      let stored = known?.grid ?? restingGrids.removeValue(forKey: task.name)
      let (grid, line) = Self.grid(of: task, known: stored, at: now)
      if grid != stored { moved.append(grid) }
      if let line { lines.append(.log(line)) }
      var entry = known ?? Entry(task: task, grid: grid)
      entry.task = task
      entry.grid = grid
      entries[task.name] = entry
      schedule(task.name, at: now)
    }
    var gone: [Run] = []
    for (name, entry) in former where entries[name] == nil {
      restingGrids[name] = entry.grid
      gone += entry.chain
    }
    if !gone.isEmpty { lines.append(.abandon(gone, reason: Self.left)) }
    return (moved.isEmpty ? [] : [.place(moved)]) + lines
  }

  /// Where a task's slots begin now.
  private static func grid(
    of task: ScheduledTask, known: TaskGrid?, at now: Timestamp
  ) -> (grid: TaskGrid, line: LogLine?) {
    // To the millisecond, as people see it.
    let present = Timestamp(microseconds: now.microseconds / 1000 * 1000)
    var grid = TaskGrid(task: task.name, schedule: task.scheduleText, last: present)
    guard let known else { return (grid, nil) }
    if known.last - now > longestStepBack {
      let text = "the clock is far behind the last slot (\(known.last.rfc3339)): its slots begin anew"
      return (grid, LogLine(isWarning: true, text: text, task: task.name))
    }
    grid.last = known.last
    if known.schedule != grid.schedule, let schedule = task.schedule {
      // The slots that this schedule would have had before it held are none.
      grid.last = schedule.slots(after: known.last, through: now, limit: 1).last ?? known.last
    }
    return (grid, nil)
  }

  /// Says when to look at a task next.
  mutating func schedule(_ name: String, at now: Timestamp) {
    guard var entry = entries[name] else { return }
    entry.wakeAt = wakeTime(of: entry, at: now)
    entries[name] = entry
    if let wakeAt = entry.wakeAt { heap.add(name, at: wakeAt) }
  }

  private func wakeTime(of entry: Entry, at now: Timestamp) -> Timestamp? {
    let task = entry.task
    guard task.isEnabled, let schedule = task.schedule, let slot = schedule.next(after: entry.grid.last) else {
      return nil
    }
    return task.due(slot, at: now, host: maker.identity.host)
  }

  /// When the schedule starts a task next; nothing where it never does, or not before somebody ends its pause.
  func nextRun(of entry: Entry, pause: TaskPause?, at now: Timestamp) -> Timestamp? {
    guard entry.task.isEnabled else { return nil }
    guard let pause, pause.holds(at: now) else { return entry.wakeAt }
    return entry.task.nextRun(after: entry.grid.last, pause: pause, at: now, host: maker.identity.host)
  }

  /// The runs of a start: each takes the place of a catch-up.
  mutating func startUp(at now: Timestamp) -> [Action] {
    var slots: [SlotEntry] = []
    for task in plan.tasks where task.isEnabled && task.runOnStart && pauses[task.name] == nil {
      guard var entry = entries[task.name] else { continue }
      let rules = task.runnable.rules
      if let window = rules.window, !window.contains(now, in: rules.timeZone) { continue }
      let due = task.schedule?.slots(after: entry.grid.last, through: now, limit: 1)
      var range: SlotRange?
      if let due, let first = due.first, let last = due.last {
        range = SlotRange(first: first, last: last, count: due.count)
      }
      let previous = entry.grid.last
      entry.grid.last = range?.last ?? previous
      entries[task.name] = entry
      schedule(task.name, at: now)
      slots.append(
        SlotEntry(
          grid: entry.grid, previous: previous,
          records: [maker.record(of: task.runnable, trigger: .startup, slots: range, at: now)]))
    }
    return Self.batches(of: slots) + recordDue(at: now)
  }

  /// Decides about slots that have come: about a few at first, so that their runs begin while the next look decides about
  /// the others.
  mutating func recordDue(at now: Timestamp) -> [Action] {
    var slots: [SlotEntry] = []
    var actions: [Action] = []
    let limit = isBehind ? Self.batch : Self.firstBatch
    defer { isBehind = isDue(at: now) }
    while slots.count < limit, let wake = heap.take(by: now) {
      guard let entry = entries[wake.task], entry.wakeAt == wake.at else { continue }
      if let due = due(entry, at: now, &actions) {
        entries[wake.task]?.grid = due.grid
        slots.append(due)
      }
      schedule(wake.task, at: now)
    }
    return Self.batches(of: slots) + actions
  }

  private static func batches(of slots: [SlotEntry]) -> [Action] {
    stride(from: 0, to: slots.count, by: batch).map { .record(Array(slots[$0..<min($0 + batch, slots.count)])) }
  }

  /// The records of a task's slots that have come.
  private func due(_ entry: Entry, at now: Timestamp, _ actions: inout [Action]) -> SlotEntry? {
    let task = entry.task
    let decided = decide(entry, at: now)
    guard let first = decided.first, let last = decided.last else { return nil }
    var grid = entry.grid
    grid.last = last.last
    var slots = SlotEntry(grid: grid, previous: entry.grid.last, records: [])
    let all = SlotRange(first: first.first, last: last.last, count: decided.reduce(0) { $0 + $1.count })
    func record(_ range: SlotRange, _ status: RunStatus = .queued, _ reason: String? = nil) -> RunRecord {
      maker.record(
        of: task.runnable, trigger: .scheduled, slots: range, status: status, reason: reason, at: now)
    }
    if let pause = pauses[task.name], pause.holds(at: now) {
      slots.records = [record(all, .skipped, pause.words)]
      return slots
    }
    let overlap = task.runnable.rules.overlap
    if overlap == .cancelPrevious {
      // Told now: the new run may have to wait for the place that this one has.
      actions += entry.working.map {
        .stop(run: $0, reason: "cancelled by its next slot, which takes its place", status: .cancelled)
      }
    }
    for decision in decided {
      let range = SlotRange(first: decision.first, last: decision.last, count: decision.count)
      if let reason = decision.missed {
        slots.records.append(record(range, .missed, Self.words(reason, of: task, range)))
      } else if overlap == .skip, entry.waiting == nil, let present = entry.working.first {
        let holder = LeaseHolder(runID: present, task: task.name, owner: maker.identity, isWaiting: false)
        slots.records.append(record(range, .skipped, LeaseWait.inTheWay([holder], of: task.name)))
      } else {
        slots.records.append(record(range))
      }
    }
    // A run that hasn't begun covers what comes meanwhile.
    if overlap != .allow, slots.records.count == 1, slots.records[0].result.status == .queued {
      slots.joins = entry.waiting
    }
    return slots
  }

  /// What becomes of the slots: as the missed rule says, where they didn't just wait for their window.
  private func decide(_ entry: Entry, at now: Timestamp) -> [CatchUp.Entry] {
    let task = entry.task
    guard let schedule = task.schedule else { return [] }
    var (missed, grace) = (task.missed, task.grace)
    let rules = task.runnable.rules
    if let opening = rules.window?.start(of: now, in: rules.timeZone),
      let first = schedule.next(after: entry.grid.last), first < opening
    {
      // Their age counts from the opening, before which they couldn't begin.
      if now - opening <= CatchUp.onTime { missed = .runOnce }
      if let limit = grace, now - opening <= limit { grace = nil }
    }
    return schedule.catchUp(
      after: entry.grid.last, now: now, missed: missed, grace: grace, jitter: task.jitter(on: maker.identity.host)
    ).entries
  }

  private static func words(_ reason: CatchUp.Reason, of task: ScheduledTask, _ slots: SlotRange) -> String {
    let passed = slots.count == 1 ? "the slot passed" : "\(slots.count) slots passed"
    switch reason {
    case .skip: return "\(passed) while the host was down or couldn't work; missed: skip"
    case .grace: return "\(passed) longer ago than its grace of \(task.grace?.durationText ?? "none")"
    case .limit: return "\(passed) before the newest \(CatchUp.mostRuns), which missed: run_all runs"
    }
  }

  /// Takes over what became of the records.
  mutating func recorded(_ slots: [SlotEntry], _ outcomes: [SlotOutcome], at now: Timestamp) -> [Action] {
    var actions: [Action] = []
    var tooLate: [Run] = []
    for (entry, outcome) in zip(slots, outcomes) {
      let name = entry.grid.task
      switch outcome {
      case .recorded:
        guard let task = entries[name]?.task.runnable else { continue }
        let queued = entry.records.filter { $0.result.status == .queued }.map { Run(record: $0, task: task) }
        guard let first = queued.first else { continue }
        if isStopping {
          tooLate += queued
        } else {
          enter(first)
          entries[name]?.chain += queued.dropFirst()
        }
      case .joined:
        break
      case .taken(let present):
        if let present {
          // Another process has recorded these slots: go on from where it stands.
          entries[name]?.grid.last = present.last
          schedule(name, at: now)
        } else {
          // The store lost the grid, or never took it.
          _ = putBack([entry], at: now)
          if let grid = entries[name]?.grid { actions.append(.place([grid])) }
        }
      }
    }
    if !tooLate.isEmpty { actions.append(.abandon(tooLate, reason: Self.stopped)) }
    return actions + fillPlaces()
  }

  /// Puts slots back that the store didn't take: they are decided about again, soon.
  mutating func putBack(_ slots: [SlotEntry], at now: Timestamp) -> [Action] {
    for entry in slots {
      let name = entry.grid.task
      guard entries[name] != nil else { continue }
      entries[name]?.grid.last = entry.previous
      entries[name]?.wakeAt = now + Self.retry
      heap.add(name, at: now + Self.retry)
    }
    return []
  }
}

extension TaskPause {
  /// `paused until 2026-11-20T12:00:00.000Z by root: the disk is being replaced`
  var words: String {
    let end = until.map { " until \($0.rfc3339)" } ?? ""
    return "paused\(end) by \(by)\(reason.isEmpty ? "" : ": \(reason)")"
  }
}
