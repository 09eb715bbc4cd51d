import Foundation
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepRuns
import UpkeepStore
import UpkeepTestKit

/// What holds of the store in SQLite alone.
@Suite struct SQLStateStoreTests {
  let fixture: StoreFixture

  init() throws {
    fixture = try StoreFixture()
  }

  private func execute(_ path: String, _ statements: String...) async throws {
    let session = try await SQLiteDatabase(name: "other", path: path, mayCreate: true).open(.write(.full), purpose: "t")
    try await session.perform { connection in
      for statement in statements { _ = try connection.rows(statement) }
    }
    await session.close()
  }

  private func rows(_ path: String, _ sql: String) async throws -> [[DatabaseValue]] {
    let session = try await SQLiteDatabase(name: "other", path: path).open(.read, purpose: "t")
    let rows = try await session.perform { try $0.rows(sql) }
    await session.close()
    return rows
  }

  @Test func keepsItsStateAcrossProcesses() async throws {
    let first = fixture.sqlite()
    try await first.save(fixture.record("01A", status: .completed))
    _ = try await first.request(fixture.request("01B"))
    let second = fixture.sqlite()
    #expect(try await second.record("01A")?.result.status == .completed)
    #expect(try await second.request(fixture.request("01C")).blockers == ["01B"])
  }

  /// Another process's runs, pauses and leases show at the next look, though nothing is read anew while nobody commits.
  @Test func seesWhatOtherProcessesDo() async throws {
    let (first, second) = (fixture.sqlite(), fixture.sqlite())
    #expect(try await first.standing().lastRuns == [:])
    for number in 1...3 {
      try await second.save(fixture.record("01A\(number)", status: .completed))
      for _ in 0..<2 {
        #expect(try await first.standing().lastRuns.values.map(\.runID) == ["01A\(number)"])
      }
    }
    let run = fixture.request("01B")
    _ = try await second.request(run)
    #expect(try await first.standing().holders.map(\.runID) == ["01B"])
    let now = fixture.wallClock.now()
    try await second.pause(
      TaskPause(task: "tidy", until: now + .seconds(60), reason: "why", by: "ann", since: now))
    #expect(try await first.standing().pauses.map(\.task) == ["tidy"])
    fixture.wallClock.set(now + .seconds(61))
    #expect(try await first.standing().pauses == [])
  }

  @Test func marksItsFileAndUsesAWriteAheadLog() async throws {
    let store = fixture.sqlite()
    try await store.open()
    await store.close()
    #expect(try await rows(fixture.path, "PRAGMA application_id") == [[.integer(0x5550_4B50)]])
    #expect(try await rows(fixture.path, "PRAGMA user_version") == [[4]])
    #expect(try await rows(fixture.path, "PRAGMA journal_mode") == [["wal"]])
    #expect(try await rows(fixture.path, "SELECT version FROM schema") == [[1], [2], [3], [4]])
  }

  @Test func openingAgainChangesNothing() async throws {
    let store = fixture.sqlite()
    try await store.save(fixture.record("01A", status: .completed))
    await store.close()
    let before = try Data(contentsOf: URL(filePath: fixture.path))
    let again = fixture.sqlite()
    try await again.open()
    #expect(try await again.record("01A") != nil)
    await again.close()
    #expect(try Data(contentsOf: URL(filePath: fixture.path)) == before)
  }

  @Test func aForeignFileIsLeftAlone() async throws {
    try await execute(fixture.path, "CREATE TABLE invoices (id INTEGER PRIMARY KEY)")
    let before = try Data(contentsOf: URL(filePath: fixture.path))
    let error = await #expect(throws: TaskError.self) { try await fixture.sqlite().open() }
    #expect(error?.code == "foreign_store")
    #expect(
      error?.description == "state store \(fixture.path): this database belongs to another program; nothing of it was "
        + "changed; set host.state to a path of its own, such as var/upkeep.sqlite")
    #expect(try Data(contentsOf: URL(filePath: fixture.path)) == before)
    #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.folder.path) == ["upkeep.sqlite"])
  }

  @Test func aFileThatIsNoDatabaseIsLeftAlone() async throws {
    let text = Data(String(repeating: "not a database ", count: 100).utf8)
    try text.write(to: URL(filePath: fixture.path))
    let error = await #expect(throws: TaskError.self) { try await fixture.sqlite().open() }
    #expect(error?.code == "database_damaged")
    #expect(try Data(contentsOf: URL(filePath: fixture.path)) == text)
  }

  @Test func aNewerStoreIsLeftAlone() async throws {
    let store = fixture.sqlite()
    try await store.open()
    await store.close()
    try await execute(fixture.path, "PRAGMA user_version = 7")
    let error = await #expect(throws: TaskError.self) { _ = try await fixture.sqlite().record("01A") }
    #expect(error?.code == "newer_store")
    #expect(
      error?.description == "state store \(fixture.path): it has version 7, and this program knows versions up to 4; "
        + "use the newer program that made it, or set host.state to another path")
  }

  @Test func aMissingFolderIsNamed() async throws {
    let path = fixture.folder.file("var/upkeep.sqlite")
    let error = await #expect(throws: TaskError.self) { try await fixture.sqlite(path).open() }
    let folder = fixture.folder.file("var")
    #expect(
      error?.description == "state store \(path): there is no folder \(folder); "
        + "create it (mkdir -p \(folder)), or set host.state to another path")
  }

  @Test func aStoreThatCouldNotBeOpenedIsTriedAgain() async throws {
    let path = fixture.folder.file("var/upkeep.sqlite")
    let store = fixture.sqlite(path)
    await #expect(throws: TaskError.self) { try await store.open() }
    try FileManager.default.createDirectory(atPath: fixture.folder.file("var"), withIntermediateDirectories: false)
    try await store.open()
  }

  @Test func aHundredThatAskAtOnceGetOneLease() async throws {
    let stores = (0..<8).map { _ in fixture.sqlite() }
    let granted = try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 0..<100 {
        group.addTask {
          try await stores[number % 8].request(fixture.request("01\(number)")).lease != nil
        }
      }
      return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
    #expect(granted == 1)
    #expect(try await stores[0].holders().count == 1)
  }

  @Test func aHundredThatWaitAreServedOneAfterTheOther() async throws {
    let stores = (0..<4).map { _ in fixture.sqlite() }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<40 {
        group.addTask { _ = try await stores[number % 4].request(fixture.request("01\(number)", waits: true)) }
      }
      try await group.waitForAll()
    }
    for _ in 0..<40 {
      let holders = try await stores[0].holders()
      let first = try #require(holders.first)
      #expect(holders.filter { !$0.isWaiting } == (first.isWaiting ? [] : [first]))
      #expect(try await stores[1].request(fixture.request(first.runID, waits: true)).lease != nil)
      try await stores[2].release(first.runID)
    }
    #expect(try await stores[0].holders().isEmpty)
  }

  @Test func aCopyOfAnOpenStoreHasAllThatWasCommitted() async throws {
    let store = fixture.sqlite()
    try await store.save(fixture.record("01A"))
    _ = try await store.request(fixture.request("01A"))
    // What a killed process leaves behind: the file and its log, nothing closed.
    for suffix in ["", "-wal"] {
      try FileManager.default.copyItem(
        atPath: fixture.path + suffix, toPath: fixture.folder.file("copy.sqlite") + suffix)
    }
    let copy = fixture.sqlite(fixture.folder.file("copy.sqlite"))
    #expect(try await copy.holders().map(\.runID) == ["01A"])
    fixture.inspector.set(fixture.me, .gone)
    #expect(try await copy.reap() == ["01A"])
    #expect(try await copy.record("01A")?.result.status == .interrupted)
    #expect(try await copy.holders().isEmpty)
  }

  @Test func prunesAtMostOnceAnHourInSmallBatches() async throws {
    let store = fixture.sqlite()
    for number in 0..<1003 {
      try await store.save(
        fixture.record("01\(number)", status: .completed, finishedAt: ManualWallClock.noon - .seconds(200)))
    }
    let now = ManualWallClock.noon
    let (keep, keepFailures) = (Duration.seconds(100), Duration.seconds(1000))
    #expect(try await store.pruneIfDue(now: now, keep: keep, keepFailures: keepFailures) == 1003)
    try await store.save(fixture.record("02A", status: .completed, finishedAt: now - .seconds(200)))
    #expect(
      try await store.pruneIfDue(now: now + .seconds(3599), keep: keep, keepFailures: keepFailures) == 0)
    #expect(
      try await fixture.sqlite().pruneIfDue(now: now + .seconds(3600), keep: keep, keepFailures: keepFailures) == 1)
  }
}
