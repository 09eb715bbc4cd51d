import UpkeepPurge
import DatabaseFixture
import StuckPlansPlugin
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepTestKit

/// Which plans are stuck, and what becomes of them; it is 2026-11-20 12:00:00.
struct StuckPlansTests {
  private static func settings(_ change: (inout StuckPlansSettings) -> Void = { _ in }) -> StuckPlansSettings {
    var settings = StuckPlansSettings()
    settings.database = DatabaseName("stash")
    change(&settings)
    return settings
  }

  private static func plan(_ id: Int, _ status: String = "PENDING", job: String = "NULL") -> String {
    """
    INSERT INTO analysis_plan VALUES (\(id), 'p', 'd', '{"a": 1}', '\(status)', \(job), NULL, '2026-11-01 00:00:00',
      '2026-11-20 11:59:59')
    """
  }

  private static let jobs = ["running", "pending", "cancelling", "completed", "failed", "cancelled", "RUNNING", "odd"]
    .map { MediaFixture.job($0, status: $0) }

  @Test(arguments: [
    ("NULL", true), ("''", true), ("'gone'", true), ("'cancelling'", true), ("'completed'", true), ("'failed'", true),
    ("'cancelled'", true), ("'RUNNING'", true), ("'odd'", true), ("'running'", false), ("'pending'", false),
  ])
  func resetsAPlanWhoseJobDoesNotWorkOnIt(job: String, isStuck: Bool) async throws {
    let statuses = ["PENDING", "DRAFT", "REVIEWING", "APPLIED", "CANCELLED", "pending", "Odd"]
    let fixture = try await MediaFixture()
    try await fixture.execute(Self.jobs + statuses.enumerated().map { Self.plan($0, $1, job: job) })
    let run = try await fixture.work(StuckPlansTask(), Self.settings())
    #expect(run.counts == ["plans_reset": isStuck ? 1 : 0])
    let first = isStuck ? "DRAFT" : "PENDING"
    #expect(
      try await fixture.text("SELECT status FROM analysis_plan ORDER BY id")
        == ([first] + statuses.dropFirst()).joined(separator: " "))
  }

  @Test func touchesNothingButStatusAndTime() async throws {
    let fixture = try await MediaFixture(Self.plan(1))
    _ = try await fixture.work(StuckPlansTask(), Self.settings())
    #expect(
      try await fixture.rows("SELECT * FROM analysis_plan") == [
        [
          1, "p", "d", #"{"a": 1}"#, "DRAFT", nil, nil, "2026-11-01 00:00:00", "2026-11-20 12:00:00.000000",
        ]
      ])
  }

  @Test func leavesAPlanAloneWhoseJobStartsBetweenLookAndWrite() async throws {
    let fixture = try await MediaFixture(
      MediaFixture.job("a", status: "failed"), Self.plan(1, job: "'a'"), Self.plan(2, job: "'b'"),
      Self.plan(3, job: "'c'"))
    let path = fixture.database.path
    let clock = FirstLookClock {
      try SecondConnection(path).execute(
        "UPDATE job SET status = 'running' WHERE id = 'a'", "UPDATE analysis_plan SET status = 'APPLIED' WHERE id = 2")
    }
    let context = fixture.context(.run, clock: clock)
    try await StuckPlansTask().run(Self.settings(), in: context)
    #expect(clock.error == nil)
    #expect(context.journal.current.counts == ["plans_reset": 1])
    #expect(try await fixture.text("SELECT status FROM analysis_plan ORDER BY id") == "PENDING APPLIED DRAFT")
  }

  @Test func touchesNoPlanThatIsExcepted() async throws {
    let fixture = try await MediaFixture(Self.plan(1), Self.plan(2), Self.plan(3))
    let exceptions = [
      RowException(table: "analysis_plan", rows: .keys([.integer(2)])),
      RowException(table: "analysis_plan", rows: .matching("id = 3 OR id > 100")),
    ]
    let run = try await fixture.work(StuckPlansTask(), Self.settings(), except: exceptions)
    #expect(run.counts == ["plans_reset": 1])
    #expect(run.tables == [TableResult(table: "analysis_plan", keptExcepted: 2)])
    #expect(try await fixture.text("SELECT status FROM analysis_plan ORDER BY id") == "DRAFT PENDING PENDING")
  }

  @Test func takesOtherNamesAndStatuses() async throws {
    let fixture = try await MediaFixture(
      "CREATE TABLE drafts(no INTEGER PRIMARY KEY, state TEXT, worker INTEGER, at TEXT) STRICT",
      "CREATE TABLE workers(no INTEGER PRIMARY KEY, state TEXT)",
      "INSERT INTO workers VALUES (1, 'busy'), (2, 'idle')",
      "INSERT INTO drafts VALUES (1, 'waiting', 1, ''), (2, 'waiting', 2, ''), (3, 'waiting', 3, ''), (4, 'new', 2, '')"
    )
    let settings = Self.settings {
      ($0.table, $0.statusColumn, $0.jobColumn, $0.updatedColumn) = ("drafts", "state", "worker", "at")
      ($0.jobTable, $0.jobIDColumn, $0.jobStatusColumn) = ("workers", "no", "state")
      ($0.from, $0.to, $0.activeStatuses) = ("waiting", "new", ["busy"])
    }
    #expect(try await fixture.work(StuckPlansTask(), settings).counts == ["plans_reset": 2])
    #expect(try await fixture.text("SELECT state FROM drafts ORDER BY no") == "waiting new new new")
  }

  @Test func resetsAllWhereNoStatusIsActive() async throws {
    let fixture = try await MediaFixture(MediaFixture.job("running"), Self.plan(1, job: "'running'"))
    _ = try await fixture.work(StuckPlansTask(), Self.settings { $0.activeStatuses = [] })
    #expect(try await fixture.text("SELECT status FROM analysis_plan") == "DRAFT")
  }

  @Test func saysWhichTableOrColumnIsMissing() async throws {
    let fixture = try await MediaFixture()
    #expect(
      await fixture.failure(StuckPlansTask(), Self.settings { $0.jobTable = "joob" })?.description
        == "table joob: there is no such table in the database; did you mean job? check the database, or name another "
        + "by the setting job_table")
  }

  @Test func refusesToResetAPlanToTheStatusThatItHas() {
    let scope = SettingScope(folder: "/", databases: nil)
    let values: [String: JSONValue] = ["database": "stash", "from": "DRAFT"]
    let (_, problems) = StuckPlansSettings.read(.test(.object(values)), owner: .standard, in: scope)
    #expect(problems.map(\.message) == ["to: expected another status than from, found DRAFT in both"])
  }
}
