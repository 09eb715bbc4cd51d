import UpkeepCore
import UpkeepRuns

/// Makes the records of runs that the scheduler hands out: queued ones, and those that say why there is no run.
struct RunRecordMaker: Sendable {
  let identity: ProcessIdentity
  let random: any RandomSource

  func record(
    of task: RunnableTask, mode: RunMode = .run, trigger: RunTrigger, slots: SlotRange? = nil,
    status: RunStatus = .queued, reason: String? = nil, at now: Timestamp
  ) -> RunRecord {
    var result = RunResult(
      runID: RunID.make(at: now, random: random), task: task.name, plugin: task.plugin, mode: mode, trigger: trigger,
      status: status, settings: task.prepared.settings, host: identity.host)
    result.reason = reason
    result.finishedAt = status.isFinal ? now : nil
    var record = RunRecord(result: result, owner: identity, createdAt: now)
    record.cover(slots)
    return record
  }
}
