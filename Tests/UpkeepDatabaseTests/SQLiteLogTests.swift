import Foundation
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepTestKit

/// The write-ahead log of a SQLite file.
struct SQLiteLogTests {
  private func database(_ body: (SQLiteDatabase) async throws -> Void) async throws {
    let folder = NSTemporaryDirectory() + "upkeep-log-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let database = SQLiteDatabase(name: "test", path: folder + "/test.sqlite", mayCreate: true)
    let session = try await database.open(.write(.normal), purpose: "test")
    try await session.perform { connection in
      _ = try connection.rows("PRAGMA journal_mode = WAL")
      try connection.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, text TEXT)")
    }
    await session.close()
    try await body(database)
  }

  private func python(_ program: String, _ arguments: String...) throws -> String {
    let text = try ChildProcess("python3", ["-c", program] + arguments).output.readToEnd()
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// An application begins a large log anew by itself, but never while somebody reads: who reads for long leaves it the
  /// time for that between two snapshots.
  @Test(.timeLimit(.minutes(1))) func canBeBegunAnewBetweenTwoSnapshots() async throws {
    try await database { database in
      let application = try await database.open(.write(.normal), purpose: "application")
      let reader = try await database.open(.read, purpose: "test")
      let (rounds, turn, isLarge) = (20, DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
      async let writing: Void = application.perform { connection in
        turn.wait()
        try connection.execute("INSERT INTO t(text) VALUES (randomblob(9000000))")
        isLarge.signal()
        // The first commit of a turn brings the log into the file, the second begins it anew, where nobody reads.
        for _ in 0..<rounds {
          turn.wait()
          for _ in 0..<2 { try connection.execute("INSERT INTO t(text) VALUES ('a')") }
        }
      }
      defer { for _ in 0...rounds { turn.signal() } }
      let frames = try await reader.transaction(.read) { connection in
        _ = try connection.integer("SELECT count(*) FROM t")
        turn.signal()
        isLarge.wait()
        let large = reader.logState()?.frames ?? 0
        for _ in 0..<rounds {
          turn.signal()
          try connection.renewSnapshot()
          _ = try connection.integer("SELECT count(*) FROM t")
        }
        return (before: large, after: reader.logState()?.frames ?? .max)
      }
      #expect(frames.before > 2000 && frames.after < 1000, "\(frames)")
      try await writing
      await reader.close()
      await application.close()
    }
  }

  @Test func tellsHowTheLogStands() async throws {
    try await database { database in
      let session = try await database.open(.write(.normal), purpose: "test")
      let before = try #require(session.logState())
      try await session.perform { _ = try $0.execute("INSERT INTO t(text) VALUES ('a')") }
      let after = try #require(session.logState())
      #expect(after.commits == before.commits + 1)
      #expect(after.frames > before.frames)
      #expect(after.pageSize == 4096)
      _ = try await session.perform { try $0.rows("PRAGMA wal_checkpoint(PASSIVE)") }
      #expect(session.logState()?.backlog == 0)
      await session.close()
      #expect(session.logState() == nil)
    }
  }

  @Test func saysNothingOfALogWhereThereIsNone() async throws {
    try await database { database in
      let session = try await database.open(.write(.normal), purpose: "test")
      _ = try await session.perform { try $0.rows("PRAGMA journal_mode = DELETE") }
      await session.close()
      let again = try await database.open(.write(.normal), purpose: "test")
      #expect(again.logState() == nil)
      #expect(try await again.reserveCheckpoints(true))
      #expect(try await again.isBeingWritten() == false)
      await again.close()
    }
  }

  /// SQLite keeps what a statement changes so that it can be undone, in memory first; beyond some MiB it goes to a file in
  /// one piece, larger than its own VFS takes at once.
  @Test func takesAStatementThatChangesManyPages() async throws {
    try await database { database in
      let session = try await database.open(.write(.normal), purpose: "test")
      try await session.perform { connection in
        try connection.execute(
          "CREATE TABLE large(id INTEGER PRIMARY KEY, text TEXT NOT NULL, parent INTEGER REFERENCES large)")
        try connection.execute(
          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
            + "INSERT INTO large(id, text) SELECT i, printf('%03500d', i) FROM n")
      }
      try await session.transaction(.write) { connection in
        let rows = try connection.execute("UPDATE large SET text = 'b' || text WHERE id % 2 = 0")
        #expect(rows == 1500)
        // Fails in its last row, after all others were changed.
        let failing = "UPDATE large SET text = CASE WHEN id = 3000 THEN NULL ELSE 'c' || text END"
        let done = try? connection.execute(failing)
        #expect(done == nil)
      }
      let (changed, undone, check) = try await session.perform { connection in
        (
          try connection.integer("SELECT count(*) FROM large WHERE text LIKE 'b%' AND id % 2 = 0"),
          try connection.integer("SELECT count(*) FROM large WHERE text LIKE 'c%'"),
          try connection.first("PRAGMA integrity_check")?[0].text
        )
      }
      #expect(changed == 1500)
      #expect(undone == 0)
      #expect(check == "ok")
      await session.close()
    }
  }

  /// Another program that finds nobody holding the last lock of the index ("WAL-mode File Format", 2.3.4) builds it anew,
  /// under the feet of those who use it.
  @Test func readingTheStateGivesNoLockBack() async throws {
    try await database { database in
      let session = try await database.open(.write(.normal), purpose: "test")
      for _ in 0..<3 { _ = session.logState() }
      let program = """
        import fcntl, sys
        file = open(sys.argv[1] + '-shm', 'r+b')
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 128)
            print('free')
        except OSError:
            print('held')
        """
      #expect(try python(program, database.path) == "held")
      await session.close()
    }
  }

  @Test func keepsOthersFromCheckpointingUntilItGivesTheRightBack() async throws {
    try await database { database in
      let (session, keeper) = (
        try await database.open(.write(.normal), purpose: "test"),
        try await database.open(.write(.normal), purpose: "test")
      )
      try await session.perform { _ = try $0.execute("INSERT INTO t(text) VALUES ('a')") }
      let program =
        "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('PRAGMA wal_checkpoint').fetchone()[0])"
      #expect(try await keeper.reserveCheckpoints(true))
      #expect(try python(program, database.path) == "1")
      #expect(try await session.perform { try $0.integer("PRAGMA wal_checkpoint") } == 1)
      // Its own checkpoints don't let others in, not even between one and the next.
      for mode in ["PASSIVE", "RESTART", "PASSIVE"] {
        #expect(try await keeper.perform { try $0.integer("PRAGMA wal_checkpoint(\(mode))") } == 0)
        #expect(try python(program, database.path) == "1")
      }
      #expect(keeper.logState()?.backlog == 0)
      #expect(try await keeper.reserveCheckpoints(false))
      #expect(try python(program, database.path) == "0")
      await keeper.close()
      await session.close()
    }
  }

  /// Another connection of this process, or another process, within its transaction.
  @Test func saysWhetherSomebodyElseWrites() async throws {
    try await database { database in
      let (session, other) = (
        try await database.open(.write(.normal), purpose: "test"),
        try await database.open(.write(.normal), purpose: "test")
      )
      #expect(try await session.isBeingWritten() == false)
      try await other.transaction(.read) { _ = try $0.rows("SELECT * FROM t") }
      #expect(try await session.isBeingWritten() == false)
      let (begun, done) = (AsyncStream<Void>.makeStream(), DispatchSemaphore(value: 0))
      let writing = Task {
        try await other.transaction(.write) { connection in
          _ = try connection.execute("INSERT INTO t(text) VALUES ('a')")
          begun.continuation.yield()
          done.wait()
        }
      }
      for await _ in begun.stream { break }
      #expect(try await session.isBeingWritten())
      done.signal()
      try await writing.value
      #expect(try await session.isBeingWritten() == false)
      let program = """
        import sqlite3, sys
        other = sqlite3.connect(sys.argv[1], isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        print("begun", flush=True)
        sys.stdin.read()
        """
      let application = try ChildProcess("python3", ["-c", program, database.path], holdsInput: true)
      #expect(await application.output.lines().first { _ in true } == "begun")
      #expect(try await session.isBeingWritten())
      application.closeInput()
      await application.status()
      #expect(try await session.isBeingWritten() == false)
      await other.close()
      await session.close()
    }
  }

  @Test func takesTheRightWithItsNextCheckpointWhereSomebodyElseHadIt() async throws {
    try await database { database in
      let (first, second) = (
        try await database.open(.write(.normal), purpose: "test"),
        try await database.open(.write(.normal), purpose: "test")
      )
      try await first.perform { _ = try $0.execute("INSERT INTO t(text) VALUES ('a')") }
      let checkpoint = "PRAGMA wal_checkpoint"
      #expect(try await first.reserveCheckpoints(true))
      #expect(try await second.reserveCheckpoints(true) == false)
      #expect(try await second.perform { try $0.integer(checkpoint) } == 1)
      #expect(try await first.reserveCheckpoints(false))
      #expect(try await second.perform { try $0.integer(checkpoint) } == 0)
      #expect(try await first.perform { try $0.integer(checkpoint) } == 1)
      // Closed without having given it back.
      await second.close()
      #expect(try await first.perform { try $0.integer(checkpoint) } == 0)
      await first.close()
    }
  }

  /// Commits of many pages, larger than what is gathered in memory, some of them rolled back after they spilled.
  @Test func writesCommitsOfEverySizeWhole() async throws {
    try await database { database in
      let session = try await database.open(.write(.normal), purpose: "test")
      try await session.perform { connection in
        _ = try connection.rows("PRAGMA wal_autocheckpoint = 0")
        _ = try connection.rows("PRAGMA cache_size = 10")
      }
      var expected: Int64 = 0
      for (round, rows) in [1, 7, 300, 5000, 2].enumerated() {
        let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(rows)) "
        let insert = numbers + "INSERT INTO t(text) SELECT hex(randomblob(200)) FROM n"
        try await session.transaction(.write) { _ = try $0.execute(insert) }
        expected += Int64(rows)
        await #expect(throws: CancellationError.self) {
          try await session.transaction(.write) { connection in
            try connection.execute(insert)
            throw CancellationError()
          }
        }
        let program = """
          import sqlite3, sys
          database = sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True)
          print(database.execute('SELECT count(*) FROM t').fetchone()[0], database.execute('PRAGMA integrity_check').fetchone()[0])
          """
        #expect(try python(program, database.path) == "\(expected) ok", "round \(round)")
      }
      await session.close()
    }
  }
}

/// What stays readable in the file of what was deleted.
struct SecureDeleteTests {
  @Test(arguments: [true, false])
  func overwritesFreedPagesWhereAsked(secureDelete: Bool) async throws {
    let path = NSTemporaryDirectory() + "upkeep-secure-\(UUID().uuidString).sqlite"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let database = SQLiteDatabase(name: "test", path: path, mayCreate: true, secureDelete: secureDelete)
    let session = try await database.open(.write(.normal), purpose: "test")
    try await session.perform { connection in
      try connection.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, text TEXT)")
      try connection.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO t SELECT i, 'confidential' || i FROM n"
      )
      try connection.execute("DELETE FROM t WHERE id > 1")
    }
    await session.close()
    let left = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
    #expect(left.contains("confidential1"))
    #expect(left.contains("confidential250") == !secureDelete)
  }
}
