import UpkeepConfiguration
public import UpkeepCore
public import UpkeepRuns
import UpkeepRuntime
import UpkeepSchedule

extension Server: HostStatus {
  /// All tasks, in the order of the file.
  public func tasks() async throws -> [TaskStatus] {
    try await statuses(of: await live.host.configuration.tasks)
  }

  /// One task.
  public func task(_ name: String) async throws -> TaskStatus? {
    guard let task = await live.host.configuration.task(name) else { return nil }
    return try await statuses(of: [task]).first
  }

  /// The groups and their tasks, in the order of the file.
  public func groups() async -> [(name: String, tasks: [String])] {
    await live.host.configuration.groups.map { ($0.name, $0.tasks) }
  }

  /// What a task watches over.
  /// - Throws: ``UpkeepCore/TaskError`` where its plugin can't say.
  public func statistics(of task: String) async throws -> Statistics {
    let host = await live.host
    guard let task = host.configuration.task(task) else {
      throw TaskError(
        code: "unknown_task", place: "task \(task)", problem: "there is none of that name", fix: "see upkeep list")
    }
    return try await host.statistics(task.runnable)
  }

  /// When the schedule starts a task up to some instant.
  public func upcoming(_ task: String, until end: Timestamp, limit: Int) async -> [Timestamp] {
    guard let schedule = await live.host.configuration.task(task)?.schedule, var next = await scheduler.nextRuns()[task]
    else {
      return []
    }
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
      try await store.renewServe(await live.host.inspector.current)
    } catch {
      troubles.append("the state store can't be written: \(error)")
    }
    return troubles
  }

  private func statuses(of tasks: [TaskConfiguration]) async throws -> [TaskStatus] {
    let host = await live.host
    let next = await scheduler.nextRuns()
    let standing = try await store.standing()
    let lastRuns = standing.lastRuns
    let pauses = Dictionary(standing.pauses.map { ($0.task, $0) }) { first, _ in first }
    let holders = Dictionary(grouping: standing.holders, by: \.task)
    let inLine = await scheduler.inLine
    return tasks.map { task in
      let overview = TaskOverview(task, in: host.configuration, now: host.wallClock.now())
      let prefix = "tasks.\(task.name).settings."
      let held = holders[task.name] ?? []
      return TaskStatus(
        name: task.name, plugin: task.plugin, isEnabled: task.isEnabled, pause: pauses[task.name],
        running: held.filter { !$0.isWaiting }.map(\.runID),
        waiting: held.filter(\.isWaiting).map(\.runID) + (inLine[task.name] ?? []), schedule: overview.schedule,
        interval: overview.interval, cron: overview.cron, timeZone: overview.timeZone, timeout: overview.timeout,
        nextRunAt: next[task.name], lastRun: lastRuns[task.name],
        settings: overview.settings.map {
          Self.setting($0, key: String($0.key.dropFirst(prefix.count)), of: task.plugin)
        }, hasPreview: task.prepared.preview != nil, origins: Self.origins(of: task.name, in: host))
    }
  }

  /// Where the values of a task's keys come from that may be changed.
  private static func origins(of task: String, in host: Host) -> [String: String] {
    let keys = ["enabled", "interval", "timeout"]
    return Dictionary(
      uniqueKeysWithValues: keys.map { ($0, host.configuration.effective["tasks.\(task).\($0)"]?.origin) }
    )
    .compactMapValues(\.self)
  }

  private static func setting(_ value: EffectiveValue, key: String, of plugin: String) -> SettingStatus {
    // A part of a map, such as limits.sync, is declared with the map.
    let name = key.split(separator: ".").first.map(String.init) ?? key
    let declared = BuiltInPlugins.all.first { $0.id == plugin }?.settings.first { $0.key == name }
    return SettingStatus(
      key: key, value: value.value, origin: value.origin, help: declared?.help ?? "",
      isTunable: declared.map { $0.kind.isTunable && !$0.isSecret } ?? false)
  }
}
