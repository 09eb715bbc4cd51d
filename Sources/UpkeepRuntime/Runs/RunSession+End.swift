import Logging
import UpkeepCore
import UpkeepRuns

extension RunSession {
  /// Ends the run: closes its journal, records its result and gives its lease back.
  mutating func finish(_ ending: RunMachine.Ending) async -> RunResult {
    for timer in timers { timer.cancel() }
    pulse?.cancel()
    close(ending)
    if ending.workIsOver { heartbeat?.cancel() }
    let isSettled = await saveResult(releases: ending.workIsOver && request.mode == .run)
    log()
    observe(.finished(record.result))
    if !(isSettled && ending.workIsOver) { settleLater(ending) }
    send.finish()
    return record.result
  }

  private mutating func close(_ ending: RunMachine.Ending) {
    let contents = journal.close()
    var result = record.result
    let noted = result.warnings
    result.take(contents)
    result.warnings = noted.filter { !contents.warnings.contains($0) } + contents.warnings
    result.errors += ending.errors
    result.status = ending.status
    result.reason = ending.reason
    result.guardVerdict = machine.verdict
    result.finishedAt = runner.wallClock.now()
    result.durationMilliseconds = measure.map { $0().milliseconds }
    switch ending.status {
    case .completed, .completedWithErrors:
      let isClean = ending.status == .completed
      result.reason = contents.reason
      if let stop = contents.reason.flatMap(StopReason.init) {
        // It isn't done: the percentage stays where the work ended.
        result.progress.message = stop.message
      } else {
        result.progress = RunProgress(percent: 100, message: isClean ? "Done" : "Done, with errors")
      }
    case .refused:
      result.progress.message = "Refused"
    default:
      break
    }
    if !ending.workIsOver {
      result.warnings.append(
        "the task didn't stop within \(Runner.grace.durationText) of being told to; it keeps its lease until it does")
    }
    record.result = result
  }

  mutating func warn(_ text: String) {
    record.result.warnings.append(text)
    logger.warning("\(text)")
  }

  /// Says that something of the run isn't recorded, and why; the same reason once.
  mutating func warn(unrecorded what: String, _ error: any Error) {
    let reason = ": \(error)"
    guard !record.result.warnings.contains(where: { $0.hasSuffix(reason) }) else { return }
    warn("\(what) isn't recorded\(reason)")
  }

  /// Saves the result; where that fails the result says so, since it is all that is left of the run.
  private mutating func saveResult(releases: Bool) async -> Bool {
    do {
      if releases {
        try await store.end(record, released: request.whenReleased)
      } else {
        // A preview holds nothing; work that goes on keeps what it has.
        try await store.save(record)
      }
      return true
    } catch {
      warn(unrecorded: "this result", error)
      return false
    }
  }

  /// Does in the background what is left: waits for work that goes on, with its lease renewed, and repeats what the
  /// state store couldn't take. It ends with the process at the latest; then the dead owner's lease is reaped.
  private func settleLater(_ ending: RunMachine.Ending) {
    let (work, heartbeat, session) = (work, heartbeat, Settlement(self))
    Task {
      if !ending.workIsOver { await work?.value }
      heartbeat?.cancel()
      await session.settle()
    }
  }

  private func log() {
    let result = record.result
    let level: Logger.Level =
      switch result.status {
      case .completed: .info
      case .skipped, .missed, .cancelled, .refused, .completedWithErrors: .warning
      default: .error
      }
    // What a preview counts is still there.
    var metadata: Logger.Metadata = ["mode": "\(result.mode.rawValue)"]
    if !result.counts.isEmpty { metadata["counts"] = .dictionary(result.counts.mapValues { .stringConvertible($0) }) }
    if let duration = result.durationMilliseconds { metadata["duration_ms"] = .stringConvertible(duration) }
    logger.log(level: level, "\(result.status.rawValue)\(result.why.map { ": \($0)" } ?? "")", metadata: metadata)
  }
}

/// What is left to be done for a run that is reported: its record and its lease.
private struct Settlement: Sendable {
  let runner: Runner
  let record: RunRecord
  let observe: @Sendable (RunEvent) -> Void

  init(_ session: RunSession) {
    runner = session.runner
    record = session.record
    observe = session.observe
  }

  func settle() async {
    while true {
      do {
        // Saving again changes nothing where the first time worked: a final record stays as it is.
        try await runner.store.end(record) {}
        break
      } catch {
        guard (try? await runner.clock.sleep(for: Runner.heartbeat)) != nil else { return }
      }
    }
    observe(.released(record.result))
  }
}
