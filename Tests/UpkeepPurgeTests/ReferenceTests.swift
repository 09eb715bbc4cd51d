import DatabaseFixture
import Testing
import UpkeepCore
import UpkeepDatabase

@testable import UpkeepPurge

/// What becomes of rows that belong to deleted ones, and of rows that others refer to.
struct ReferenceTests {
  private static let old = "'2026-11-01 00:00:00'"
  private static let young = "'2026-11-10 00:00:00'"

  @Test func deletesChildrenWithTheirParentAndNoOthers() async throws {
    let fixture = try await PurgeFixture(
      "CREATE TABLE parent(id INTEGER PRIMARY KEY, at TEXT)",
      "CREATE TABLE child(id INTEGER PRIMARY KEY, parent_id INTEGER)", "CREATE INDEX ix ON child(parent_id)",
      "INSERT INTO parent VALUES (1, \(Self.old)), (2, \(Self.young)), (3, \(Self.old))",
      "INSERT INTO child VALUES (1, 1), (2, 2), (3, 3), (4, 3), (5, NULL), (6, 99)")
    let edges = [DeletionEdge("child", "parent_id", to: "parent", .delete)]
    let preview = try await fixture.preview([.old("parent")], edges: edges)
    let run = try await fixture.run([.old("parent")], edges: edges)
    #expect(run.counts == ["parent_deleted": 2, "child_deleted": 3])
    #expect(preview.counts == run.counts)
    #expect(try await fixture.text("SELECT id FROM parent") == "2")
    #expect(try await fixture.text("SELECT id FROM child") == "2 5 6")
  }

  @Test func doesWhatTheSchemaSaysWhereTheTaskIsSilent() async throws {
    let fixture = try await PurgeFixture(
      "CREATE TABLE parent(id INTEGER PRIMARY KEY, at TEXT)",
      "CREATE TABLE goes(id INTEGER PRIMARY KEY, p INTEGER REFERENCES parent(id) ON DELETE CASCADE)",
      "CREATE TABLE loses(id INTEGER PRIMARY KEY, p INTEGER REFERENCES parent ON DELETE SET NULL)",
      "CREATE TABLE holds(id INTEGER PRIMARY KEY, p INTEGER REFERENCES parent)",
      "INSERT INTO parent VALUES (1, \(Self.old)), (2, \(Self.old)), (3, \(Self.old))",
      "INSERT INTO goes VALUES (1, 1), (2, 3)", "INSERT INTO loses VALUES (1, 1), (2, 3)",
      "INSERT INTO holds VALUES (1, 3)")
    let preview = try await fixture.preview([.old("parent")])
    let run = try await fixture.run([.old("parent")])
    #expect(run.counts == ["parent_deleted": 2, "goes_deleted": 1, "loses_unlinked": 1])
    #expect(preview.counts == run.counts)
    #expect(run.tables.first { $0.table == "parent" }?.keptReferenced == 1)
    #expect(preview.tables.first { $0.table == "parent" }?.keptReferenced == 1)
    for tables in [preview.tables, run.tables] { #expect(tables.first?.referencedBy == ["holds"]) }
    #expect(try await fixture.text("SELECT id FROM parent") == "3")
    #expect(try await fixture.text("SELECT id FROM goes") == "2")
    #expect(try await fixture.text("SELECT count(p) FROM loses WHERE id = 1") == "0")
    #expect(try await fixture.text("SELECT p FROM loses WHERE id = 2") == "3")
    #expect(try await fixture.rows("PRAGMA foreign_key_check").isEmpty)
  }

  /// `event` ← `snapshot` ← `market`; `bet` refers to a snapshot, without any rule for it.
  private func events(index: Bool) async throws -> PurgeFixture {
    let fixture = try await PurgeFixture(
      "CREATE TABLE event(id INTEGER PRIMARY KEY, at TEXT)",
      "CREATE TABLE snapshot(id INTEGER PRIMARY KEY, event_id INTEGER REFERENCES event(id), at TEXT)",
      "CREATE TABLE market(id INTEGER PRIMARY KEY, snapshot_id INTEGER)",
      "CREATE TABLE bet(id INTEGER PRIMARY KEY, snapshot_id INTEGER REFERENCES snapshot(id))",
      "INSERT INTO event VALUES (1, \(Self.old)), (2, \(Self.old)), (3, \(Self.young)), (4, \(Self.old))",
      """
      INSERT INTO snapshot VALUES (10, 1, \(Self.young)), (11, 1, \(Self.old)), (20, 2, \(Self.young)),
        (30, 3, \(Self.old)), (31, 3, \(Self.young)), (40, 4, \(Self.old))
      """,
      "INSERT INTO market VALUES (100, 10), (110, 11), (111, 11), (200, 20), (300, 30), (310, 31), (400, 40)",
      "INSERT INTO bet VALUES (1, 20), (2, NULL)")
    if index {
      try await fixture.execute([
        "CREATE INDEX i1 ON snapshot(event_id)", "CREATE INDEX i2 ON market(snapshot_id)",
        "CREATE INDEX i3 ON bet(snapshot_id)", "CREATE INDEX i4 ON event(at)", "CREATE INDEX i5 ON snapshot(at)",
      ])
    }
    return fixture
  }

  private static let edges = [
    DeletionEdge("snapshot", "event_id", to: "event", .delete),
    DeletionEdge("market", "snapshot_id", to: "snapshot", .delete),
  ]

  @Test(arguments: [true, false])
  func keepsAnEventWhoseSnapshotSomethingRefersTo(index: Bool) async throws {
    let fixture = try await events(index: index)
    let preview = try await fixture.preview([.old("snapshot"), .old("event")], edges: Self.edges)
    let run = try await fixture.run([.old("snapshot"), .old("event")], edges: Self.edges)
    #expect(run.counts == ["snapshot_deleted": 4, "market_deleted": 5, "event_deleted": 2])
    #expect(preview.counts == run.counts)
    #expect(preview.tables.map(\.keptReferenced) == run.tables.map(\.keptReferenced))
    // The event stays for what refers to the snapshot that would go along with it.
    #expect(preview.tables.first { $0.table == "event" }?.referencedBy == ["bet"])
    #expect(preview.tables.map(\.referencedBy) == run.tables.map(\.referencedBy))
    #expect(try await fixture.text("SELECT id FROM event") == "2 3")
    #expect(try await fixture.text("SELECT id FROM snapshot") == "20 31")
    #expect(try await fixture.text("SELECT id FROM market") == "200 310")
    #expect(run.errors.isEmpty)
    #expect(try await fixture.rows("PRAGMA foreign_key_check").isEmpty)
    let again = try await fixture.run([.old("snapshot"), .old("event")], edges: Self.edges)
    #expect(again.counts.values.allSatisfy { $0 == 0 })
  }

  @Test(arguments: [true, false])
  func countsWhatTwoRulesSelectOnce(index: Bool) async throws {
    let fixture = try await events(index: index)
    try await fixture.execute(["DELETE FROM bet"])
    let preview = try await fixture.preview([.old("event"), .old("snapshot")], edges: Self.edges)
    let run = try await fixture.run([.old("event"), .old("snapshot")], edges: Self.edges)
    #expect(run.counts == ["snapshot_deleted": 5, "market_deleted": 6, "event_deleted": 3])
    #expect(preview.counts == run.counts)
  }

  /// A table may refer twice: some of its rows go, others lose a reference, and each is counted by its own name.
  @Test func tellsRowsThatGoFromThoseOfTheSameTableThatStay() async throws {
    let fixture = try await PurgeFixture(
      "CREATE TABLE parent(id INTEGER PRIMARY KEY, at TEXT)",
      "CREATE TABLE child(id INTEGER PRIMARY KEY, a INTEGER REFERENCES parent ON DELETE CASCADE, "
        + "b INTEGER REFERENCES parent ON DELETE SET NULL)",
      "CREATE INDEX ix_a ON child(a)", "CREATE INDEX ix_b ON child(b)",
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) "
        + "INSERT INTO parent SELECT i, \(Self.old) FROM n", "INSERT INTO parent VALUES (1000, \(Self.young))",
      "INSERT INTO child SELECT id, 1000, id FROM parent WHERE id <= 200",
      "INSERT INTO child SELECT id + 200, id, NULL FROM parent WHERE id <= 150")
    let preview = try await fixture.preview([.old("parent")])
    let run = try await fixture.run([.old("parent")])
    #expect(run.counts == ["parent_deleted": 200, "child_deleted": 150, "child_unlinked": 200])
    #expect(preview.counts == run.counts)
    #expect(try await fixture.text("SELECT count(*) FROM child WHERE b IS NULL") == "200")
  }

  @Test func takesOnlyRowsThatNothingRefersToWhereTheRuleSaysSo() async throws {
    let fixture = try await PurgeFixture(
      "CREATE TABLE league(id INTEGER PRIMARY KEY)",
      "CREATE TABLE event(id INTEGER PRIMARY KEY, league_id INTEGER REFERENCES league(id), at TEXT)",
      "INSERT INTO league VALUES (1), (2), (3)",
      "INSERT INTO event VALUES (1, 1, \(Self.old)), (2, 2, \(Self.young)), (3, 2, \(Self.old))")
    let rules = [
      DeletionRule.old("event"),
      DeletionRule(name: "league", table: "league", condition: .always, selectsUnreferenced: true),
    ]
    let preview = try await fixture.preview(rules)
    let run = try await fixture.run(rules)
    #expect(run.counts == ["event_deleted": 2, "league_deleted": 2])
    #expect(preview.counts == run.counts)
    #expect(run.tables.allSatisfy { $0.keptReferenced == 0 })
    #expect(try await fixture.text("SELECT id FROM league") == "2")
  }

  @Test(arguments: [false, true])
  func followsReferencesOfSeveralColumnsAndNamesThatNeedQuotes(index: Bool) async throws {
    let fixture = try await PurgeFixture(
      #"CREATE TABLE "old ""things"(a INTEGER, b TEXT, "at" TEXT, PRIMARY KEY (a, b))"#,
      """
      CREATE TABLE "select"(id INTEGER PRIMARY KEY, "a col" INTEGER, b TEXT,
        FOREIGN KEY ("a col", b) REFERENCES "old ""things"(a, b) ON DELETE CASCADE)
      """,
      #"INSERT INTO "old ""things" VALUES (1, 'x', \#(Self.old)), (1, 'y', \#(Self.young)), (2, 'x', \#(Self.old))"#,
      #"INSERT INTO "select" VALUES (1, 1, 'x'), (2, 1, 'y'), (3, 2, 'x'), (4, 2, NULL), (5, NULL, 'x')"#)
    if index { try await fixture.execute([#"CREATE INDEX ix ON "select"("a col", b)"#]) }
    let rules = [DeletionRule.old("old \"things")]
    let preview = try await fixture.preview(rules)
    let run = try await fixture.run(rules)
    #expect(run.counts == ["old \"things_deleted": 2, "select_deleted": 2])
    #expect(preview.counts == run.counts)
    #expect(try await fixture.text(#"SELECT id FROM "select""#) == "2 4 5")
  }

  /// A large table without an index is read once; nothing looks into it for each row.
  @Test func takesOnePassOverALargeTableWithoutAnIndex() async throws {
    let fixture = try await events(index: false)
    try await fixture.execute([
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) "
        + "INSERT INTO bet SELECT i + 100, NULL FROM n"
    ])
    let run = try await fixture.run([.old("event")], edges: Self.edges)
    #expect(run.errors.isEmpty)
    #expect(run.counts == ["event_deleted": 2, "snapshot_deleted": 3, "market_deleted": 4])
    #expect(try await fixture.text("SELECT id FROM event") == "2 3")
  }

  @Test func findsTheRowsOfALargeTableWithoutAnIndexThatGoAlong() async throws {
    let fixture = try await PurgeFixture(
      "CREATE TABLE parent(id INTEGER PRIMARY KEY, at TEXT)",
      "CREATE TABLE child(id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parent ON DELETE CASCADE)",
      "INSERT INTO parent VALUES (1, \(Self.old)), (2, \(Self.young)), (3, \(Self.old))",
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000) "
        + "INSERT INTO child SELECT i, i % 3 + 1 FROM n")
    let run = try await fixture.run([.old("parent")])
    #expect(run.errors.isEmpty)
    #expect(run.counts == ["parent_deleted": 2, "child_deleted": 8000])
  }

  @Test func leavesDeclaredReferencesAsideThatTheSchemaHasNoColumnsFor() async throws {
    let fixture = try await PurgeFixture(
      "CREATE TABLE parent(id INTEGER PRIMARY KEY, at TEXT)", "CREATE TABLE child(id INTEGER PRIMARY KEY)",
      "INSERT INTO parent VALUES (1, \(Self.old))", "INSERT INTO child VALUES (1)")
    let edges = [
      DeletionEdge("child", "parent_id", to: "parent", .delete), DeletionEdge("none", "id", to: "parent", .delete),
      DeletionEdge("child", "id", to: "parent", column: "uuid", .delete),
      DeletionEdge("child", "id", to: "none", .hold),
    ]
    let run = try await fixture.run([.old("parent")], edges: edges)
    #expect(run.errors.isEmpty)
    #expect(run.counts == ["parent_deleted": 1])
    #expect(try await fixture.text("SELECT id FROM child") == "1")
  }

  @Test func printsTheIndexThatWouldHelp() async throws {
    let fixture = try await events(index: false)
    try await fixture.execute([
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
        + "INSERT INTO bet SELECT i + 100, NULL FROM n"
    ])
    let warnings = try await fixture.preview([.old("snapshot")], edges: Self.edges).warnings
    #expect(
      warnings == [
        "bet has no index on snapshot_id, by which it refers to snapshot; one pass over it is made instead: "
          + "CREATE INDEX ix_bet_snapshot_id ON bet (snapshot_id);"
      ])
  }

  @Test(arguments: [
    (
      "CREATE VIRTUAL TABLE t USING fts5(at)", "t", "unsupported_table",
      "table t: this is a virtual table, whose rows lie elsewhere; "
        + "name the table whose rows it shows, and let a trigger of that table keep it up to date"
    ),
    (
      "CREATE VIRTUAL TABLE t USING fts5(at)", "t_content", "unsupported_table",
      "table t_content: this is the inside of a virtual table; name the table whose rows are indexed there"
    ),
    (
      "CREATE VIEW t AS SELECT '2026-10-01' AS at", "t", "unsupported_table",
      "table t: this is a view; name the table that its rows lie in"
    ),
    (
      "CREATE TABLE t(rowid TEXT, _rowid_ TEXT, oid TEXT, at TEXT)", "t", "unsupported_table",
      "table t: its columns hide rowid, _rowid_ and oid, and it has no primary key without NULLs; "
        + "declare its primary key NOT NULL"
    ),
    (
      "CREATE TABLE u(id INTEGER)", "t", "missing_table",
      "table t: there is no such table in the database; check that the task's database is the right one"
    ),
  ])
  func refusesTablesItCannotPurge(schema: String, table: String, code: String, message: String) async throws {
    let fixture = try await PurgeFixture(schema)
    let error = await #expect(throws: TaskError.self) { _ = try await fixture.run([.old(table)]) }
    #expect(error?.code == code)
    #expect(error?.description == message)
  }
}
