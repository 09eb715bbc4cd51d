import Foundation
import Testing
import UpkeepCore

@testable import UpkeepDatabase

/// The aggregates that a count goes through a table with.
@Suite struct SQLiteAggregateTests {
  private func value(_ sql: String) async throws -> DatabaseValue {
    let path = NSTemporaryDirectory() + "upkeep-aggregate-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let session = try await SQLiteDatabase(name: "app", path: path, mayCreate: true)
      .open(.write(.normal), purpose: "test")
    let value = try await session.perform { try $0.first(sql)?[0] }
    await session.close()
    return try #require(value)
  }

  private static let cutoff = Timestamp(text: "2026-11-01 00:00:00Z")?.microseconds ?? 0

  /// The ranges of some values, numbered from 1.
  private func ranges(_ values: String) async throws -> NumberRanges {
    let sql = """
      WITH v(n, t) AS (VALUES \(values))
      SELECT upkeep_ranges(n, t, '2026-11-03', \(Self.cutoff)) FROM v
      """
    return try #require(NumberRanges(try await value(sql)))
  }

  @Test func findsWhatLiesBeforeACutoff() async throws {
    let found = try await ranges(
      """
      (1, '2026-10-31 23:59:59.999999'), (2, '2026-10-01T00:00:00Z'), (3, '2026-11-01 00:00:00'),
      (4, '2026-11-01T01:30:00+02:00'), (5, '2026-11-02 23:59:59'), (6, '2026-11-03'), (7, '2026-12-24'),
      (9, '2020-02-29 12:00'), (10, '2026-10-31T23:00:00-02:00')
      """)
    // What lies in the gap of the numbers is no row that stays.
    #expect(found.ranges == [1...2, 4...4, 9...9])
    #expect(found.rows == 4)
    #expect(found.told == 0)
    #expect(found.bounded == 7)
    let (first, last) = (Timestamp(text: "2020-02-29 12:00"), Timestamp(text: "2026-10-31 23:59:59.999999"))
    #expect(found.instants == (first?.microseconds ?? 0)...(last?.microseconds ?? 0))
  }

  /// A text before the bound that is no time stays, and is told of; what is no text stays.
  @Test func tellsOfTextsThatAreNoTime() async throws {
    let found = try await ranges(
      "(1, ''), (2, '0000'), (3, '2026-10-99'), (4, 'soon'), (5, 5), (6, 2.5), (7, NULL), (8, x'32303230'), (9, '1999-01-01')"
    )
    #expect(found.ranges == [9...9])
    #expect(found.told == 3)
    // Numbers sort before every text, blobs behind it; NULL is neither.
    #expect(found.bounded == 6)
  }

  /// Without a cutoff a row stays, whatever its time.
  @Test func keepsRowsWithoutACutoff() async throws {
    let found = try #require(
      NumberRanges(
        try await value(
          """
          WITH v(n, t, c) AS (VALUES (1, '1960-01-01', 5), (2, '1960-01-01', NULL), (3, 'x', NULL), (4, '0', NULL))
          SELECT upkeep_ranges(n, t, '2026-11-03', c) FROM v
          """)))
    #expect(found.ranges == [1...1])
    #expect(found.told == 1)
  }

  @Test(arguments: ["UTF-8", "UTF-16le", "UTF-16be"])
  func readsFilesOfEachEncoding(encoding: String) async throws {
    let path = NSTemporaryDirectory() + "upkeep-aggregate-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let database = SQLiteDatabase(name: "app", path: path, mayCreate: true)
    let first = try await database.open(.write(.normal), purpose: "test")
    try await first.perform { connection in
      try connection.execute("PRAGMA encoding = '\(encoding)'")
      try connection.execute("CREATE TABLE t(n INTEGER PRIMARY KEY, at TEXT)")
      try connection.execute(
        "INSERT INTO t VALUES (1, '2026-10-01'), (2, '2026-12-01'), (3, '2026-13-01'), (4, '1999')")
    }
    await first.close()
    let session = try await database.open(.read, purpose: "test")
    let value = try await session.perform {
      try $0.first("SELECT upkeep_ranges(n, at, '2026-11-03', \(Self.cutoff)) FROM t")?[0]
    }
    await session.close()
    let found = try #require(value.flatMap(NumberRanges.init))
    #expect(found.ranges == [1...1])
    #expect(found.told == 1)
  }

  @Test func asksForASecondTimeThatLiesBeforeTheCutoffToo() async throws {
    let found = try #require(
      NumberRanges(
        try await value(
          """
          WITH v(n, t, s) AS (VALUES (1, '2026-10-01', NULL), (2, '2026-10-01', '2026-10-31 23:59:59'),
            (3, '2026-10-01', '2026-11-01'), (4, '2026-10-01', 'x'), (5, '2026-10-01', 5), (6, '2026-10-01', x'323032352d30312d3031'),
            (7, '2026-10-01', ''), (8, 'x', '2026-10-01'), (9, '2026-11-01', '2026-10-01'), (10, '2026-10-01', '2025-01-01'),
            (11, '2026-10-99', '2026-12-01'))
          SELECT upkeep_ranges(n, t, '2026-11-03', \(Self.cutoff), s) FROM v
          """)))
    #expect(found.ranges == [1...2, 10...10])
    // The first time is told of wherever the second one lies.
    #expect(found.told == 1 && found.bounded == 10)
  }

  @Test func findsNothingInNothing() async throws {
    let found = try #require(
      NumberRanges(try await value("SELECT upkeep_ranges(1, '2020-01-01', '2026-11-03', 0) WHERE 0")))
    #expect(found.ranges == [] && found.rows == 0 && found.instants == nil)
  }

  /// Values come in order, and the statement ends with the first one behind all ranges.
  @Test(arguments: [
    ("(1), (2), (3), (5), (5.0), (5.5), (6), (9)", 7), ("(0)", 0), ("(10)", 0), ("(9), (10), (1)", 1), ("(1), (9)", 2),
    ("(4), (8)", 0), ("(-9.5), (2), (3.5), ('3')", 1), ("(7), (9223372036854775807)", 1),
  ])
  func countsWholeNumbersInRanges(values: String, count: Int64) async throws {
    let ranges = NumberRanges.blob(of: [1...3, 5...7, 9...9])
    guard case .blob(let bytes) = ranges else { return }
    let text = bytes.map { String(format: "%02x", $0) }.joined()
    #expect(bytes.count == 48)
    let sql = "WITH v(x) AS (VALUES \(values)) SELECT upkeep_whole(x, x'\(text)') FROM v"
    #expect(try await value(sql) == .integer(count))
  }

  /// An error of another kind isn't taken for a count.
  @Test func takesNoOtherErrorForACount() async throws {
    await #expect(throws: TaskError.self) {
      _ = try await value("WITH v(x) AS (VALUES (1)) SELECT upkeep_whole(x, x, x) FROM v")
    }
    #expect(try await value("SELECT upkeep_whole(x, x'') FROM (SELECT 1 AS x)") == .integer(0))
  }

  @Test(arguments: [
    ("(1), (2), (-3)", 3), ("(1.0), (1.5), (-0.0), (1e300)", 2), ("('1'), (NULL), (x'31'), (9)", 1),
    ("(9223372036854775807), (9.3e18)", 1),
  ])
  func countsWholeNumbers(values: String, count: Int64) async throws {
    let whole = try await value("WITH v(x) AS (VALUES \(values)) SELECT upkeep_whole(x) FROM v")
    #expect(whole == .integer(count))
    // The statements that delete ask it in SQL's own words.
    let same = try await value(
      "WITH v(x) AS (VALUES \(values)) SELECT count(*) FROM v WHERE x | 0 = x AND typeof(x) IN ('integer', 'real')")
    #expect(whole == same)
    #expect(try await value("SELECT upkeep_whole(1) WHERE 0") == .integer(0))
  }
}
