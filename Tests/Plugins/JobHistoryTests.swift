import UpkeepPurge
import DatabaseFixture
import DownloadLogPlugin
import JobHistoryPlugin
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepTestKit

/// What goes from the job queue and the download log, and what stays; it is 2026-11-20 12:00:00.
struct JobHistoryTests {
  private static func settings(_ change: (inout JobHistorySettings) -> Void = { _ in }) -> JobHistorySettings {
    var settings = JobHistorySettings()
    settings.database = DatabaseName("stash")
    change(&settings)
    return settings
  }

  @Test(
    arguments: [
      ("completed", "2026-10-21 12:00:00", false), ("completed", "2026-10-21 12:00:00.000000", false),
      ("completed", "2026-10-21 11:59:59.999999", true), ("completed", "2026-10-21 11:59:59", true),
      ("completed", "2026-10-21T11:59:59Z", true), ("completed", nil, false), ("failed", "2026-01-01 00:00:00", true),
      ("cancelled", "2026-01-01 00:00:00", true), ("running", "2026-01-01 00:00:00", false),
      ("pending", "2026-01-01 00:00:00", false), ("cancelling", "2026-01-01 00:00:00", false),
      ("COMPLETED", "2026-01-01 00:00:00", false), ("odd", "2026-01-01 00:00:00", false),
      ("completed", "2027-01-01 00:00:00", false), ("completed", "long ago", false),
    ] as [(String, String?, Bool)])
  func removesAJobThatEndedLongAgo(status: String, ended: String?, goes: Bool) async throws {
    let fixture = try await MediaFixture(MediaFixture.job("a", type: "sync_all", status: status, completed: ended))
    let run = try await fixture.work(JobHistoryTask(), Self.settings())
    #expect(run.counts == ["jobs_deleted": goes ? 1 : 0, "daemon_job_history_deleted": 0])
    #expect(try await fixture.text("SELECT count(*) FROM job") == (goes ? "0" : "1"))
  }

  @Test func countsWhatGoesAlongAndTouchesNothingElse() async throws {
    let fixture = try await MediaFixture(
      MediaFixture.job("old", status: "failed", completed: "2026-01-01 00:00:00"),
      MediaFixture.job("new", status: "failed", completed: "2026-11-20 00:00:00"),
      "INSERT INTO daemon_job_history VALUES ('1', 'd', 'old', 'LAUNCHED', NULL, '2026-11-20 00:00:00')",
      "INSERT INTO daemon_job_history VALUES ('2', 'd', 'old', 'FINISHED', NULL, '2026-11-20 00:00:00')",
      "INSERT INTO daemon_job_history VALUES ('3', 'd', 'new', 'LAUNCHED', NULL, '2026-01-01 00:00:00')",
      "INSERT INTO handled_downloads VALUES (1, '2026-01-01 00:00:00', 'n', 'p', 'old')",
      """
      INSERT INTO analysis_plan VALUES (1, 'p', NULL, '{}', 'PENDING', 'old', NULL, '2026-01-01', '2026-01-01')
      """)
    let run = try await fixture.work(JobHistoryTask(), Self.settings())
    #expect(run.counts == ["jobs_deleted": 1, "daemon_job_history_deleted": 2])
    #expect(run.tables.map { "\($0.table) \($0.deleted)" }.sorted() == ["daemon_job_history 2", "job 1"])
    #expect(try await fixture.text("SELECT id FROM job") == "new")
    #expect(try await fixture.text("SELECT id FROM daemon_job_history") == "3")
    #expect(try await fixture.text("SELECT count(*) FROM handled_downloads") == "1")
    #expect(try await fixture.text("SELECT status FROM analysis_plan") == "PENDING")
  }

  @Test func keepsAJobThatIsExceptedWithWhatBelongsToIt() async throws {
    let fixture = try await MediaFixture(
      MediaFixture.job("a", status: "failed", completed: "2026-01-01 00:00:00"),
      MediaFixture.job("b", status: "failed", completed: "2026-01-01 00:00:00"),
      MediaFixture.job("c", status: "failed", completed: "2026-01-01 00:00:00"),
      "INSERT INTO daemon_job_history VALUES ('1', 'd', 'a', 'x', NULL, ''), ('2', 'd', 'b', 'x', NULL, '')")
    let exceptions = [
      RowException(table: "job", rows: .keys([.text("a")])),
      RowException(table: "daemon_job_history", rows: .matching("id = '2'")),
    ]
    let run = try await fixture.work(JobHistoryTask(), Self.settings(), except: exceptions)
    #expect(run.counts == ["jobs_deleted": 1, "daemon_job_history_deleted": 0])
    #expect(try await fixture.text("SELECT id FROM job ORDER BY id") == "a b")
  }

  @Test func takesOtherStatusesAndAnotherTable() async throws {
    let fixture = try await MediaFixture(
      "CREATE TABLE runs(id INTEGER PRIMARY KEY, state TEXT, ended TEXT)",
      "INSERT INTO runs VALUES (1, 'ok', '2026-11-19 11:59:59'), (2, 'ok', '2026-11-19 12:00:00'), (3, 'failed', '2020-01-01')"
    )
    let settings = Self.settings {
      ($0.table, $0.timeColumn, $0.statusColumn, $0.statuses) = ("runs", "ended", "state", ["ok", "it's fine"])
      $0.keep = .seconds(86_400)
    }
    #expect(try await fixture.work(JobHistoryTask(), settings).counts == ["jobs_deleted": 1])
    #expect(try await fixture.text("SELECT id FROM runs") == "2 3")
  }

  @Test func wantsAStatus() {
    let scope = SettingScope(folder: "/", databases: nil)
    let values: [String: JSONValue] = ["database": "stash", "statuses": .array([])]
    let (_, problems) = JobHistorySettings.read(.test(.object(values)), owner: .standard, in: scope)
    #expect(problems.map(\.message) == ["statuses: expected at least one status, found none"])
  }

  @Test func saysWhichTableOrColumnIsMissing() async throws {
    let fixture = try await MediaFixture()
    #expect(
      await fixture.failure(JobHistoryTask(), Self.settings { $0.timeColumn = "complete_at" })?.description
        == "table job: it has no column complete_at; did you mean completed_at? check the table, or name another by "
        + "the setting time_column")
  }

  @Test(arguments: [
    ("2026-11-06 12:00:00", false), ("2026-11-06 12:00:00.000000", false), ("2026-11-06 11:59:59.999999", true),
    ("2026-11-06 11:59:59", true), ("2026-11-20 12:00:00", false), ("soon", false),
  ])
  func removesAnOldEntryOfTheDownloadLog(time: String, goes: Bool) async throws {
    let fixture = try await MediaFixture("INSERT INTO handled_downloads VALUES (1, '\(time)', 'n', 'p', 'gone')")
    var settings = DownloadLogSettings()
    settings.database = DatabaseName("stash")
    #expect(try await fixture.work(DownloadLogTask(), settings).counts == ["downloads_deleted": goes ? 1 : 0])
    #expect(try await fixture.text("SELECT count(*) FROM handled_downloads") == (goes ? "0" : "1"))
  }

  @Test func describesJobsAndDownloads() async throws {
    let fixture = try await MediaFixture(
      MediaFixture.job("a", status: "failed", completed: "2026-10-01 00:00:00"),
      MediaFixture.job("b", status: "failed", completed: "2026-10-01 00:00:00.5"),
      "INSERT INTO handled_downloads VALUES (1, '2026-11-06 12:00:00', 'n', 'p', 'gone')")
    let jobs = try await JobHistoryTask().statistics(Self.settings(), in: fixture.context(.preview))
    #expect(jobs.items.map(\.count) == [2])
    #expect(jobs.items[0].oldest == Timestamp(text: "2026-10-01 00:00:00"))
    #expect(jobs.items[0].newest == Timestamp(text: "2026-10-01 00:00:00.5"))
    #expect(jobs.details == [.object(["kind": "jobs_by_status", "status": "failed", "count": .integer(2)])])
    var settings = DownloadLogSettings()
    settings.database = DatabaseName("stash")
    let downloads = try await DownloadLogTask().statistics(settings, in: fixture.context(.preview))
    #expect(downloads.items.map(\.name) == ["handled_downloads"])
  }
}
