import OddsRetentionPlugin
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepTestKit

@Suite struct OddsRetentionConformanceTests {
  @Test func conforms() async {
    let plugin = Plugin("odds_retention", OddsRetentionTask.self, OddsRetentionTask.documentation)
    let conformance = PluginConformance(
      plugin, powers: [.preview, .delete, .inspect],
      badSettings: [
        .test(.object(["database": .string("nowhere")])),
        .test(.object(["database": .string("odds"), "odds_keep": .string("0s")])),
        .test(.object(["database": .string("odds"), "match_keep": .integer(14)])),
        .test(.object(["database": .string("odds"), "empty_tournaments": .string("purged")])),
      ], scope: SettingScope(folder: "/", databases: ["odds"])
    ) {
      let fixture = try await OddsFixture(snapshots: 400)
      return ConformanceFixture(
        settings: .test(.object(["database": .string("odds")])), resources: fixture, now: OddsFixture.now
      ) {
        // The application's own record of a clean-up is written by each run, also by one that finds nothing.
        let tables = try await fixture.text(
          "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'cleanup_runs'")
        var digest = ""
        for table in tables.split(separator: " ") {
          digest += "\(table): \(try await fixture.text("SELECT rowid FROM \(table) ORDER BY rowid"))\n"
        }
        return digest
      }
    }
    let failures = await conformance.failures()
    #expect(failures == [])
  }
}
