public import UpkeepCore
import UpkeepDatabase

/// What a clean-up of the media application's database must leave, by a plain set-based reading of the rules.
public enum MediaOracle {
  /// One part of the clean-up.
  public enum Step: String, Sendable, CaseIterable {
    /// Jobs that hang.
    case staleJobs = "stale_jobs"
    /// Jobs that ended long ago.
    case jobHistory = "job_history"
    /// Old entries of the download log.
    case downloadLog = "download_log"
    /// Plans whose job is over or gone.
    case stuckPlans = "stuck_plans"
  }

  /// The application's own limits, in minutes.
  private static let limits = [
    "sync": 30, "sync_scenes": 30, "analysis": 60, "apply_plan": 30, "generate_details": 45, "export": 15, "import": 15,
    "cleanup": 5,
  ]

  /// Does the steps in plain SQL, one statement each.
  ///
  /// - Parameters:
  ///   - path: The database, of which nobody else has a connection.
  ///   - steps: The steps, in order.
  ///   - now: The instant that everything is counted from.
  public static func cleanUp(_ path: String, _ steps: [Step], now: Timestamp) async throws {
    let (time, day) = (now.microseconds, Int64(86_400_000_000))
    let limit =
      limits.map { "WHEN '\($0.key)' THEN \($0.value)" }.sorted().joined(separator: " ")
    let elapsed = "(\(time) - upkeep_instant(coalesce(started_at, created_at)))"
    let statements: [Step: String] = [
      .staleJobs: """
      UPDATE job SET
        status = iif(progress = 100, 'completed', 'failed'),
        error = iif(progress = 100, NULL, printf('Job timed out after %.1f minutes', \(elapsed) / 60000000.0)),
        completed_at = '\(now.microsecondText)', updated_at = '\(now.microsecondText)'
      WHERE status IN ('running', 'pending') AND \(elapsed) > 60000000 * CASE type \(limit) ELSE 30 END
      """,
      .jobHistory: """
      DELETE FROM job WHERE status IN ('completed', 'failed', 'cancelled')
        AND upkeep_instant(completed_at) < \(time - 30 * day)
      """,
      .downloadLog: "DELETE FROM handled_downloads WHERE upkeep_instant(timestamp) < \(time - 14 * day)",
      .stuckPlans: """
      UPDATE analysis_plan SET status = 'DRAFT', updated_at = '\(now.microsecondText)'
      WHERE status = 'PENDING' AND (coalesce(job_id, '') = ''
        OR job_id NOT IN (SELECT id FROM job WHERE status IN ('running', 'pending')))
      """,
    ]
    let session = try await SQLiteDatabase(name: "expected", path: path).open(.write(.normal), purpose: "oracle")
    try await session.perform { connection in
      for step in steps { try connection.execute(statements[step] ?? "") }
    }
    await session.close()
  }
}
