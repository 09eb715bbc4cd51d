import DatabaseFixture
import Foundation
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepRuns
import UpkeepTestKit

@testable import UpkeepStore

/// Stores of earlier programs become stores of this one, with all that is in them.
@Suite struct StoreUpgradeTests {
  let fixture: StoreFixture
  let file: SQLiteDatabase

  init() throws {
    fixture = try StoreFixture()
    file = SQLiteDatabase(name: "old", path: fixture.path, mayCreate: true)
  }

  /// Puts the store of the first program that had one in the place of the fixture's.
  private func makeFirst() async throws {
    let dump = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Stores/version-1.sql")
    let lines = try String(contentsOf: dump, encoding: .utf8).split(separator: "\n").filter { !$0.hasPrefix("--") }
    try await file.execute(lines.joined(separator: "\n").components(separatedBy: ";\n").filter { !$0.isEmpty })
  }

  private func version() async throws -> Int64? {
    try await file.rows("PRAGMA user_version")[0][0].integer
  }

  @Test func keepsTheHistoryOfTheFirstProgram() async throws {
    try await makeFirst()
    #expect(try await version() == 1)
    let store = fixture.sqlite()
    let runs = try await store.records(RunQuery(limit: 100)).map(\.result)
    #expect(
      runs.map { "\($0.task) \($0.mode) \($0.status)" } == [
        "heartbeat run running", "heartbeat run timedOut", "heartbeat run failed", "odds_retention run refused",
        "heartbeat run completed", "odds_retention run completed", "heartbeat preview completed",
        "odds_retention preview completed",
      ])
    #expect(try await version() == StoreSchema.version)
    let purge = runs[5]
    #expect(purge.counts["odds_deleted"] == 1343)
    #expect(purge.tables.reduce(0) { $0 + $1.deleted } == 6388)
    #expect(
      purge.tables.first
        == TableResult(
          table: "odds_snapshots", deleted: 1343, total: purge.tables[0].total, oldest: purge.tables[0].oldest,
          newest: purge.tables[0].newest))
    #expect(runs[2].errors.map(\.code) == ["asked_to_fail"])
    #expect(runs[3].reason?.contains("more than 50 %") == true)
    #expect(try await store.lastRuns().mapValues(\.status) == ["heartbeat": .timedOut, "odds_retention": .refused])
    await store.close()
  }

  /// A run whose process was killed under the first program holds its lease until its process is seen to be gone.
  @Test func endsARunThatWasKilledBeforeTheUpgrade() async throws {
    try await makeFirst()
    let store = fixture.sqlite()
    let holder = try #require(try await store.holders().first)
    #expect(holder.task == "heartbeat")
    #expect(try await store.reap() == [])
    fixture.inspector.set(holder.owner, .gone)
    #expect(try await store.reap() == [holder.runID])
    #expect(try await store.record(holder.runID)?.result.status == .interrupted)
    #expect(try await store.holders().isEmpty)
    await store.close()
  }

  /// What `sqlite_schema` says of a store.
  private func schema(of database: SQLiteDatabase) async throws -> [[DatabaseValue]] {
    try await database.rows("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name")
  }

  @Test(arguments: 1..<StoreSchema.version)
  func anyVersionBecomesTheSameStore(from version: Int64) async throws {
    let now = fixture.wallClock.now()
    let session = try await file.open(.write(.full), purpose: "test")
    try await session.perform { connection in
      for (index, statements) in StoreSchema.migrations.prefix(Int(version)).enumerated() {
        for statement in statements { try connection.execute(statement) }
        try connection.execute("INSERT INTO schema VALUES (\(index + 1), \(now.microseconds))")
      }
      try connection.execute("PRAGMA application_id = \(StoreSchema.applicationID)")
      try connection.execute("PRAGMA user_version = \(version)")
    }
    await session.close()
    let (old, new) = (fixture.sqlite(), fixture.sqlite(fixture.folder.file("new.sqlite")))
    try await old.open()
    try await new.open()
    let fresh = try await schema(of: SQLiteDatabase(name: "new", path: fixture.folder.file("new.sqlite")))
    #expect(fresh.count > 10)
    #expect(try await schema(of: file) == fresh)
    #expect(
      try await file.rows("SELECT version FROM schema ORDER BY version")
        == (1...StoreSchema.version).map { [.integer($0)] })
    await old.close()
    await new.close()
  }

  /// One that can't be brought to this version stays as it was, to the last statement.
  @Test func anUpgradeHappensWholeOrNotAtAll() async throws {
    try await makeFirst()
    // The second migration adds three columns before it meets this table.
    try await file.execute(["CREATE TABLE grids (note TEXT)"])
    let before = try await schema(of: file)
    await #expect(throws: TaskError.self) { try await fixture.sqlite().open() }
    #expect(try await version() == 1)
    #expect(try await schema(of: file) == before)
  }

  /// A migration that is out is never edited: stores that have it would differ from those that get it now. The second
  /// number of a line is a checksum (FNV-1a) of its statements; a new migration adds a line.
  @Test func migrationsStayAsTheyAre() {
    let sums = StoreSchema.migrations.map { statements in
      statements.joined(separator: "\n").utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { sum, byte in
        (sum ^ UInt64(byte)) &* 0x100_0000_01b3
      }
    }
    #expect(
      sums == [
        17_173_149_252_695_854_931, 11_325_005_131_915_433_821, 3_122_512_967_689_437_823, 8_803_653_757_671_704_627,
      ])
  }
}
