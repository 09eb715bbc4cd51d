import Foundation
import PostgresCluster
import Testing
import UpkeepCore

@testable import UpkeepDatabase

/// The PostgreSQL driver behind the port, on a real server.
struct PostgresDatabaseTests {
  private func open(_ mode: SessionMode = .write(.normal)) async throws -> any DatabaseSession {
    try await PostgresCluster.shared().makeDatabase("a").open(mode, purpose: "upkeep/test")
  }

  @Test func readsWhatItWrote() async throws {
    let session = try await open()
    let values: [DatabaseValue] = [
      nil, .integer(.min), .real(0.1), .text("ā'\"\\x ?1 $1"), .blob([0, 39, 92, 255]), .integer(1),
      .text("2026-11-20 12:00:00.123456"), .text("2026-11-20 14:00:00+02"), .text("12.50"),
    ]
    let back = try await session.perform { connection in
      try connection.execute(
        """
        CREATE TABLE t(a int, b bigint, c double precision, d text, e bytea, f boolean, g timestamp, h timestamptz,
          i numeric)
        """)
      let insert = "INSERT INTO t VALUES (?1, ?2, ?3, ?4, ?5, ?6 = 1, ?7, ?8, ?9)"
      #expect(try connection.execute(insert, values) == 1)
      return try connection.rows("SELECT * FROM t")
    }
    let expected: [DatabaseValue] = values[..<7] + [.text("2026-11-20 12:00:00+00"), .real(12.5)]
    #expect(back == [expected])
  }

  @Test func leavesMarksInQuotesAlone() async throws {
    let session = try await open()
    let row = try await session.perform { try $0.first(#"SELECT '?1' AS "?2", ?1::text, 'it''s ?3'"#, ["x"]) }
    let expected: [DatabaseValue] = ["?1", "x", "it's ?3"]
    #expect(row == expected)
  }

  @Test func countsChangedRowsOfEachStatementAlone() async throws {
    let session = try await open()
    try await session.perform { connection in
      try connection.execute("CREATE TABLE t(a int)")
      #expect(try connection.execute("INSERT INTO t VALUES (1), (2), (3)") == 3)
      #expect(try connection.execute("DELETE FROM t WHERE a = ?1", [9]) == 0)
      #expect(try connection.execute("CREATE INDEX i ON t(a)") == 0)
      #expect(try connection.execute("DELETE FROM t WHERE a > ?1", [1]) == 2)
      #expect(try connection.execute("SELECT * FROM t") == 0)
    }
  }

  @Test func keepsStatementsThatComeAgainWhateverTheirValues() async throws {
    let session = try await open()
    let sums = try await session.perform { connection in
      try (0..<500).map { try connection.integer("SELECT ?1 + \($0 % 250)", [.integer(Int64($0))]) }
    }
    let expected = (0..<500).map { number in Int64(number + number % 250) }
    #expect(sums == expected)
  }

  @Test func livesInUTCUnderItsOwnName() async throws {
    let session = try await open()
    let row = try await session.perform { connection in
      try connection.first(
        """
        SELECT current_setting('TimeZone'), current_setting('application_name'), '2026-11-20 12:00:00'::timestamptz,
          1
        """)
    }
    let expected: [DatabaseValue] = ["UTC", "upkeep/test", "2026-11-20 12:00:00+00", 1]
    #expect(row == expected)
  }

  @Test func rollsBackWhatThrows() async throws {
    let session = try await open()
    _ = try await session.perform { try $0.execute("CREATE TABLE t(a int)") }
    await #expect(throws: TaskError.self) {
      try await session.transaction(.write) { connection in
        try connection.execute("INSERT INTO t VALUES (1)")
        try connection.execute("INSERT INTO nowhere VALUES (1)")
      }
    }
    #expect(try await session.perform { try $0.integer("SELECT count(*) FROM t") } == 0)
  }

  @Test func endsATransactionThatAClosureLeftOpen() async throws {
    let session = try await open()
    let error = await #expect(throws: TaskError.self) {
      _ = try await session.perform { try $0.execute("BEGIN") }
    }
    #expect(error?.code == "open_transaction")
    #expect(try await session.perform { try $0.integer("SELECT 1") } == 1)
  }

  @Test func writesNothingInASessionForReading() async throws {
    let database = try await PostgresCluster.shared().makeDatabase()
    let session = try await database.open(.read, purpose: "test")
    for kind in [TransactionKind.read, .scratch] {
      let error = await #expect(throws: TaskError.self) {
        _ = try await session.perform { try $0.execute("CREATE TABLE t(a int)") }
      }
      #expect(error?.code == "database_readonly", "\(kind)")
    }
    let count = try await session.transaction(.scratch) { connection in
      try connection.execute("CREATE TABLE pg_temp.t(a int)")
      try connection.execute("SET TRANSACTION READ ONLY")
      return try connection.execute("INSERT INTO pg_temp.t VALUES (1)")
    }
    #expect(count == 1)
  }

  /// Takes a large result row by row, and can be used again after a row that wasn't wanted.
  @Test func takesRowsAsTheyCome() async throws {
    struct Enough: Error {}
    let session = try await open()
    await #expect(throws: Enough.self) {
      try await session.perform { connection in
        try connection.query("SELECT i FROM generate_series(1, 100000000) i", []) { row in
          if row.integer(0) == 3 { throw Enough() }
        }
      }
    }
    #expect(try await session.perform { try $0.integer("SELECT 2") } == 2)
  }

  @Test func cancelsAStatementThatRuns() async throws {
    let session = try await open()
    let task = Task { try await session.perform { _ = try $0.rows("SELECT pg_sleep(600)") } }
    let other = try await PostgresCluster.shared().makeDatabase().open(.read, purpose: "test")
    let sleeps = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)' AND state = 'active'"
    while try await other.perform({ try $0.integer(sleeps) }) == 0 {}
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try await session.perform { try $0.integer("SELECT 3") } == 3)
  }

  @Test func beginsNothingWhenCancelledBefore() async throws {
    let session = try await open()
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await session.perform { try $0.integer("SELECT 1") }
    }
    await #expect(throws: CancellationError.self) { _ = try await task.value }
    #expect(try await session.perform { try $0.integer("SELECT 4") } == 4)
  }

  @Test func saysThatTheConnectionWasLostAndConnectsAgain() async throws {
    let (session, other) = (try await open(), try await open())
    let number = try await session.perform { try $0.integer("SELECT pg_backend_pid()") }
    _ = try await other.perform { connection in
      _ = try connection.rows("SELECT pg_terminate_backend(?1::int)", [.integer(number)])
      while try connection.integer("SELECT count(*) FROM pg_stat_activity WHERE pid = ?1", [.integer(number)]) > 0 {}
    }
    let error = await #expect(throws: TaskError.self) { _ = try await session.perform { try $0.integer("SELECT 1") } }
    #expect(error?.code == "connection_lost")
    try await session.reconnect()
    #expect(try await session.perform { try $0.integer("SELECT 5") } == 5)
  }
}
