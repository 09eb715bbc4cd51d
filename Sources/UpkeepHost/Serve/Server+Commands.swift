import UpkeepConfiguration
import UpkeepCore
public import UpkeepRuns
import UpkeepRuntime

extension Server: RunCommands {
  /// Records a run and starts it; one with values of its own is made of the configuration with them.
  public func start(_ request: StartRequest) async throws(StartRefusal) -> StartedRun {
    guard !request.settings.isEmpty else { return try await scheduler.start(request) }
    let host = live.host
    guard host.configuration.task(request.task) != nil else { throw .unknownTask(request.task) }
    let changes = request.settings.sorted { $0.key < $1.key }.map { SettingChange(key: $0.key, value: $0.value) }
    let targets: [RunTarget]
    do {
      targets = try host.targets([request.task], changing: changes)
    } catch let failure as ConfigurationFailure {
      throw .invalid(failure.diagnostics.filter { $0.severity == .error })
    } catch {
      throw .invalid([])
    }
    guard let task = targets.first?.tasks.first else { throw .unknownTask(request.task) }
    return try await scheduler.start(request, as: task)
  }

  /// Asks a run to stop, whichever process runs it.
  public func cancel(_ runID: String, by: String) async throws -> Bool {
    try await scheduler.cancel(runID, by: by)
  }
}

/// The pauses as the API changes them: the scheduler hears of it, and logs it.
extension Server: PauseStore {
  /// The pauses in force.
  public func pauses() async throws -> [TaskPause] {
    try await store.pauses()
  }

  /// Pauses a task, in place of an earlier pause.
  public func pause(_ pause: TaskPause) async throws {
    try await store.pause(pause)
    scheduler.pausesChanged()
  }

  /// Ends a pause; false where the task wasn't paused.
  public func resume(_ task: String) async throws -> Bool {
    let wasPaused = try await store.resume(task)
    scheduler.pausesChanged()
    return wasPaused
  }
}
