import Logging
import UpkeepCore
public import UpkeepRuns

extension Scheduler: RunCommands, RunFeed {
  /// Records a run and starts it as soon as a place is free and the rules let it.
  public func start(_ request: StartRequest) async throws(StartRefusal) -> StartedRun {
    await untilPlansHold()
    guard let entry = state.entries[request.task] else { throw .unknownTask(request.task) }
    return try await start(request, as: entry.task.runnable)
  }

  /// Records a run of a task, which may have other settings than the scheduler's own, and starts it.
  public func start(_ request: StartRequest, as task: RunnableTask) async throws(StartRefusal) -> StartedRun {
    guard state.entries[request.task] != nil else { throw .unknownTask(request.task) }
    if state.isStopping { throw .stopping }
    var record = maker.record(of: task, mode: request.mode, trigger: request.trigger, at: wallClock.now())
    record.groupRunID = request.groupRunID
    do {
      try await store.save(record)
    } catch let error as TaskError {
      throw .store(error)
    } catch {
      throw .store(
        TaskError(code: "store_failed", place: "state store", problem: "\(error)", fix: "look into the log of serve"))
    }
    let events = hub.events(of: record.result.runID)
    await handle(.asked(SchedulerState.Run(record: record, task: task, overrideGuard: request.overrideGuard)))
    return StartedRun(record: record, events: events)
  }

  /// Asks a run to stop, whichever process runs it.
  public func cancel(_ runID: String, by: String) async throws -> Bool {
    if let stop = stops[runID] {
      stop.request("cancelled by \(by)")
      return true
    }
    if let run = state.leaveLine(runID) {
      await abandon(run, "cancelled by \(by)", status: .cancelled)
      return true
    }
    return try await store.requestCancel(runID, by: by)
  }

  /// The events of all runs from now on.
  public nonisolated func events() -> AsyncStream<RunEvent> {
    hub.events()
  }

  func start(_ run: SchedulerState.Run) {
    let stop = RunStop()
    stops[run.id] = stop
    let request = RunRequest(
      task: run.task, mode: run.record.result.mode, trigger: run.record.result.trigger,
      overrideGuard: run.overrideGuard, groupRunID: run.record.groupRunID, scheduledAt: run.record.result.scheduledAt,
      stop: stop, record: run.record,
      whenReleased: { [sendFromRun, id = run.id] in sendFromRun.yield(.runReleased(id)) })
    Task { [runner, hub, sendFromRun, id = run.id] in
      let result = await runner.run(request) { event in
        switch event {
        // Who waits for nobody but a place keeps its turn here.
        case .queued(_, let holders) where !holders.isEmpty: sendFromRun.yield(.runWaits(id))
        case .started: sendFromRun.yield(.runStarted(id))
        default: break
        }
        hub.tell(event)
      }
      self.forget(id)
      sendFromRun.yield(.runEnded(id, result.status))
    }
  }

  private func forget(_ id: String) {
    stops[id] = nil
  }

  /// Records that a run never began.
  func abandon(_ run: SchedulerState.Run, _ reason: String, status: RunStatus? = nil) async {
    var record = run.record
    record.result.status = status ?? (record.slots == nil ? .cancelled : .missed)
    record.result.reason = reason
    record.result.finishedAt = wallClock.now()
    do {
      try await store.save(record)
    } catch {
      // The next start finds its record without its process, and ends it as interrupted.
      logger.error("the end of run \(run.id) isn't recorded: \(error)", metadata: ["run_id": "\(run.id)"])
    }
    hub.tell(.finished(record.result))
  }
}

extension SchedulerState {
  /// Takes a run out of the line; nothing where it isn't in it.
  mutating func leaveLine(_ id: String) -> Run? {
    guard let run = runs[id], case .inLine = run.phase else { return nil }
    runs[id] = nil
    if entries[run.task.name]?.waiting == id { entries[run.task.name]?.waiting = nil }
    return run
  }
}
