import DatabaseFixture
import Foundation
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepPurge
import UpkeepTestKit

@Suite struct SessionExpiryTests {
  @Test func conforms() async {
    let plugin = Plugin("session_expiry", SessionExpiryTask.self, SessionExpiryTask.documentation)
    let conformance = PluginConformance(
      plugin, powers: [.preview, .delete],
      badSettings: [.test(.object(["keep": "30d"])), .test(.object(["database": "app", "keep": "1s"]))]
    ) { try await SessionSite().fixture }
    #expect(await conformance.failures() == [])
  }

  @Test func keepsASessionExactlyAtTheCutoff() async throws {
    let site = try await SessionSite()
    var settings = SessionExpirySettings()
    settings.folder = SettingPath(site.folder.path)
    let context = TaskContext.test(clock: ContinuousClock(), resources: site)
    try await SessionExpiryTask().run(settings, in: context)
    #expect(context.journal.current.counts == ["sessions_deleted": 1, "files_deleted": 1])
    #expect(try await site.text("SELECT id FROM sessions ORDER BY id") == "cutoff young")
    #expect(try site.files == ["sess_cutoff", "sess_young", "stranger"])
  }
}

/// Sessions and files on both sides of 30 days before noon of 2026-11-20.
private final class SessionSite: DatabaseFixture {
  let folder: TemporaryFolder
  let database: SQLiteDatabase
  private let data: TemporaryFolder

  init() async throws {
    (folder, data) = (try TemporaryFolder(), try TemporaryFolder())
    database = SQLiteDatabase(name: "app", path: data.file("app.sqlite"), mayCreate: true)
    try await execute([
      "CREATE TABLE sessions (id TEXT PRIMARY KEY, last_used TEXT NOT NULL)",
      "CREATE INDEX sessions_last_used ON sessions (last_used)",
      "INSERT INTO sessions VALUES ('old', '2026-10-21 11:59:59'), ('cutoff', '2026-10-21 12:00:00'), "
        + "('young', '2026-11-20 11:00:00')",
    ])
    let cutoff = Date(timeIntervalSince1970: Double(ManualWallClock.noon.microseconds / 1_000_000 - 30 * 86_400))
    for (name, seconds) in [("sess_old", -1.0), ("sess_cutoff", 0), ("sess_young", 1), ("stranger", -1)] {
      try Data().write(to: URL(filePath: folder.file(name)))
      try FileManager.default.setAttributes(
        [.modificationDate: cutoff.addingTimeInterval(seconds)], ofItemAtPath: folder.file(name))
    }
  }

  var files: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
  }

  var fixture: ConformanceFixture {
    let settings = ConfigurationNode.test(.object(["database": "app", "folder": .string(folder.path)]))
    return ConformanceFixture(settings: settings, resources: self) { [self] in
      try await "\(rows("SELECT * FROM sessions ORDER BY id")) \(files)"
    }
  }
}
