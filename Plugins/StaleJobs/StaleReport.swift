import Synchronization
import UpkeepCore
import UpkeepDatabase

/// Tells of stale jobs: the counts, and each job up to a bound.
final class StaleReport: Sendable {
  /// How many jobs the details hold at most.
  static let bound = 500

  private let settings: StaleJobsSettings
  private let context: TaskContext
  private let told = Mutex(0)

  init(settings: StaleJobsSettings, context: TaskContext) {
    self.settings = settings
    self.context = context
  }

  /// Names the counts.
  func begin() {
    context.add("jobs_failed", 0)
    context.add("jobs_completed", 0)
  }

  /// Takes jobs as ``StaleRules`` reads them.
  func note(_ jobs: [[DatabaseValue]]) {
    let completed = jobs.count { $0[2] == .integer(1) }
    context.add("jobs_completed", completed)
    context.add("jobs_failed", jobs.count - completed)
    let room = told.withLock { told in
      defer { told += jobs.count }
      return max(0, Self.bound - told)
    }
    for job in jobs.prefix(room) { tell(job) }
  }

  /// Says how many jobs the details leave out.
  func end() {
    let left = told.withLock { $0 } - Self.bound
    if left > 0 { context.detail("stale_jobs_left_out", ["count": .integer(left)]) }
  }

  private func tell(_ job: [DatabaseValue]) {
    let type = job[1].text
    let limit = type.flatMap { settings.limits.byType[$0] } ?? settings.defaultLimit
    let elapsed = context.now - Timestamp(microseconds: job[3].integer ?? context.now.microseconds)
    context.detail(
      "stale_job",
      [
        "job_id": job[0].text.map { .string($0) } ?? .null, "job_type": type.map { .string($0) } ?? .null,
        "status": .string(job[2] == .integer(1) ? settings.completedStatus : settings.failedStatus),
        "timeout_minutes": .tenths(limit.inSeconds / 60), "elapsed_minutes": .tenths(elapsed.inSeconds / 60),
      ])
  }
}
