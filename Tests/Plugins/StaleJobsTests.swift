import UpkeepPurge
import DatabaseFixture
import StaleJobsPlugin
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepTestKit

/// Which jobs are stale, and what becomes of them; it is 2026-11-20 12:00:00.
struct StaleJobsTests {
  private static func settings(_ change: (inout StaleJobsSettings) -> Void = { _ in }) -> StaleJobsSettings {
    var settings = StaleJobsSettings()
    settings.database = DatabaseName("stash")
    change(&settings)
    return settings
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var type = "sync"
    var status = "running"
    var progress = 40
    var started: String?
    var created = "2026-11-01 00:00:00"
    var becomes: String

    var testDescription: String { "\(type) \(status) since \(started ?? created) becomes \(becomes)" }
  }

  private static let cases: [Case] = [
    Case(started: "2026-11-20 11:30:00", becomes: "running"),
    Case(started: "2026-11-20 11:30:00.000000", becomes: "running"),
    Case(started: "2026-11-20 11:29:59.999999", becomes: "failed"),
    Case(started: "2026-11-20 11:29:59", becomes: "failed"),
    Case(status: "pending", created: "2026-11-20 11:30:00", becomes: "pending"),
    Case(status: "pending", created: "2026-11-20 11:29:59.999999", becomes: "failed"),
    // The start counts, however long ago it was made.
    Case(started: "2026-11-20 11:59:00", created: "2026-01-01 00:00:00", becomes: "running"),
    Case(progress: 100, started: "2026-11-20 10:00:00", becomes: "completed"),
    Case(progress: 100, started: "2026-11-20 11:30:00", becomes: "running"),
    Case(type: "analysis", started: "2026-11-20 11:00:00", becomes: "running"),
    Case(type: "analysis", started: "2026-11-20 10:59:59.999999", becomes: "failed"),
    Case(type: "ANALYSIS", started: "2026-11-20 11:29:59.999999", becomes: "failed"),
    Case(type: "ANALYSIS", started: "2026-11-20 11:30:00", becomes: "running"),
    Case(type: "sync_scenes", started: "2026-11-20 11:29:59.999999", becomes: "failed"),
    Case(type: "apply_plan", started: "2026-11-20 11:30:00", becomes: "running"),
    Case(type: "generate_details", started: "2026-11-20 11:15:00", becomes: "running"),
    Case(type: "generate_details", started: "2026-11-20 11:14:59.999999", becomes: "failed"),
    Case(type: "export", started: "2026-11-20 11:45:00", becomes: "running"),
    Case(type: "export", started: "2026-11-20 11:44:59.999999", becomes: "failed"),
    Case(type: "import", started: "2026-11-20 11:44:59.999999", becomes: "failed"),
    Case(type: "cleanup", started: "2026-11-20 11:55:00", becomes: "running"),
    Case(type: "cleanup", started: "2026-11-20 11:54:59.999999", becomes: "failed"),
    Case(type: "sync_all", started: "2026-11-20 11:30:00", becomes: "running"),
    Case(type: "sync_all", started: "2026-11-20 11:29:59.999999", becomes: "failed"),
    Case(type: "", started: "2026-11-20 11:29:59.999999", becomes: "failed"),
    Case(started: "2026-11-20 12:00:00.000001", becomes: "running"),
    Case(started: "2027-01-01 00:00:00", becomes: "running"),
    Case(status: "cancelling", started: "2026-01-01 00:00:00", becomes: "cancelling"),
    Case(status: "completed", started: "2026-01-01 00:00:00", becomes: "completed"),
    Case(status: "RUNNING", started: "2026-01-01 00:00:00", becomes: "RUNNING"),
    Case(status: "paused", started: "2026-01-01 00:00:00", becomes: "paused"),
    Case(started: "yesterday", becomes: "running"),
    Case(started: "", becomes: "running"),
  ]

  @Test(arguments: cases) func marksAJobThatIsOverItsLimit(_ item: Case) async throws {
    let fixture = try await MediaFixture(
      MediaFixture.job(
        "a", type: item.type, status: item.status, progress: item.progress, started: item.started,
        created: item.created))
    let counts = try await fixture.work(StaleJobsTask(), Self.settings()).counts
    #expect(try await fixture.text("SELECT status FROM job") == item.becomes)
    let isMarked = item.becomes != item.status
    #expect(counts["jobs_failed"] == (isMarked && item.becomes == "failed" ? 1 : 0))
    #expect(counts["jobs_completed"] == (isMarked && item.becomes == "completed" ? 1 : 0))
  }

  @Test func touchesNothingButTheFourColumns() async throws {
    let job = """
      INSERT INTO job VALUES ('\(1)', 'sync', 'running', \(40), 7, 3, '{"a": 1}', 'old', 'null', '2026-11-20 08:51:18',
        NULL, '2026-11-20 08:51:00', '2026-11-20 08:52:00.5')
      """
    let done = job.replacing("('1'", with: "('2'").replacing(" 40,", with: " 100,")
    let fixture = try await MediaFixture(job, done)
    _ = try await fixture.work(StaleJobsTask(), Self.settings())
    let rest: [DatabaseValue] = [.text("2026-11-20 08:51:18")]
    let time: DatabaseValue = "2026-11-20 12:00:00.000000"
    let made: DatabaseValue = "2026-11-20 08:51:00"
    #expect(
      try await fixture.rows("SELECT * FROM job ORDER BY id") == [
        ["1", "sync", "failed", 40, 7, 3, #"{"a": 1}"#, "Job timed out after 188.7 minutes", "null"] + rest
          + [time, made, time],
        ["2", "sync", "completed", 100, 7, 3, #"{"a": 1}"#, nil, "null"] + rest + [time, made, time],
      ])
  }

  @Test func listsEachJob() async throws {
    let fixture = try await MediaFixture(
      MediaFixture.job("a", started: "2026-11-20 08:51:18"),
      MediaFixture.job("b", type: "SYNC", progress: 100, started: "2026-11-20 11:00:00"))
    let details = try await fixture.work(StaleJobsTask(), Self.settings()).details
    #expect(
      details.filter { $0.is("stale_job") } == [
        .object([
          "kind": "stale_job", "job_id": "a", "job_type": "sync", "status": "failed", "timeout_minutes": .integer(30),
          "elapsed_minutes": .number(188.7),
        ]),
        .object([
          "kind": "stale_job", "job_id": "b", "job_type": "SYNC", "status": "completed",
          "timeout_minutes": .integer(30), "elapsed_minutes": .integer(60),
        ]),
      ])
    #expect(!details.contains { $0.is("stale_jobs_left_out") })
  }

  @Test func listsFiveHundredJobsAndSaysHowManyItLeavesOut() async throws {
    let fixture = try await MediaFixture(
      """
      WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 502)
      INSERT INTO job(id, type, status, created_at) SELECT i, 'test', 'pending', '2026-11-01 00:00:00' FROM n
      """)
    let run = try await fixture.work(StaleJobsTask(), Self.settings())
    #expect(run.counts == ["jobs_failed": 502, "jobs_completed": 0])
    #expect(run.details.count { $0.is("stale_job") } == 500)
    #expect(run.details.contains(.object(["kind": "stale_jobs_left_out", "count": .integer(2)])))
  }

  @Test func takesOtherLimits() async throws {
    let fixture = try await MediaFixture(
      MediaFixture.job("a", started: "2026-11-20 11:15:00"),
      MediaFixture.job("b", started: "2026-11-20 11:14:59"),
      MediaFixture.job("c", type: "SYNC", started: "2026-11-20 11:29:00"),
      MediaFixture.job("d", type: "test", started: "2026-11-20 11:29:00"))
    let settings = Self.settings {
      $0.limits = JobLimits(["sync": .seconds(45 * 60), "SYNC": .seconds(31 * 60)])
      $0.defaultLimit = .seconds(31 * 60)
    }
    _ = try await fixture.work(StaleJobsTask(), settings)
    #expect(try await fixture.text("SELECT id FROM job WHERE status = 'failed'") == "b")
  }

  @Test func keepsTheDefaultsOfTypesThatAreNotNamed() throws {
    let scope = SettingScope(folder: "/", databases: nil)
    let limits = try JobLimits.read(.test(.object(["sync": .string("45m")])), in: scope)
    #expect(limits.byType["sync"] == .seconds(45 * 60))
    #expect(limits.byType["analysis"] == .seconds(60 * 60))
    #expect(limits.byType.count == 8)
  }

  @Test func measuresFromTheLastChangeWhereAJobSaysThatItLives() async throws {
    let fixture = try await MediaFixture(
      MediaFixture.job("a", started: "2026-11-20 01:00:00", updated: "2026-11-20 11:30:00"),
      MediaFixture.job("b", started: "2026-11-20 01:00:00", updated: "2026-11-20 11:29:59.999999"))
    let run = try await fixture.work(StaleJobsTask(), Self.settings { $0.liveness = .heartbeat })
    #expect(try await fixture.text("SELECT id FROM job WHERE status = 'failed'") == "b")
    #expect(try await fixture.text("SELECT error FROM job WHERE id = 'b'") == "Job timed out after 30.0 minutes")
    #expect(run.counts["jobs_failed"] == 1)
  }

  @Test func warnsOfJobsWithoutATimeThatCanBeRead() async throws {
    let fixture = try await MediaFixture(
      MediaFixture.job("a", started: "soon"), MediaFixture.job("b", status: "completed", started: "soon"))
    let context = fixture.context(.preview)
    try await StaleJobsTask().preview(Self.settings(), in: context)
    #expect(
      context.journal.current.warnings == [
        "job: 1 active jobs have no date and time that can be read; they are left alone: write it as "
          + "2026-11-20 12:00:00"
      ])
  }

  @Test func leavesAJobAloneThatEndsBetweenLookAndWrite() async throws {
    let fixture = try await MediaFixture(
      MediaFixture.job("a", started: "2026-11-20 01:00:00"), MediaFixture.job("b", started: "2026-11-20 01:00:00"),
      MediaFixture.job("c", started: "2026-11-20 01:00:00"))
    let path = fixture.database.path
    // The run looks at its clock between the list of jobs and the first batch.
    let clock = FirstLookClock {
      try SecondConnection(path).execute(
        "UPDATE job SET status = 'completed', completed_at = '2026-11-20 11:59:59' WHERE id = 'a'",
        "UPDATE job SET started_at = '2026-11-20 11:59:59' WHERE id = 'b'")
    }
    let context = fixture.context(.run, clock: clock)
    try await StaleJobsTask().run(Self.settings(), in: context)
    #expect(clock.error == nil)
    #expect(context.journal.current.counts == ["jobs_failed": 1, "jobs_completed": 0])
    #expect(
      try await fixture.rows("SELECT id, status, completed_at, error FROM job ORDER BY id") == [
        ["a", "completed", "2026-11-20 11:59:59", nil], ["b", "running", nil, nil],
        ["c", "failed", "2026-11-20 12:00:00.000000", "Job timed out after 660.0 minutes"],
      ])
  }

  @Test func touchesNoJobThatIsExcepted() async throws {
    let fixture = try await MediaFixture(
      MediaFixture.job("a", started: "2026-11-20 01:00:00"), MediaFixture.job("b", started: "2026-11-20 01:00:00"),
      MediaFixture.job("c", type: "test", started: "2026-11-20 01:00:00"))
    let exceptions = [
      RowException(table: "job", rows: .keys([.text("a"), .text("z")])),
      RowException(database: "stash", table: "job", rows: .matching("type = 'test'")),
    ]
    let run = try await fixture.work(StaleJobsTask(), Self.settings(), except: exceptions)
    #expect(run.counts["jobs_failed"] == 1)
    #expect(run.tables == [TableResult(table: "job", keptExcepted: 2)])
    #expect(try await fixture.text("SELECT id FROM job WHERE status = 'running' ORDER BY id") == "a c")
  }

  @Test func worksOnTablesOfOtherNames() async throws {
    let fixture = try await MediaFixture(
      "CREATE TABLE \"Work Items\"(key INTEGER PRIMARY KEY, kind, state, done, why, begun, made, ended, changed)",
      "INSERT INTO \"Work Items\" VALUES (1, 'x', 'busy', 10, NULL, '2026-11-20T11:29:59Z', NULL, NULL, NULL)",
      "INSERT INTO \"Work Items\" VALUES (2, 'x', 'busy', 10, NULL, '2026-11-20T11:30:00Z', NULL, NULL, NULL)")
    let settings = Self.settings {
      ($0.table, $0.idColumn, $0.typeColumn, $0.statusColumn) = ("Work Items", "key", "kind", "state")
      ($0.progressColumn, $0.errorColumn, $0.startedColumn, $0.createdColumn) = ("done", "why", "begun", "made")
      ($0.completedColumn, $0.updatedColumn, $0.activeStatuses) = ("ended", "changed", ["busy", "waiting"])
      $0.failedStatus = "broken"
    }
    let run = try await fixture.work(StaleJobsTask(), settings)
    #expect(run.counts["jobs_failed"] == 1)
    #expect(try await fixture.text("SELECT state FROM \"Work Items\" ORDER BY key") == "broken busy")
  }

  @Test func saysWhichTableOrColumnIsMissing() async throws {
    let fixture = try await MediaFixture()
    #expect(
      await fixture.failure(StaleJobsTask(), Self.settings { $0.table = "jobs" })?.description
        == "table jobs: there is no such table in the database; did you mean job? check the database, or name another "
        + "by the setting table")
    #expect(
      await fixture.failure(StaleJobsTask(), Self.settings { $0.errorColumn = "message" })?.description
        == "table job: it has no column message; check the table, or name another by the setting error_column")
  }

  @Test func describesTheJobs() async throws {
    let fixture = try await MediaFixture(
      MediaFixture.job("a"), MediaFixture.job("b", status: "odd", created: "2026-11-02 00:00:00.5"))
    let statistics = try await StaleJobsTask().statistics(Self.settings(), in: fixture.context(.preview))
    #expect(statistics.items.map(\.count) == [2])
    #expect(statistics.items[0].newest == Timestamp(text: "2026-11-02 00:00:00.5"))
    #expect(
      statistics.details == [
        .object(["kind": "jobs_by_status", "status": "odd", "count": .integer(1)]),
        .object(["kind": "jobs_by_status", "status": "running", "count": .integer(1)]),
        .object(["kind": "jobs_by_type", "type": "sync", "count": .integer(2)]),
      ])
  }
}
