import DatabaseFixture
import Dispatch
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepTestKit

@testable import UpkeepPurge

/// Rows that are deleted by ranges of their number, and what must survive there.
struct RangeTests {
  private static let edges = [DeletionEdge("child", "parent_id", to: "parent", .delete)]

  /// A hundred parents of which all but the given ones are old, with a child each.
  private func fixture(
    kept: [Int], parent: String = "INTEGER PRIMARY KEY", reference: String = "INTEGER"
  ) async throws -> PurgeFixture {
    let list = kept.map(String.init).joined(separator: ", ")
    return try await PurgeFixture(
      "CREATE TABLE parent(id \(parent), at TEXT)", "CREATE INDEX ix_at ON parent(at)",
      "CREATE TABLE child(id INTEGER PRIMARY KEY, parent_id \(reference))", "CREATE INDEX ix_child ON child(parent_id)",
      """
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
      INSERT INTO parent SELECT i, CASE WHEN i IN (\(list)) THEN '2026-11-19' ELSE '2026-10-01' END FROM n
      """, "INSERT INTO child SELECT id, id FROM parent")
  }

  private func check(_ fixture: PurgeFixture, left parents: [Int], _ children: String) async throws {
    let preview = try await fixture.preview([.old("parent")], edges: Self.edges)
    let run = try await fixture.run([.old("parent")], edges: Self.edges)
    #expect(preview.counts == run.counts)
    #expect(preview.tables.map(\.oldest) == run.tables.map(\.oldest))
    #expect(preview.tables.map(\.newest) == run.tables.map(\.newest))
    #expect(run.counts["parent_deleted"] == 100 - parents.count)
    #expect(try await fixture.text("SELECT id FROM parent") == parents.map(String.init).joined(separator: " "))
    #expect(try await fixture.text("SELECT parent_id FROM child ORDER BY id") == children)
  }

  @Test(arguments: [
    [], [1], [100], [1, 100], [50, 51, 52], [2, 4, 6, 8], Array(1...16), Array(1...17), Array(80...100),
    Array(stride(from: 2, through: 100, by: 2)),
  ])
  func leavesTheRowsBetweenTheRanges(kept: [Int]) async throws {
    try await check(try await fixture(kept: kept), left: kept, kept.map(String.init).joined(separator: " "))
  }

  /// A clock that shows a second more at each look, so that every snapshot is old, and that does something at one look:
  /// the third look is right before the first stretch of numbers is counted, the fourth right after it.
  private func hook(atLook number: Int, _ fixture: PurgeFixture, _ statements: [String]) -> LookClock {
    LookClock(passing: .seconds(1)) { look in
      guard look == number else { return }
      let done = DispatchSemaphore(value: 0)
      Task {
        try await fixture.execute(statements)
        done.signal()
      }
      done.wait()
    }
  }

  /// A long count takes fresh snapshots on its way, so that the application's log can be begun anew: what goes meanwhile
  /// from where it has been is counted, and what goes from where it comes later isn't. A rule that ranks rows has one
  /// snapshot, in which both are counted and the newest one stays.
  @Test(arguments: [false, true]) func countsALargeTableInSeveralSnapshots(ranks: Bool) async throws {
    let fixture = try await PurgeFixture(
      "CREATE TABLE parent(id INTEGER PRIMARY KEY, at TEXT)", "CREATE INDEX ix_at ON parent(at)",
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 140000) "
        + "INSERT INTO parent SELECT i, '2026-10-01' FROM n")
    let clock = hook(atLook: 4, fixture, ["DELETE FROM parent WHERE id IN (5, 139990)"])
    let context = TaskContext.test(mode: .preview, now: PurgeFixture.now, clock: clock)
    try await Purge.with(fixture.database, for: .preview, in: context) { purge in
      let graph = DeletionGraph(purge.catalogue, declared: [])
      var rule = DeletionRule.old("parent")
      if ranks {
        let table = try #require(purge.catalogue["parent"])
        let ranking = try RowRanking(0, newest: 1, of: table, timeColumn: ("at", .text))
        rule.condition = .all([rule.condition, .outranked(ranking)])
      }
      try await purge.preview(DeletionPlan([rule], graph: graph), in: context)
    }
    #expect(context.journal.current.counts == ["parent_deleted": 139_999])
  }

  /// So it is where the children refer to something else than the number, and are counted parent by parent.
  @Test func countsParentByParentInSeveralSnapshots() async throws {
    let fixture = try await PurgeFixture(
      "CREATE TABLE parent(id INTEGER PRIMARY KEY, name TEXT UNIQUE, at TEXT)", "CREATE INDEX ix_at ON parent(at)",
      "CREATE TABLE child(parent TEXT REFERENCES parent(name) ON DELETE CASCADE)",
      "CREATE INDEX ix_parent ON child(parent)",
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 140000) INSERT INTO parent "
        + "SELECT i, 'p' || i, CASE i WHEN 2 THEN '2026-10-03' WHEN 139999 THEN '2026-09-01' ELSE '2026-10-01' END FROM n",
      "INSERT INTO child VALUES ('p5'), ('p7'), ('p139990'), ('p139991')")
    let clock = hook(
      atLook: 4, fixture,
      ["DELETE FROM child WHERE parent IN ('p5', 'p139990')", "DELETE FROM parent WHERE id IN (5, 139990)"])
    let context = TaskContext.test(mode: .preview, now: PurgeFixture.now, clock: clock)
    try await Purge.with(fixture.database, for: .preview, in: context) { purge in
      let graph = DeletionGraph(purge.catalogue, declared: [])
      try await purge.preview(DeletionPlan([.old("parent")], graph: graph), in: context)
    }
    #expect(context.journal.current.counts == ["parent_deleted": 139_999, "child_deleted": 3])
    let parent = try #require(context.journal.current.tables.first { $0.table == "parent" })
    #expect(parent.oldest?.dateText == "2026-09-01" && parent.newest?.dateText == "2026-10-03")
  }

  /// The count of a whole table has a snapshot of its own.
  @Test func countsTheWholeTableInAFreshSnapshot() async throws {
    let fixture = try await PurgeFixture(
      "CREATE TABLE parent(id INTEGER PRIMARY KEY, at TEXT)", "CREATE INDEX ix_at ON parent(at)",
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 110) "
        + "INSERT INTO parent SELECT i, CASE WHEN i <= 100 THEN '2026-10-01' ELSE '2026-11-20' END FROM n")
    let clock = hook(atLook: 6, fixture, ["DELETE FROM parent WHERE id > 100"])
    let context = TaskContext.test(mode: .preview, now: PurgeFixture.now, clock: clock)
    try await Purge.with(fixture.database, for: .preview, in: context) { purge in
      let graph = DeletionGraph(purge.catalogue, declared: [])
      try await purge.preview(DeletionPlan([.old("parent")], graph: graph), in: context)
    }
    #expect(context.journal.current.tables.map(\.total) == [100])
    #expect(context.journal.current.counts == ["parent_deleted": 100])
  }

  @Test(arguments: [
    ("INTEGER PRIMARY KEY", "INTEGER"), ("INTEGER PRIMARY KEY", "TEXT"), ("INTEGER PRIMARY KEY", ""),
    ("INTEGER PRIMARY KEY", "REAL"), ("INTEGER PRIMARY KEY DESC", "INTEGER"), ("INT PRIMARY KEY", "INTEGER"),
    ("TEXT PRIMARY KEY", "TEXT"),
  ])
  func findsTheChildrenHoweverTheReferenceIsHeld(parent: String, reference: String) async throws {
    let fixture = try await fixture(kept: [7], parent: parent, reference: reference)
    let run = try await fixture.run([.old("parent")], edges: Self.edges)
    #expect(run.counts == ["parent_deleted": 99, "child_deleted": 99])
    #expect(try await fixture.text("SELECT CAST(parent_id AS INTEGER) FROM child") == "7")
  }

  /// A reference without a declared foreign key may hold anything: only what equals a parent's key refers to it.
  @Test func keepsChildrenThatReferToNothingBetweenTheNumbers() async throws {
    let fixture = try await fixture(kept: [60])
    try await fixture.execute([
      "INSERT INTO child VALUES (1000, 5.5), (1001, NULL), (1002, 'abc'), (1003, 101), (1004, 0)"
    ])
    try await fixture.execute(["INSERT INTO child VALUES (1005, x'05')"])
    let run = try await fixture.run([.old("parent")], edges: Self.edges)
    #expect(run.counts == ["parent_deleted": 99, "child_deleted": 99])
    #expect(
      try await fixture.text("SELECT id FROM child WHERE id >= 1000") == "1000 1001 1002 1003 1004 1005")
    #expect(try await fixture.text("SELECT parent_id FROM child WHERE id < 1000") == "60")
  }

  /// A trigger may change which rows the condition selects, in the midst of a part of a batch: 37 to 40 are one.
  @Test func asksTheConditionAgainWhereATriggerRuns() async throws {
    let fixture = try await fixture(kept: [])
    try await fixture.execute([
      """
      CREATE TRIGGER revive AFTER DELETE ON child WHEN old.parent_id = 38
      BEGIN UPDATE parent SET at = '2026-11-19' WHERE id = 39; END
      """
    ])
    let run = try await fixture.run([.old("parent")], edges: Self.edges)
    #expect(run.counts["parent_deleted"] == 99)
    #expect(try await fixture.text("SELECT id FROM parent") == "39")
  }

  /// Between the look for a batch and its transaction the application goes on.
  @Test func looksAgainWithinTheTransaction() async throws {
    let fixture = try await fixture(kept: [])
    try await Purge.with(fixture.database, for: .deletion, in: fixture.context(.run)) { purge in
      let graph = DeletionGraph(purge.catalogue, declared: Self.edges)
      let root = try DeletionPlan([.old("parent")], graph: graph).steps[0].root
      guard case .condition(let condition) = root.selection else { return }
      let extent = try #require(try await purge.read { try RowExtent(root, condition, on: $0) })
      let batches = DirectBatches(root, condition, extent: extent, ranges: graph)
      let parts = try await purge.read { try batches.parts(after: 0, rows: 100, each: 30, on: $0) }
      #expect(parts.map(\.last) == [30, 60, 90, 100])
      #expect(parts.map(\.rows) == [30, 30, 30, 10])
      try await fixture.execute(["UPDATE parent SET at = '2026-11-19' WHERE id IN (1, 30, 31, 99)"])
      for (from, part) in zip([0, 30, 60, 90], parts) {
        _ = try await purge.record { try batches.delete(after: Int64(from), through: part.last, on: $0) }
      }
    }
    #expect(try await fixture.text("SELECT id FROM parent") == "1 30 31 99")
    #expect(try await fixture.text("SELECT parent_id FROM child") == "1 30 31 99")
  }

  /// Up to sixteen rows that stay are looked up in one part of a batch; where there are more, none must be overlooked.
  @Test(arguments: [15, 16, 17, 18, 33])
  func leavesHoweverManyRowsStayInOnePart(count: Int) async throws {
    let kept = (1...count).map { $0 * 3 }
    let fixture = try await fixture(kept: kept)
    let outcome = try await Purge.with(fixture.database, for: .deletion, in: fixture.context(.run)) { purge in
      let graph = DeletionGraph(purge.catalogue, declared: Self.edges)
      let root = try DeletionPlan([.old("parent")], graph: graph).steps[0].root
      guard case .condition(let condition) = root.selection else { return BatchOutcome(tallies: []) }
      let extent = try #require(try await purge.read { try RowExtent(root, condition, on: $0) })
      let batches = DirectBatches(root, condition, extent: extent, ranges: graph)
      return try await purge.record { try batches.delete(after: 0, through: 100, on: $0) }
    }
    #expect(outcome.tallies.map(\.rows) == [100 - count, 100 - count])
    let left = kept.map(String.init).joined(separator: " ")
    #expect(try await fixture.text("SELECT id FROM parent") == left)
    #expect(try await fixture.text("SELECT parent_id FROM child") == left)
  }

  /// Few rows in a large table are walked over by their numbers only where one of eight or more between them goes.
  @Test(arguments: [([1, 16], true), ([1, 17], true), ([1, 25], false), ([3, 4, 28], true), ([3, 4, 35], false)])
  func walksOverFewRowsWhereTheyLieTogether(old: [Int], isDense: Bool) async throws {
    let fixture = try await fixture(kept: Array(1...100).filter { !old.contains($0) })
    try await Purge.with(fixture.database, for: .preview, in: fixture.context(.preview)) { purge in
      let root = try DeletionPlan([.old("parent")], graph: DeletionGraph(purge.catalogue, declared: [])).steps[0].root
      guard case .condition(let condition) = root.selection else { return }
      let extent = try #require(try await purge.read { try RowExtent(root, condition, on: $0) })
      #expect(extent.rows == Int64(old.count) && extent.isDense == isDense)
    }
  }

  /// In a large table a few looks may say that it is walked over by its numbers; the ends are found all the same.
  @Test(arguments: [("i <= 3000", 3000, true), ("i % 124 = 1", 7937, true), ("i = 7999", 7999, false)])
  func findsTheEndsOfALargeTableWhateverAFewLooksSay(isOld: String, last: Int64, isDense: Bool) async throws {
    let fixture = try await fixture(kept: [])
    try await fixture.execute([
      "INSERT INTO parent(id, at) WITH RECURSIVE n(i) AS (SELECT 101 UNION ALL SELECT i + 1 FROM n WHERE i < 8000) "
        + "SELECT i, CASE WHEN \(isOld) THEN '2026-01-01' ELSE '2026-11-19' END FROM n",
      "UPDATE parent SET at = '2026-11-19' WHERE id < 7",
    ])
    try await Purge.with(fixture.database, for: .preview, in: fixture.context(.preview)) { purge in
      let root = try DeletionPlan([.old("parent")], graph: DeletionGraph(purge.catalogue, declared: [])).steps[0].root
      guard case .condition(let condition) = root.selection else { return }
      let extent = try #require(try await purge.read { try RowExtent(root, condition, on: $0) })
      #expect(extent.first == 7 && extent.last == last && extent.isDense == isDense)
    }
  }

  /// The first text in the order of an index isn't always the oldest time, nor the last one the newest.
  @Test func reportsTheOldestAndTheNewestWhateverTheirForm() async throws {
    let fixture = try await fixture(kept: [10])
    try await fixture.execute([
      "UPDATE parent SET at = '2026-10-01T05:00:00+14:00' WHERE id = 40",
      "UPDATE parent SET at = '2026-11-04T23:00:00-12:00' WHERE id = 41",
      "UPDATE parent SET at = '2026-11-05 10:00:00' WHERE id = 42",
    ])
    for result in [
      try await fixture.preview([.old("parent")], edges: Self.edges),
      try await fixture.run([.old("parent")], edges: Self.edges),
    ] {
      #expect(result.tables[0].oldest?.rfc3339 == "2026-09-30T15:00:00.000Z")
      #expect(result.tables[0].newest?.rfc3339 == "2026-11-05T11:00:00.000Z")
    }
  }

  /// Where the times aren't found by the way they are looked for in the index: a row that the rule keeps for another
  /// reason isn't the oldest that goes, however old it is.
  @Test(arguments: [false, true]) func reportsTheOldestOfThoseThatGo(isByIndex: Bool) async throws {
    let fixture = try await fixture(kept: [10])
    try await fixture.execute([
      "ALTER TABLE parent ADD COLUMN \"hold\" INTEGER",
      "UPDATE parent SET at = '2026-01-01', \"hold\" = 1 WHERE id IN (20, 60)",
      "UPDATE parent SET at = '2026-11-05 23:00:00', \"hold\" = 1 WHERE id = 61",
      "UPDATE parent SET at = '2026-09-01' WHERE id = 30", "UPDATE parent SET at = '2026-11-01' WHERE id = 31",
    ])
    if isByIndex {
      // A collation of the column's own isn't followed by the pass over the rows.
      try await fixture.execute([
        "CREATE TABLE other(id INTEGER PRIMARY KEY, at TEXT COLLATE NOCASE, \"hold\" INTEGER)",
        "INSERT INTO other SELECT * FROM parent", "DROP TABLE parent", "ALTER TABLE other RENAME TO parent",
        "CREATE INDEX ix_at ON parent(at)",
      ])
    }
    var rule = DeletionRule.old("parent")
    rule.condition = .all([rule.condition, .isNull(column: "hold")])
    let preview = try await fixture.preview([rule], edges: Self.edges)
    #expect(preview.counts["parent_deleted"] == 96)
    let run = try await fixture.run([rule], edges: Self.edges)
    for result in [preview, run] {
      #expect(result.tables[0].oldest?.dateText == "2026-09-01" && result.tables[0].newest?.dateText == "2026-11-01")
    }
  }

  /// Unreadable times among the old ones are counted once, wherever they sort.
  @Test func countsTimesThatCanNotBeReadOnce() async throws {
    let fixture = try await fixture(kept: [10])
    try await fixture.execute([
      "INSERT INTO parent VALUES (101, ''), (102, '2026-10-99'), (103, 'never'), (104, '2026-11-99'), (105, 17)",
      "UPDATE parent SET at = '2026-10-0x' WHERE id = 50", "UPDATE parent SET at = 'zzz' WHERE id = 51",
    ])
    let preview = try await fixture.preview([.old("parent")], edges: Self.edges)
    #expect(preview.counts["parent_deleted"] == 97)
    #expect(
      preview.warnings.filter { $0.contains("can be read") } == [
        "parent: 6 rows have no date and time in at that can be read; they are kept: write it as 2026-11-20 12:00:00"
      ])
    // A run counts them by statements of their own.
    let context = fixture.context(.run)
    try await Purge.with(fixture.database, for: .deletion, in: context) { purge in
      let graph = DeletionGraph(purge.catalogue, declared: Self.edges)
      try await purge.warnOfUnreadableTimes(DeletionPlan([.old("parent")], graph: graph), in: context)
    }
    #expect(context.journal.current.warnings == preview.warnings.filter { $0.contains("can be read") })
    #expect(try await fixture.run([.old("parent")], edges: Self.edges).counts == preview.counts)
    #expect(try await fixture.text("SELECT id FROM parent") == "10 50 51 101 102 103 104 105")
  }

  /// Numbers far apart, down to the lowest and up to the highest there are.
  @Test(arguments: [true, false])
  func walksOverNumbersThatLieFarApart(isIndexed: Bool) async throws {
    let fixture = try await PurgeFixture(
      "CREATE TABLE parent(id INTEGER PRIMARY KEY, at TEXT)",
      isIndexed ? "CREATE INDEX ix_at ON parent(at)" : "SELECT 1",
      "CREATE TABLE child(id INTEGER PRIMARY KEY, parent_id INTEGER)", "CREATE INDEX ix_child ON child(parent_id)",
      """
      INSERT INTO parent VALUES (-9223372036854775808, '2026-10-01'), (-9223372036854775807, '2026-10-01'),
        (-5, '2026-11-19'), (0, '2026-10-01'), (1000000, '2026-10-01'), (4000000000000000000, '2026-11-19'),
        (9223372036854775807, '2026-10-01')
      """, "INSERT INTO child SELECT NULL, id FROM parent")
    let preview = try await fixture.preview([.old("parent")], edges: Self.edges)
    let run = try await fixture.run([.old("parent")], edges: Self.edges)
    #expect(preview.counts == run.counts)
    let kept = "-5 4000000000000000000"
    #expect(try await fixture.text("SELECT id FROM parent ORDER BY id") == kept)
    #expect(try await fixture.text("SELECT parent_id FROM child ORDER BY parent_id") == kept)
  }

  /// A count goes over the numbers in stretches; a row at the end of one belongs to it once.
  @Test(arguments: [65_535, 65_536, 65_537, 131_073])
  func countsOnceWhatLiesAtTheEndsOfStretches(rows: Int) async throws {
    let fixture = try await PurgeFixture(
      "CREATE TABLE parent(id INTEGER PRIMARY KEY, at TEXT)", "CREATE INDEX ix_at ON parent(at)",
      "CREATE TABLE child(id INTEGER PRIMARY KEY, parent_id INTEGER)", "CREATE INDEX ix_child ON child(parent_id)",
      """
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(rows))
      INSERT INTO parent SELECT i, CASE WHEN i % 65536 = 2 THEN '2026-11-19' ELSE '2026-10-01' END FROM n
      """, "INSERT INTO child SELECT NULL, id FROM parent WHERE id % 16384 < 4")
    let preview = try await fixture.preview([.old("parent")], edges: Self.edges)
    #expect(
      preview.counts["parent_deleted"]
        == Int(try await fixture.text("SELECT count(*) FROM parent WHERE at < '2026-11'")))
    #expect(
      preview.counts["child_deleted"]
        == Int(try await fixture.text("SELECT count(*) FROM child WHERE parent_id % 65536 <> 2")))
  }
}
