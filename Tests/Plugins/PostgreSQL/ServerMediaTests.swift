import UpkeepPurge
import DatabaseFixture
import DownloadLogPlugin
import JobHistoryPlugin
import StaleJobsPlugin
import StuckPlansPlugin
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo
import UpkeepTestKit

/// The clean-up of the media application on PostgreSQL, where status and type are enumerations and times have a zone,
/// against that on SQLite.
struct ServerMediaTests {
  /// Rows on both sides of every limit, to the microsecond.
  private static let boundaries = [
    MediaFixture.job("stale-0", status: "running", started: "2026-11-20 11:30:00"),
    MediaFixture.job("stale-1", status: "running", started: "2026-11-20 11:29:59.999999"),
    MediaFixture.job("stale-2", type: "ANALYSIS", status: "pending", created: "2026-11-20 11:29:59.999999"),
    MediaFixture.job("old-0", status: "failed", completed: "2026-10-21 12:00:00"),
    MediaFixture.job("old-1", status: "failed", completed: "2026-10-21 11:59:59.999999"),
    MediaFixture.job("old-2", status: "cancelling", completed: "2026-10-01 12:00:00"),
    "INSERT INTO handled_downloads VALUES (900000, '2026-11-06 12:00:00', 'n', 'p', 'old-0')",
    "INSERT INTO handled_downloads VALUES (900001, '2026-11-06 11:59:59.999999', 'n', 'p', 'old-0')",
  ]

  private func expectTheSame<T: PreviewableTask>(
    _ task: T, _ settings: T.Settings, _ file: MediaFixture, _ server: ServerFixture
  ) async throws {
    let expected = try await file.work(task, settings)
    let done = try await server.work(task, settings)
    #expect(done.errors == [])
    #expect(done.counts == expected.counts)
    #expect(done.counts.contains { $0.value > 0 })
    let jobs = { (contents: RunJournal.Contents) in contents.details.filter { !$0.is("database") } }
    #expect(Set(jobs(done).map(\.text)) == Set(jobs(expected).map(\.text)))
  }

  @Test func doesWhatItDoesOnSQLite() async throws {
    let file = try await MediaFixture(jobs: 3000, plans: 300, Self.boundaries)
    let server = try await ServerFixture(.media, of: file.database.path)
    var stale = StaleJobsSettings()
    stale.database = DatabaseName("stash")
    try await expectTheSame(StaleJobsTask(), stale, file, server)
    var history = JobHistorySettings()
    history.database = DatabaseName("stash")
    try await expectTheSame(JobHistoryTask(), history, file, server)
    var downloads = DownloadLogSettings()
    downloads.database = DatabaseName("stash")
    try await expectTheSame(DownloadLogTask(), downloads, file, server)
    var plans = StuckPlansSettings()
    plans.database = DatabaseName("stash")
    try await expectTheSame(StuckPlansTask(), plans, file, server)
    for table in MediaSchema.tableNames {
      let left = try await server.comparable(table)
      let right = ServerFixture.comparable(try await file.rows("SELECT * FROM \(table) ORDER BY id"))
      #expect(left == right, "\(table)")
    }
    #expect(try await server.text("SELECT id FROM job WHERE id LIKE 'stale-%' AND status = 'running'") == "stale-0")
    #expect(try await server.text("SELECT id FROM job WHERE id LIKE 'old-%' ORDER BY id") == "old-0 old-2")
    #expect(try await server.text("SELECT id FROM handled_downloads WHERE id >= 900000") == "900000")
  }

  @Test func countsWhatThereIs() async throws {
    let file = try await MediaFixture(jobs: 500, plans: 50)
    let server = try await ServerFixture(.media, of: file.database.path)
    var settings = StaleJobsSettings()
    settings.database = DatabaseName("stash")
    let expected = try await StaleJobsTask().statistics(settings, in: file.context(.preview))
    #expect(try await StaleJobsTask().statistics(settings, in: server.context(.preview)) == expected)
  }
}
