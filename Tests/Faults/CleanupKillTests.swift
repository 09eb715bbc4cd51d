import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo

/// The media application's clean-up is killed in the middle: what must stay is there whole, no row is half changed, and
/// the next group run finishes.
@Suite struct CleanupKillTests {
  /// Of seven jobs three are old, two young, one old one is being cancelled, and one is stale or, every fifth time, running.
  private static let statements = [
    """
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 59999),
    j AS (SELECT i, i % 7 AS kind, unixepoch('now') - iif(i % 7 < 4, 3000000, 600000) - i * 7919 % 60013 * 20 AS at FROM n)
    INSERT INTO job SELECT printf('%08x-%d', i * 2654435761 % 4294967296, i), 'sync',
      iif(kind = 6, 'running', iif(kind = 3, 'cancelling', 'completed')), iif(i % 2, 100, 40), 9, 5, '{"note": "done"}', NULL,
      NULL, datetime(iif(kind = 6, iif(i % 5, at, unixepoch('now') + 86400), at - 60), 'unixepoch'),
      iif(kind = 6, NULL, strftime('%Y-%m-%d %H:%M:%f000', at, 'unixepoch')),
      datetime(at - 90, 'unixepoch'), datetime(at, 'unixepoch') FROM j
    """,
    """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
    INSERT INTO handled_downloads SELECT i, datetime(unixepoch('now') - iif(i % 3, 1300000, 1100000) - i, 'unixepoch'),
      'a', 'b', 'c' FROM n
    """,
    "INSERT INTO daemon_job_history SELECT 'h' || rowid, 'd', id, 'LAUNCHED', NULL, created_at FROM job WHERE rowid % 5 = 0",
    """
    INSERT INTO analysis_plan SELECT rowid, 'p', NULL, '{}', 'PENDING', id, NULL, '2026-01-01', '2026-01-01' FROM job
    WHERE rowid % 20 < 1
    """,
    "INSERT INTO plan_change SELECT id, id, 'tags', '1' FROM analysis_plan",
  ]

  /// What the rules make of it, in plain SQL: how many rows are there that no run may leave or make.
  private static let faults = [
    "a young job, one that is being cancelled or one that runs is gone":
      "SELECT count(*) FROM old.job o WHERE (status <> 'completed' OR completed_at >= datetime('now', '-30 days')) "
      + "AND NOT EXISTS (SELECT 1 FROM job j WHERE j.id = o.id)",
    "a job is changed that isn't stale":
      "SELECT count(*) FROM job j JOIN old.job o USING (id) WHERE (o.status <> 'running' OR o.started_at > datetime('now')) "
      + "AND (j.status, j.updated_at, ifnull(j.completed_at, '')) <> (o.status, o.updated_at, ifnull(o.completed_at, ''))",
    "a stale job is marked by half":
      "SELECT count(*) FROM job j JOIN old.job o USING (id) WHERE j.status <> o.status AND NOT ("
      + "j.status = iif(j.progress = 100, 'completed', 'failed') AND j.completed_at = j.updated_at "
      + "AND j.updated_at > o.updated_at AND (j.error IS NULL) = (j.progress = 100))",
    "a young download is gone":
      "SELECT count(*) FROM old.handled_downloads o WHERE timestamp >= datetime('now', '-14 days') "
      + "AND NOT EXISTS (SELECT 1 FROM handled_downloads d WHERE d.id = o.id)",
    "a plan is gone or reset by half":
      "SELECT count(*) FROM old.analysis_plan o LEFT JOIN analysis_plan p USING (id) WHERE p.id IS NULL "
      + "OR NOT (p.status = 'PENDING' AND p.updated_at = o.updated_at OR p.status = 'DRAFT' AND p.updated_at > o.updated_at)",
    "a plan's changes are gone": "SELECT (SELECT count(*) FROM old.plan_change) - (SELECT count(*) FROM plan_change)",
    "a row refers to nothing": "SELECT count(*) FROM pragma_foreign_key_check",
    "the file is damaged": "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
  ]

  /// What a finished clean-up leaves undone.
  private static let remains = [
    "an old job is left":
      "SELECT count(*) FROM job WHERE status = 'completed' AND completed_at < datetime('now', '-30 days')",
    "an old download is left": "SELECT count(*) FROM handled_downloads WHERE timestamp < datetime('now', '-14 days')",
    "a stale job is left": "SELECT count(*) FROM job WHERE status = 'running' AND started_at < datetime('now')",
    "a stuck plan is left":
      "SELECT count(*) FROM analysis_plan p WHERE status = 'PENDING' AND NOT EXISTS "
      + "(SELECT 1 FROM job j WHERE j.id = p.job_id AND j.status = 'running')",
  ]

  private static let yaml =
    "version: 1\ndatabases: { stash: { sqlite: app.sqlite } }\ntasks:\n"
    + ["stale_jobs", "job_history", "download_log", "stuck_plans"]
    .map { "  \($0): { guard: none, settings: { database: stash } }\n" }.joined()
    + "groups: { cleanup: [stale_jobs, job_history, download_log, stuck_plans] }\n"

  private func check(_ conditions: [String: String], _ path: String, against template: String, _ moment: String)
    async throws
  {
    let session = try await SQLiteDatabase(name: "stash", path: path).open(.write(.normal), purpose: "test")
    let found = try await session.perform { connection in
      try connection.execute("ATTACH ?1 AS old", [.text(template)])
      return try conditions.filter { try connection.integer($0.value) != 0 }.keys.sorted()
    }
    await session.close()
    #expect(found == [], "\(moment)")
  }

  @Test func leavesNothingByHalfWheneverItIsKilled() async throws {
    let runs = try await KilledRuns(of: "cleanup", yaml: Self.yaml, MediaSchema.statements + Self.statements)
    let (template, path) = (runs.template, runs.path)
    for moment in [150, 400, 800, 1300, 2200] {
      try runs.kill(after: moment)
      try await check(Self.faults, path, against: template, "killed after \(moment) ms")
    }
    // How far each run came depends on the machine; the last one is finished by the next, however far it was.
    let rest = try runs.finish()
    #expect(rest.status == 0, "\(rest.errors)")
    try await check(Self.faults.merging(Self.remains) { left, _ in left }, path, against: template, "finished")
    let second = try runs.finish("--json")
    #expect(second.output.contains("\"jobs_deleted\""))
    #expect(!second.output.contains(#/"(?:jobs|downloads)_[a-z]+"\s*:\s*[1-9]/#))
  }
}
