import Logging
import UpkeepCore
import UpkeepRuns

extension RunSession {
  /// Starts a part of the task's work, which reports its end as an event.
  ///
  /// The work is a task of its own that nobody has to wait for: one that ignores its cancellation can't keep the run
  /// from being reported.
  mutating func start(_ phase: RunMachine.Phase) {
    let prepared = request.task.prepared
    record.result.guardVerdict = machine.verdict
    if let forecast = machine.forecast { observe(.forecast(record.result, forecast)) }
    // The forecast before a run is nothing that the run did: it is told in a journal of its own.
    let isForecast = phase == .preview && request.mode == .run
    let journal = isForecast ? RunJournal() : self.journal
    if isForecast { self.journal.update { $0.progress.message = "Looking at what would be deleted" } }
    hasReturned.set(false)
    revision = self.journal.current.revision
    let started = record.result.startedAt ?? record.createdAt
    // A preview says all that a run would do, whatever it may do at once.
    let limits = phase == .body ? request.task.rules.limits(of: request.trigger, startedAt: started) : RunLimits()
    let context = TaskContext(
      task: request.task.name, runID: runID, mode: phase == .preview ? .preview : .run, trigger: request.trigger,
      now: started, wallClock: runner.wallClock, clock: runner.clock,
      random: runner.random, resources: runner.resources, logger: logger, forecast: machine.forecast, journal: journal,
      limits: limits, exceptions: request.task.rules.exceptions, lease: lease,
      lastCompleted: { [store, task = request.task.name] in
        try await store.records(RunQuery(task: task, status: .completed, mode: .run, limit: 1)).first?.result
      })
    let body = phase == .preview ? prepared.preview : prepared.run
    work = Task { [send, hasReturned] in
      defer { hasReturned.set(true) }
      do {
        try await body?(context)
        let contents = journal.current
        send.yield(.returned(Forecast(counts: contents.counts, tables: contents.tables, errors: contents.errors)))
      } catch is CancellationError {
        send.yield(.gaveUp)
      } catch {
        send.yield(.threw(RunError(error, step: "run")))
      }
    }
  }

  /// Says to the state store, again and again, that the run lives; learns from it whether it may go on.
  func startHeartbeat() -> Task<Void, Never> {
    Task { [runner, runID, send, lease] in
      var silence = runner.clock.stopwatch()
      while (try? await runner.clock.sleep(for: Runner.heartbeat)) != nil {
        do {
          let sinceAsked = runner.clock.stopwatch()
          let renewal = try await runner.store.renew(runID, owner: runner.inspector.current)
          silence = sinceAsked
          if let event = renewal.event { send.yield(event) }
          if renewal == .lost { return }
          lease?.renewed(sinceAsked)
        } catch {
          // Beyond the time to live another process may have taken the lease: working on would break the rules.
          guard !Task.isCancelled, silence() > LeaseQueue.timeToLive else { continue }
          let limit = LeaseQueue.timeToLive.durationText
          send.yield(.leaseLost(reason: "the state store couldn't be reached for more than \(limit): \(error)"))
        }
      }
    }
  }

  /// Shows the live result to those who watch, and keeps it in the state store.
  func startPulse() -> Task<Void, Never> {
    Task { [runner, record, journal, observe, revision] in
      var (shown, saved) = (revision, revision)
      var sinceSave = runner.clock.stopwatch()
      while (try? await runner.clock.sleep(for: Runner.pulse)) != nil {
        let contents = journal.current
        guard contents.revision != saved, !contents.isClosed else { continue }
        var live = record
        live.result.take(contents)
        if contents.revision != shown { observe(.progress(live.result)) }
        shown = contents.revision
        guard sinceSave() >= Runner.saveInterval else { continue }
        // The last record says all, so a live one that can't be saved is no loss; the heartbeat notices a store that
        // stays away.
        if (try? await runner.store.save(live)) != nil { saved = contents.revision }
        sinceSave = runner.clock.stopwatch()
      }
    }
  }
}

extension RunResult {
  /// Takes over what the run says of itself.
  mutating func take(_ contents: RunJournal.Contents) {
    progress = contents.progress
    counts = contents.counts
    tables = contents.tables
    details = contents.details
    warnings = contents.warnings
    errors = contents.errors
    remaining = contents.remaining
  }
}
