import UpkeepConfiguration
public import UpkeepCore
public import UpkeepRuns
import UpkeepRuntime
import UpkeepSchedule

extension Server: HostStatus {
  /// All tasks, in the order of the file.
  public func tasks() async throws -> [TaskStatus] {
    try await statuses(of: live.host.configuration.tasks)
  }

  /// How many there are.
  public func taskCount() async -> Int {
    live.host.configuration.tasks.count
  }

  /// One task.
  public func task(_ name: String) async throws -> TaskStatus? {
    guard let task = live.host.configuration.task(name) else { return nil }
    return try await statuses(of: [task]).first
  }

  /// The groups and their tasks, in the order of the file.
  public func groups() async -> [(name: String, tasks: [String])] {
    live.host.configuration.groups.map { ($0.name, $0.tasks) }
  }

  /// What a task watches over.
  /// - Throws: ``UpkeepCore/TaskError`` where its plugin can't say.
  public func statistics(of task: String) async throws -> Statistics {
    let host = live.host
    guard let task = host.configuration.task(task) else {
      throw TaskError(
        code: "unknown_task", place: "task \(task)", problem: "there is none of that name", fix: "see upkeep list")
    }
    return try await host.statistics(task.runnable)
  }

  /// When the schedule starts a task up to some instant.
  public func upcoming(_ task: String, until end: Timestamp, limit: Int) async -> [Timestamp] {
    // Where they can't be read, the next look at the page says so.
    let pauses = (try? await store.pauses()) ?? []
    guard let schedule = live.host.configuration.task(task)?.schedule,
      var next = await scheduler.nextRuns(pauses.byTask)[task]
    else { return [] }
    var slots: [Timestamp] = []
    while next <= end, slots.count < limit {
      slots.append(next)
      guard let after = schedule.next(after: next) else { break }
      next = after
    }
    return slots
  }

  /// Whether the scheduler's loop turns.
  public func isAlive() async -> Bool {
    await scheduler.isAlive
  }

  /// Why the host can't do its work.
  public func troubles() async -> [String] {
    var troubles: [String] = []
    if await scheduler.isStarting { troubles.append("serve starts") }
    if await !scheduler.isAlive { troubles.append("the scheduler's loop stands still") }
    if await scheduler.isStopping { troubles.append("serve stops") }
    do {
      try await store.renewServe(live.host.inspector.current)
    } catch {
      troubles.append("the state store can't be written: \(error)")
    }
    return troubles
  }

  private func statuses(of tasks: [TaskConfiguration]) async throws -> [TaskStatus] {
    let host = live.host
    let standing = try await store.standing()
    let lastRuns = standing.lastRuns
    let pauses = standing.pauses.byTask
    let (next, inLine) = await scheduler.standing(pauses)
    let holders = Dictionary(grouping: standing.holders, by: \.task)
    return tasks.map { task in
      let held = holders[task.name] ?? []
      var status = outlines.outline(of: task, in: host)
      status.pause = pauses[task.name]
      status.running = held.filter { !$0.isWaiting }.map(\.runID)
      status.waiting = held.filter(\.isWaiting).map(\.runID) + (inLine[task.name] ?? [])
      status.nextRunAt = next[task.name]
      status.lastRun = lastRuns[task.name]
      return status
    }
  }
}
