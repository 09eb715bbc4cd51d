import Foundation
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo
import UpkeepHost
import UpkeepTestKit

/// Every plugin that comes with the program passes the suite that any plugin must pass.
@Suite struct BuiltInConformanceTests {
  private struct Expectation: Sendable {
    var powers: Set<PluginPower>
    var badSettings: [ConfigurationNode]
    var fixture: @Sendable () async throws -> ConformanceFixture
  }

  private static let expectations: [String: Expectation] = [
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
  ]

  @Test(arguments: BuiltInPlugins.all.map(\.id))
  func conforms(id: String) async throws {
    let plugin = try #require(BuiltInPlugins.all.first { $0.id == id })
    let expectation = try #require(Self.expectations[id], "say here what is expected of \(id)")
    let conformance = PluginConformance(
      plugin, powers: expectation.powers, badSettings: expectation.badSettings,
      scope: SettingScope(folder: "/", databases: ["odds"]), fixture: expectation.fixture)
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
