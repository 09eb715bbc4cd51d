import Logging
import UpkeepConfiguration
public import UpkeepCore
import UpkeepNotices
public import UpkeepRuns
import UpkeepRuntime

extension Host {
  /// Runs or previews a task.
  public func run(
    _ request: RunRequest, _ store: any StateStore, observe: @escaping @Sendable (RunEvent) -> Void
  ) async -> RunResult {
    await runner(store, logger: logger).run(request, observe: noted(observe, store))
  }

  /// Runs or previews the tasks of a group, in order.
  public func run(
    group: String, _ tasks: [RunnableTask], mode: RunMode, overrideGuard: Bool, stop: RunStop, _ store: any StateStore,
    observe: @escaping @Sendable (RunEvent) -> Void
  ) async -> GroupResult {
    let request = GroupRequest(group: group, tasks: tasks, mode: mode, overrideGuard: overrideGuard, stop: stop)
    return await GroupRunner(runner(store, logger: logger)).run(request, observe: noted(observe, store))
  }

  /// Waits until everybody is told of the runs so far, or the time is up.
  /// - Returns: What went wrong.
  public func settleNotices() async -> [String] {
    await notices.settle(within: Self.noticeLimit)
  }

  private static let noticeLimit = Duration.seconds(15)

  /// Tells others of the runs that are observed.
  private func noted(
    _ observe: @escaping @Sendable (RunEvent) -> Void, _ store: any StateStore
  ) -> @Sendable (RunEvent) -> Void {
    { [notices, policy = noticePolicy] event in
      observe(event)
      notices.note(event, policy: policy, store: store)
    }
  }

  /// What a task watches over.
  /// - Throws: ``UpkeepCore/TaskError`` where its plugin can't say.
  public func statistics(_ task: RunnableTask) async throws -> Statistics {
    guard let statistics = task.prepared.statistics else {
      throw TaskError(
        code: "no_stats", place: "task \(task.name)", problem: "its plugin \(task.plugin) has no statistics",
        fix: "see upkeep plugins for those that have")
    }
    let random = SystemRandomSource()
    let now = wallClock.now()
    let store: any StateStore = try await existingStore() ?? ForgetfulStore()
    return try await statistics(
      TaskContext(
        task: task.name, runID: RunID.make(at: now, random: random), mode: .preview, trigger: .manual, now: now,
        wallClock: wallClock, clock: clock, random: random, resources: resources(store), logger: logger, forecast: nil,
        journal: RunJournal()))
  }

  func runner(_ store: any StateStore, logger: Logger) -> Runner {
    Runner(
      store: store, inspector: inspector, wallClock: wallClock, clock: clock, random: SystemRandomSource(),
      resources: resources(store), maxConcurrentRuns: configuration.maxConcurrentRuns,
      endProcesses: { [resources = resources(store), clock] in
        try await LostConnections(resources: resources, clock: clock).end($0)
      }, logger: logger)
  }

  private func resources(_ store: any StateStore) -> HostResources {
    HostResources(
      configured: configuration.databases,
      history: KeptHistory(store, keep: configuration.historyKeep, keepFailures: configuration.historyKeepFailures))
  }

  /// At the command line the result says everything, so nothing is logged beside it.
  private var logger: Logger {
    Logger(label: "upkeep") { _ in SwiftLogNoOpLogHandler() }
  }
}
