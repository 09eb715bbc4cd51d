import Foundation
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo
import UpkeepHost
import UpkeepRuns
import UpkeepStore
import UpkeepTestKit

/// Every plugin that comes with the program passes the suite that any plugin must pass.
@Suite struct BuiltInConformanceTests {
  private struct Expectation: Sendable {
    var powers: Set<PluginPower>
    var badSettings: [ConfigurationNode]
    var fixture: @Sendable () async throws -> ConformanceFixture
  }

  /// Settings of `table_retention` with one rule.
  private static func retention(_ rule: [String: JSONValue]) -> JSONValue {
    .object(["database": .string("app"), "rules": .array([.object(rule)])])
  }

  private static let expectations: [String: Expectation] = [
    "run_history": Expectation(
      powers: [.preview, .delete, .inspect], badSettings: [.test(.object(["keep": .string("90d")]))]
    ) {
      let now = Timestamp(CivilTime(year: 2026, month: 11, day: 20, hour: 12))
      let history = try await TemporaryHistory(runs: 450, now: now)
      return ConformanceFixture(resources: history, now: now) { try await history.digest() }
    },
    "table_retention": Expectation(
      powers: [.preview, .delete, .inspect],
      badSettings: [
        .test(.object(["database": .string("app"), "rules": .array([])])),
        .test(retention(["table": "logs"])), .test(retention(["table": "logs", "keep": "1d"])),
        .test(retention(["table": "logs", "time_column": "created_at", "keep": .integer(30)])),
        .test(retention(["table": "logs", "where": "level = 'a'; DROP TABLE logs"])),
        .test(retention(["table": "logs", "keep_rows": .integer(0)])),
      ]
    ) {
      let now = Timestamp(CivilTime(year: 2026, month: 11, day: 20, hour: 12))
      let databases = try TemporaryDatabases()
      try await AppSample.make(at: databases.path("app"), now: now, scale: 0.1)
      let rules: [JSONValue] = [
        .object(["table": "logs", "time_column": "created_at", "keep": "30d", "where": "level <> 'error'"]),
        .object([
          "table": "readings", "time_column": "taken_at", "keep": "30d", "keep_last": .integer(20), "per": "device_id",
        ]),
        .object(["table": "logs", "time_column": "created_at", "keep_rows": .integer(1200)]),
      ]
      return ConformanceFixture(
        settings: .test(.object(["database": .string("app"), "rules": .array(rules)])), resources: databases, now: now
      ) { try await databases.digest("app", without: "") }
    },
    "noop": Expectation(
      powers: [.preview],
      badSettings: [
        .test(.object(["duration": .integer(3)])), .test(.object(["duration": .string("-1s")])),
        .test(.object(["fail": .string("yes")])), .test(.object(["durations": .string("3s")])),
      ]
    ) { ConformanceFixture(settings: .test(.object(["duration": .string("30s")]))) },
    "tus_expiry": Expectation(
      powers: [.preview, .delete, .inspect],
      badSettings: [
        .test(.object([:])), .test(.object(["folder": .string("/")])), .test(.object(["folder": .string("")])),
        .test(.object(["folder": .string("/a"), "layout": .string("tus")])),
        .test(.object(["folder": .string("/a"), "completed": .string("expire")])),
        .test(.object(["folder": .string("/a"), "completed_after": .string("3d")])),
        .test(.object(["folder": .string("/a"), "quiet": .integer(5)])),
        .test(.object(["folder": .string("/a"), "expire_after": .string("0s")])),
        .test(.object(["folder": .string("/a"), "time_zone": .string("Europe/Rigga")])),
      ]
    ) {
      let now = Timestamp(CivilTime(year: 2026, month: 11, day: 20, hour: 12))
      let uploads = TemporaryUploads()
      try UploadSample.make(at: uploads.path, now: now)
      return ConformanceFixture(
        settings: .test(.object(["folder": .string(uploads.path), "time_zone": .string("UTC")])), now: now
      ) { uploads.names.joined(separator: "\n") }
    },
    "odds_retention": Expectation(
      powers: [.preview, .delete, .inspect],
      badSettings: [
        .test(.object(["database": .string("nowhere")])),
        .test(.object(["database": .string("odds"), "odds_keep": .string("0s")])),
        .test(.object(["database": .string("odds"), "match_keep": .integer(14)])),
        .test(.object(["database": .string("odds"), "empty_tournaments": .string("purged")])),
      ]
    ) {
      let now = Timestamp(CivilTime(year: 2026, month: 11, day: 20, hour: 12))
      let databases = try TemporaryDatabases()
      try await OddsSample.make(at: databases.path("odds"), now: now, snapshots: 400)
      return ConformanceFixture(
        settings: .test(.object(["database": .string("odds")])), resources: databases, now: now
      ) {
        // The application's own record of a clean-up is written by each run, also by one that finds nothing.
        try await databases.digest("odds", without: "cleanup_runs")
      }
    },
    "scraping": Expectation(
      powers: [.preview, .inspect],
      badSettings: [
        .test(.object(["database": "nowhere"])), .test(.object([:])),
        .test(.object(["database": "odds", "attempts": .integer(0)])),
        .test(.object(["database": "odds", "platforms": .object(["betpawo": .object([:])])])),
        .test(
          .object(["database": "odds", "platforms": .object(["betpawa": .object(["base_url": "betpawa.ng"])])])),
        .test(.object(["database": "odds", "platforms": .object(["bet9ja": .object(["delay": .integer(25)])])])),
        .test(
          .object([
            "database": "odds",
            "platforms": .object(
              Dictionary(StandInPlatforms.names.map { ($0, .object(["enabled": .boolean(false)])) }) { first, _ in
                first
              }),
          ])),
      ]
    ) { try await scraping.fixture() },
    "stale_jobs": media(
      [.preview, .change, .inspect],
      [
        ["limits": .object(["sync": .integer(30)])], ["limits": .object(["sync": "0s"])], ["default_limit": "0s"],
        ["liveness": "ping"], ["liveness": "http"], ["liveness": "http", "liveness_url": "localhost"],
        ["active_statuses": .array([])], ["failed_status": "running"],
      ]),
    "job_history": media(
      [.preview, .delete, .inspect],
      [["keep": "0s"], ["keep": .integer(30)], ["statuses": .array([])], ["statuses": "completed"]]),
    "download_log": media([.preview, .delete, .inspect], [["keep": "0s"], ["database": "nowhere"]]),
    "stuck_plans": media([.preview, .change, .inspect], [["to": "PENDING"], ["active_statuses": "running"]]),
  ]

  private static let scraping = ScrapedPlatforms()

  /// What is expected of a plugin for the media application's database, on a sample of it.
  private static func media(
    _ powers: Set<PluginPower>, _ bad: [[String: JSONValue]], settings: [String: JSONValue] = [:]
  ) -> Expectation {
    let bad = bad.map { ConfigurationNode.test(.object($0.merging(["database": "stash"]) { given, _ in given })) }
    return Expectation(powers: powers, badSettings: bad) {
      let now = Timestamp(CivilTime(year: 2026, month: 11, day: 20, hour: 12))
      let databases = try TemporaryDatabases()
      try await MediaSample.make(at: databases.path("stash"), now: now, jobs: 300, plans: 80)
      let settings = settings.merging(["database": "stash"]) { given, _ in given }
      return ConformanceFixture(settings: .test(.object(settings)), resources: databases, now: now) {
        try await databases.contents("stash")
      }
    }
  }

  @Test(arguments: BuiltInPlugins.all.map(\.id))
  func conforms(id: String) async throws {
    let plugin = try #require(BuiltInPlugins.all.first { $0.id == id })
    let expectation = try #require(Self.expectations[id], "say here what is expected of \(id)")
    let conformance = PluginConformance(
      plugin, powers: expectation.powers, badSettings: expectation.badSettings,
      scope: SettingScope(folder: "/", databases: ["odds", "stash", "app"]), fixture: expectation.fixture)
    let failures = await conformance.failures()
    #expect(failures == [])
  }
}

/// An upload folder that goes with the value.
private final class TemporaryUploads: Sendable {
  let path = NSTemporaryDirectory() + "upkeep-conformance-\(UUID().uuidString)"

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// The names of all files in it.
  var names: [String] {
    (FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []).sorted()
  }
}

/// SQLite files in a folder that goes with them, under the names that settings use.
private final class TemporaryDatabases: DatabaseResources {
  private let folder = NSTemporaryDirectory() + "upkeep-conformance-\(UUID().uuidString)"

  init() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: folder)
  }

  func path(_ name: String) -> String {
    "\(folder)/\(name).sqlite"
  }

  func database(named name: String) throws -> any Database {
    SQLiteDatabase(name: name, path: path(name))
  }

  /// Every value of every table.
  func contents(_ name: String) async throws -> String {
    let session = try await database(named: name).open(.read, purpose: "test")
    let contents = try await session.perform { connection in
      let tables = try connection.map("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name") {
        $0[0].text ?? ""
      }
      return try tables.map { "\($0): \(try connection.rows("SELECT * FROM \($0) ORDER BY rowid"))" }
    }
    await session.close()
    return contents.joined(separator: "\n")
  }

  /// The row numbers of every table.
  func digest(_ name: String, without left: String) async throws -> String {
    let session = try await database(named: name).open(.read, purpose: "test")
    let digest = try await session.perform { connection in
      let tables = try connection.map(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> ?1", [.text(left)]
      ) { $0[0].text ?? "" }
      return try tables.map { table in
        "\(table): \(try connection.map("SELECT rowid FROM \(table) ORDER BY rowid") { $0[0].integer ?? 0 })"
      }
    }
    await session.close()
    return digest.joined(separator: "\n")
  }
}

/// A state store with records of every age.
private final class TemporaryHistory: HistoryResources {
  private let databases: TemporaryDatabases
  private let store: SQLStateStore

  /// Makes so many runs, one a day: most are older than what is kept.
  init(runs: Int, now: Timestamp) async throws {
    databases = try TemporaryDatabases()
    let file = SQLiteDatabase(name: "state", path: databases.path("state"), mayCreate: true)
    store = SQLStateStore(
      database: file, inspector: StubProcessInspector(), wallClock: ManualWallClock(start: now))
    for number in 0..<runs {
      var result = RunResult(
        runID: "01\(number)", task: "nap", plugin: "noop", mode: .run, trigger: .manual,
        status: number % 3 == 0 ? .failed : .completed, settings: [:], host: "box-1")
      result.finishedAt = now - .seconds(number * 86_400)
      try await store.save(RunRecord(result: result, owner: nil, createdAt: now - .seconds(number * 86_400 + 60)))
    }
  }

  func keptHistory() throws -> KeptHistory {
    KeptHistory(store, keep: .seconds(90 * 86_400), keepFailures: .seconds(365 * 86_400))
  }

  func digest() async throws -> String {
    try await store.records(RunQuery(limit: 1000)).map(\.result.runID).joined(separator: " ")
  }
}
