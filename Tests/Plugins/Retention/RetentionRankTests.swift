import DatabaseFixture
import Testing
import UpkeepCore
import UpkeepTestKit

/// What `keep_last` and `keep_rows` let stay.
@Suite struct RetentionRankTests {
  private static let table = "CREATE TABLE log(id INTEGER PRIMARY KEY, at TEXT, dev TEXT, kind TEXT)"

  @Test func keepsTheNewestOfEachGroupWhateverItsAge() async throws {
    let fixture = try await RetentionFixture(
      Self.table,
      """
      INSERT INTO log VALUES (1, '2026-01-05', 'a', 'x'), (2, '2026-01-04', 'a', 'x'), (3, '2026-01-06', 'a', 'x'),
        (4, '2026-01-01', 'b', 'x'), (5, '2026-01-03', 'b', 'x'), (6, '2026-11-19', 'c', 'x'), (7, '2026-01-01', 'c', 'x'),
        (8, '2026-01-02', 'c', 'x')
      """)
    try await fixture.run(
      #"[{"table": "log", "time_column": "at", "keep": "14d", "keep_last": 2, "per": "dev"}]"#)
    #expect(try await fixture.text("SELECT id FROM log ORDER BY id") == "1 3 4 5 6 8")
  }

  @Test func takesNullForAGroupAndTellsTextsApartByEveryLetter() async throws {
    let fixture = try await RetentionFixture(
      "CREATE TABLE log(id INTEGER PRIMARY KEY, at TEXT, dev TEXT COLLATE NOCASE)",
      """
      INSERT INTO log VALUES (1, '2026-01-01', NULL), (2, '2026-01-02', NULL), (3, '2026-01-01', 'A'),
        (4, '2026-01-02', 'A'), (5, '2026-01-01', 'a'), (6, '2026-01-01', ''), (7, '2025-01-01', '')
      """)
    try await fixture.run(#"[{"table": "log", "time_column": "at", "keep_last": 1, "per": ["dev"]}]"#)
    #expect(try await fixture.text("SELECT id FROM log ORDER BY id") == "2 4 5 6")
  }

  @Test func groupsBySeveralColumns() async throws {
    let fixture = try await RetentionFixture(
      Self.table,
      """
      INSERT INTO log VALUES (1, '2026-01-01', 'a', NULL), (2, '2026-01-02', 'a', NULL), (3, '2026-01-01', NULL, 'a'),
        (4, '2026-01-01', NULL, NULL), (5, '2026-01-02', NULL, NULL), (6, '2026-01-01', 'a', 'a')
      """)
    try await fixture.run(#"[{"table": "log", "time_column": "at", "keep_last": 1, "per": ["dev", "kind"]}]"#)
    #expect(try await fixture.text("SELECT id FROM log ORDER BY id") == "2 3 5 6")
  }

  @Test(arguments: ["INTEGER PRIMARY KEY", "TEXT PRIMARY KEY", "TEXT PRIMARY KEY NOT NULL", "INTEGER"])
  func breaksTiesByThePrimaryKey(key: String) async throws {
    let fixture = try await RetentionFixture(
      "CREATE TABLE log(id \(key), at TEXT)",
      """
      INSERT INTO log VALUES (1, '2026-01-01 00:00:00'), (4, '2026-01-01'), (3, '2026-01-01T00:00:00Z'),
        (2, '2026-01-01T01:00:00+01:00')
      """)
    try await fixture.run(#"[{"table": "log", "time_column": "at", "keep_last": 2}]"#)
    // Without a primary key the rows that were added last are the newest.
    #expect(try await fixture.text("SELECT id FROM log ORDER BY id") == (key == "INTEGER" ? "2 3" : "3 4"))
  }

  @Test(arguments: [("keep_last", 3), ("keep_last", 4), ("keep_rows", 3), ("keep_rows", 100)])
  func keepsAllWhereThereAreNoMore(key: String, count: Int) async throws {
    let fixture = try await RetentionFixture(
      Self.table, "INSERT INTO log(at) VALUES ('2020-01-01'), ('2020-01-01'), ('2020-01-02')")
    let run = try await fixture.run(
      #"[{"table": "log", "time_column": "at", "keep": "1h", "\#(key)": \#(count)}]"#)
    #expect(run.counts == ["log_deleted": 0])
    #expect(try await fixture.text("SELECT count(*) FROM log") == "3")
  }

  @Test func keepsSoManyRowsOfTheWholeTable() async throws {
    let fixture = try await RetentionFixture(
      Self.table,
      """
      INSERT INTO log VALUES (1, '2020-01-01', NULL, 'debug'), (2, '2020-01-02', NULL, 'debug'),
        (3, '2020-01-03', NULL, 'debug'), (4, '2020-01-04', NULL, 'error'), (5, '2020-01-05', NULL, 'error')
      """)
    try await fixture.run(
      #"[{"table": "log", "time_column": "at", "keep": "1d", "where": "kind = 'debug'", "keep_rows": 3}]"#)
    #expect(try await fixture.text("SELECT id FROM log") == "3 4 5")
  }

  @Test func ranksOnlyTheRowsThatTheRuleIsAbout() async throws {
    let fixture = try await RetentionFixture(
      Self.table,
      """
      INSERT INTO log VALUES (1, '2020-01-01', NULL, 'debug'), (2, '2020-01-02', NULL, 'debug'),
        (3, '2020-01-03', NULL, 'debug'), (4, '2020-01-04', NULL, 'error'), (5, '2020-01-05', NULL, NULL)
      """)
    try await fixture.run(#"[{"table": "log", "time_column": "at", "where": "kind = 'debug'", "keep_last": 1}]"#)
    #expect(try await fixture.text("SELECT id FROM log") == "3 4 5")
  }

  @Test func ranksByTheOrderOfAddingWithoutATimeColumn() async throws {
    let fixture = try await RetentionFixture(
      "CREATE TABLE log(name TEXT PRIMARY KEY)", "INSERT INTO log VALUES ('z'), ('y'), ('x'), ('w')")
    try await fixture.run(#"[{"table": "log", "keep_rows": 2}]"#)
    #expect(try await fixture.text("SELECT name FROM log ORDER BY name") == "w x")
  }

  @Test func keepsRowsWithoutATimeAndGivesThemNoPlace() async throws {
    let fixture = try await RetentionFixture(
      Self.table, "INSERT INTO log(id, at) VALUES (1, '2026-01-01'), (2, '2026-01-02'), (3, NULL), (4, 'never')")
    let run = try await fixture.run(#"[{"table": "log", "time_column": "at", "keep_last": 1, "time_format": "text"}]"#)
    #expect(try await fixture.text("SELECT id FROM log") == "2 3 4")
    #expect(run.warnings.count == 1)
  }

  @Test func countsOnlyWhatEarlierRulesLeave() async throws {
    let fixture = try await RetentionFixture(
      "CREATE TABLE dev(id INTEGER PRIMARY KEY, seen TEXT)",
      "CREATE TABLE log(id INTEGER PRIMARY KEY, at TEXT, dev INTEGER REFERENCES dev(id) ON DELETE CASCADE, kind TEXT)",
      "CREATE INDEX ix_dev ON log(dev)",
      "INSERT INTO dev VALUES (1, '2020-01-01'), (2, '2026-11-19')",
      """
      INSERT INTO log VALUES (1, '2026-11-19', 1, 'x'), (2, '2026-11-18', 1, 'x'), (3, '2026-11-17', 2, 'x'),
        (4, '2026-11-16', 2, 'y'), (5, '2026-11-15', 2, 'x'), (6, '2026-11-14', 2, 'x'), (7, '2026-11-13', 2, 'x')
      """)
    let run = try await fixture.run(
      """
      [{"table": "dev", "time_column": "seen", "keep": "30d"},
       {"table": "log", "time_column": "at", "where": "kind = 'y'", "keep": "1d"},
       {"table": "log", "time_column": "at", "keep_rows": 3}]
      """)
    #expect(run.counts == ["dev_deleted": 1, "log_deleted": 4])
    #expect(try await fixture.text("SELECT id FROM log") == "3 5 6")
  }

  /// A thousand old rows in ten groups, the later the newer.
  private func many() async throws -> RetentionFixture {
    let fixture = try await RetentionFixture(
      Self.table, "CREATE TABLE kid(log_id INTEGER REFERENCES log(id))", "CREATE INDEX ix_kid ON kid(log_id)",
      """
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
      INSERT INTO log SELECT i, datetime('2020-01-01', i || ' minutes'), 'dev' || (i % 10), 'x' FROM n
      """)
    return fixture
  }

  @Test(arguments: ["\"keep_last\": 3, \"per\": \"dev\"", "\"keep_rows\": 30"])
  func leavesOlderRowsWhereNewestOnesAreGoneMeanwhile(keep: String) async throws {
    let fixture = try await many()
    let clock = HookClock { [unowned fixture] in
      try await fixture.execute(["DELETE FROM log WHERE id BETWEEN 1981 AND 1990"])
    }
    try await fixture.run("[{\"table\": \"log\", \"time_column\": \"at\", \(keep)}]", clock: clock)
    // The newest of each group that were there before, less those that are gone: none of the others may take their
    // place any more, so nothing was deleted after it.
    let left = try await fixture.text("SELECT min(n) FROM (SELECT count(*) n FROM log GROUP BY dev)")
    #expect(try #require(Int(left)) > 3)
    try await fixture.run("[{\"table\": \"log\", \"time_column\": \"at\", \(keep)}]")
    #expect(try await fixture.text("SELECT count(*) FROM log") == "30")
    #expect(
      try await fixture.text("SELECT group_concat(n, '') FROM (SELECT count(*) n FROM log GROUP BY dev)")
        == "3333333333")
  }

  @Test func leavesOlderRowsWhereNewestOnesBelongElsewhereByThen() async throws {
    let fixture = try await many()
    let clock = HookClock { [unowned fixture] in
      try await fixture.execute(["UPDATE log SET dev = 'elsewhere' WHERE id BETWEEN 1981 AND 1990"])
    }
    try await fixture.run(#"[{"table": "log", "time_column": "at", "keep_last": 3, "per": "dev"}]"#, clock: clock)
    let left = try await fixture.text(
      "SELECT min(n) FROM (SELECT count(*) n FROM log WHERE dev LIKE 'dev%' GROUP BY dev)")
    #expect(try #require(Int(left)) > 3)
  }

  @Test(arguments: ["\"keep_last\": 3, \"per\": \"dev\"", "\"keep_rows\": 30", "\"keep\": \"14d\", \"keep_rows\": 30"])
  func leavesRowsAloneThatComeOrBecomeNewerMeanwhile(keep: String) async throws {
    let fixture = try await many()
    let clock = HookClock { [unowned fixture] in
      try await fixture.execute([
        "INSERT INTO log VALUES (3000, '2026-11-20 11:59:59', 'dev1', 'x'), (3001, '2026-11-20 11:59:59', 'new', 'x')",
        "UPDATE log SET at = '2026-11-20 11:59:58' WHERE id IN (1900, 1901)",
      ])
    }
    try await fixture.run("[{\"table\": \"log\", \"time_column\": \"at\", \(keep)}]", clock: clock)
    #expect(try await fixture.text("SELECT id FROM log WHERE id IN (1900, 1901, 3000, 3001)") == "1900 1901 3000 3001")
    #expect(try await fixture.text("SELECT count(*) FROM log WHERE id > 1970 AND id <= 2000") == "30")
    #expect(try await fixture.text("SELECT count(*) FROM log") == "34")
  }
}
