import Foundation
import Testing
import UpkeepCore

@testable import UpkeepDatabase

/// The SQLite driver behind the port, on real files.
struct SQLiteDatabaseTests {
  private let folder = NSTemporaryDirectory() + "upkeep-sqlite-\(UUID().uuidString)"

  init() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  private func database(_ name: String = "a.sqlite", mayCreate: Bool = true) -> SQLiteDatabase {
    SQLiteDatabase(name: "a", path: "\(folder)/\(name)", mayCreate: mayCreate, busyTimeout: .milliseconds(50))
  }

  private func open(_ mode: SessionMode = .write(.normal), mayCreate: Bool = true) async throws -> any DatabaseSession {
    try await database(mayCreate: mayCreate).open(mode, purpose: "test")
  }

  @Test func readsWhatItWrote() async throws {
    let session = try await open()
    let values: [DatabaseValue] = [.null, .integer(.min), .real(0.5), .text("ā'\"x"), .blob([0, 255])]
    let back = try await session.perform { connection in
      try connection.execute("CREATE TABLE t(a, b, c, d, e)")
      #expect(try connection.execute("INSERT INTO t VALUES (?1, ?2, ?3, ?4, ?5)", values) == 1)
      return try connection.rows("SELECT * FROM t")
    }
    #expect(back == [values])
  }

  @Test func bindsWholeTextsAndEmptyOnes() async throws {
    let session = try await open()
    let long = String(repeating: "ā", count: 40)
    let back = try await session.perform { connection in
      try connection.rows(
        "SELECT ?1, typeof(?1), ?2, typeof(?2), hex(?3), ?4, ?5",
        [.text(""), .blob([]), .text("a\u{0}b"), .blob([0]), .text(long)])
    }
    #expect(back == [[.text(""), "text", .blob([]), "blob", "610062", .blob([0]), .text(long)]])
  }

  @Test func bindsNothingOfTheLastTimeAndNothingBeyondTheLastParameter() async throws {
    let session = try await open()
    let values: [[DatabaseValue]] = [[1, 2], [3], [4, 5, 6]]
    let back = try await session.perform { connection in
      try values.map { try connection.rows("SELECT ?1, ?2", $0) }
    }
    #expect(back == [[[1, 2]], [[3, nil]], [[4, 5]]])
  }

  @Test func countsChangedRowsOfEachStatementAlone() async throws {
    let session = try await open()
    try await session.perform { connection in
      try connection.execute("CREATE TABLE t(a)")
      #expect(try connection.execute("INSERT INTO t VALUES (1), (2), (3)") == 3)
      #expect(try connection.execute("DELETE FROM t WHERE a = ?1", [9]) == 0)
      #expect(try connection.execute("CREATE INDEX i ON t(a)") == 0)
      #expect(try connection.execute("DELETE FROM t WHERE a > ?1", [1]) == 2)
    }
  }

  @Test func rollsBackWhatThrows() async throws {
    let session = try await open()
    _ = try await session.perform { try $0.execute("CREATE TABLE t(a)") }
    await #expect(throws: TaskError.self) {
      try await session.transaction(.write) { connection in
        try connection.execute("INSERT INTO t VALUES (1)")
        try connection.execute("INSERT INTO nowhere VALUES (1)")
      }
    }
    #expect(try await session.perform { try $0.integer("SELECT count(*) FROM t") } == 0)
  }

  @Test func neverCreatesAFileThatItWasNotToldToCreate() async throws {
    for mode in [SessionMode.read, .write(.full)] {
      let error = await #expect(throws: TaskError.self) { _ = try await open(mode, mayCreate: false) }
      #expect(
        error?.description
          == "database a (\(folder)/a.sqlite): there is no such file; check the path, or create the database first")
    }
    await #expect(throws: TaskError.self) { _ = try await open(.read) }
    #expect(!FileManager.default.fileExists(atPath: folder + "/a.sqlite"))
  }

  @Test func namesWhatIsNoDatabase() async throws {
    try Data("this is a text, and long enough to be read as the header of a database file".utf8).write(
      to: URL(fileURLWithPath: folder + "/a.sqlite"))
    let error = await #expect(throws: TaskError.self) { _ = try await open(.read, mayCreate: false) }
    #expect(error?.code == "database_damaged")
    try FileManager.default.removeItem(atPath: folder + "/a.sqlite")
    try FileManager.default.createDirectory(atPath: folder + "/a.sqlite", withIntermediateDirectories: true)
    let other = await #expect(throws: TaskError.self) { _ = try await open(.read, mayCreate: false) }
    #expect(other?.description.contains("this is a folder, not a SQLite file") == true)
  }

  @Test func saysThatALockWasHeldForTooLong() async throws {
    let (first, second) = (try await open(), try await open())
    _ = try await first.perform { try $0.execute("CREATE TABLE t(a)") }
    let (isHeld, isTried) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let holder = Task {
      try await first.transaction(.write) { _ in
        isHeld.signal()
        isTried.wait()
      }
    }
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        isHeld.wait()
        continuation.resume()
      }
    }
    let error = await #expect(throws: TaskError.self) {
      try await second.transaction(.write) { try $0.execute("INSERT INTO t VALUES (1)") }
    }
    isTried.signal()
    try await holder.value
    #expect(error?.code == "database_busy")
  }

  @Test func endsATransactionThatAClosureLeftOpen() async throws {
    let session = try await open()
    let error = await #expect(throws: TaskError.self) {
      try await session.perform { connection in
        try connection.execute("CREATE TABLE t(a)")
        try connection.execute("BEGIN IMMEDIATE")
        try connection.execute("INSERT INTO t VALUES (1)")
      }
    }
    #expect(error?.code == "open_transaction")
    #expect(try await session.perform { try $0.integer("SELECT count(*) FROM t") } == 0)
  }

  @Test func refusesToWriteInASessionForReading() async throws {
    let session = try await open()
    _ = try await session.perform { try $0.execute("CREATE TABLE t(a)") }
    let reader = try await open(.read)
    let error = await #expect(throws: TaskError.self) {
      try await reader.perform { try $0.execute("INSERT INTO t VALUES (1)") }
    }
    #expect(error?.code == "database_readonly")
    try await reader.perform { connection in
      try connection.execute("CREATE TEMP TABLE x(a)")
      try connection.execute("INSERT INTO x VALUES (1)")
      #expect(try connection.integer("SELECT count(*) FROM x") == 1)
    }
  }

  @Test func stopsARunningStatementWhenItsTaskIsCancelled() async throws {
    let session = try await open()
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    let task = Task { try await session.perform { try $0.integer(endless) } }
    await Task.yield()
    task.cancel()
    await #expect(throws: CancellationError.self) { _ = try await task.value }
    #expect(try await session.perform { try $0.integer("SELECT 7") } == 7)
  }

  @Test func keepsTheJournalModeAndSyncsFullyWhereItIsNotWAL() async throws {
    func modes() async throws -> [DatabaseValue] {
      let session = try await open()
      return try await session.perform {
        [try $0.first("PRAGMA journal_mode")?[0] ?? .null, try $0.first("PRAGMA synchronous")?[0] ?? .null]
      }
    }
    #expect(try await modes() == [.text("delete"), .integer(2)])
    let session = try await open()
    try await session.perform { _ = try $0.rows("PRAGMA journal_mode = WAL") }
    await session.close()
    #expect(try await modes() == [.text("wal"), .integer(1)])
  }

  @Test func readsTheLiveSchema() async throws {
    let session = try await open()
    let catalogue = try await session.perform { connection in
      for statement in [
        "CREATE TABLE parent(a INTEGER, b TEXT NOT NULL, PRIMARY KEY (b, a)) WITHOUT ROWID",
        "CREATE TABLE child(id INTEGER PRIMARY KEY, rowid TEXT, x TEXT, y INTEGER, "
          + "FOREIGN KEY (x, y) REFERENCES PARENT ON DELETE CASCADE)",
        "CREATE TABLE third(c INTEGER REFERENCES child(id) ON DELETE SET NULL)",
        "CREATE INDEX i1 ON child(y, x)", "CREATE INDEX i2 ON third(c) WHERE c > 5", "CREATE VIEW v AS SELECT 1",
      ] { try connection.execute(statement) }
      return try Catalogue(sqlite: connection)
    }
    #expect(catalogue.tables.map(\.name) == ["child", "parent", "third"])
    #expect(catalogue["PARENT"]?.primaryKey == ["b", "a"])
    #expect(catalogue["parent"]?.rowNumber == nil)
    #expect(catalogue["child"]?.rowNumber == "_rowid_")
    #expect(catalogue["child"]?.hasIndex(on: ["x", "y"]) == true)
    #expect(catalogue["child"]?.hasIndex(on: ["x"]) == false)
    #expect(catalogue["third"]?.hasIndex(on: ["c"]) == false)
    #expect(
      catalogue.foreignKeys == [
        ForeignKey(
          child: "child", columns: ["x", "y"], parent: "parent", parentColumns: ["b", "a"], onDelete: .cascade),
        ForeignKey(child: "third", columns: ["c"], parent: "child", parentColumns: ["id"], onDelete: .setNull),
      ])
  }
}
