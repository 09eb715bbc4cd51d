import DatabaseFixture
import Foundation
import Testing
import UpkeepCore
import UpkeepDatabase

@testable import UpkeepPurge

/// Tables that refer to themselves, in a ring, or by several ways to one.
struct MeshTests {
  private static func numbers(_ count: Int) -> String {
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(count)) "
  }

  /// A row for each number, each the child of the one before.
  private func chain(_ count: Int, _ action: String, at: String = "'2026-10-01'", more: String...) async throws
    -> PurgeFixture
  {
    let fixture = try await PurgeFixture()
    try await fixture.execute(
      [
        "CREATE TABLE node(id INTEGER PRIMARY KEY, at TEXT, up INTEGER REFERENCES node(id) ON DELETE \(action))",
        "CREATE INDEX ix_up ON node(up)",
        Self.numbers(count) + "INSERT INTO node SELECT i, \(at), nullif(i - 1, 0) FROM n",
      ] + more)
    return fixture
  }

  @Test(arguments: ["CASCADE", "NO ACTION", "RESTRICT", "SET NULL"])
  func deletesAChain(action: String) async throws {
    let fixture = try await chain(1000, action)
    let preview = try await fixture.preview([.old("node")])
    let run = try await fixture.run([.old("node")])
    #expect(run.errors.isEmpty)
    #expect(run.counts["node_deleted"] == 1000)
    #expect(run.counts["node_unlinked"] ?? 0 == 0)
    #expect(preview.counts == run.counts)
    #expect(try await fixture.text("SELECT count(*) FROM node") == "0")
  }

  @Test func keepsTheAncestorsOfARowThatStays() async throws {
    let fixture = try await chain(
      5, "NO ACTION", more: "UPDATE node SET at = '2026-11-19' WHERE id = 3",
      "INSERT INTO node VALUES (6, '2026-10-01', 2), (7, '2026-10-01', 6), (8, '2026-10-01', NULL)")
    let preview = try await fixture.preview([.old("node")])
    let run = try await fixture.run([.old("node")])
    #expect(run.counts == ["node_deleted": 5])
    #expect(preview.counts == run.counts)
    #expect(run.tables.first?.keptReferenced == 2)
    #expect(preview.tables.first?.keptReferenced == 2)
    for tables in [preview.tables, run.tables] { #expect(tables.first?.referencedBy == ["node"]) }
    #expect(try await fixture.text("SELECT id FROM node") == "1 2 3")
    #expect(try await fixture.run([.old("node")]).counts == ["node_deleted": 0])
  }

  @Test func takesYoungDescendantsAlongWhereTheSchemaSaysSo() async throws {
    let fixture = try await chain(5, "CASCADE", more: "UPDATE node SET at = '2026-11-19' WHERE id <> 2")
    let run = try await fixture.run([.old("node")])
    #expect(run.counts == ["node_deleted": 4])
    #expect(try await fixture.text("SELECT id FROM node") == "1")
  }

  @Test func keepsTheAncestorsOfAnExceptedDescendant() async throws {
    let fixture = try await chain(6, "CASCADE", more: "INSERT INTO node VALUES (7, '2026-10-01', 2)")
    let exceptions = [RowException(table: "node", rows: .keys([.integer(5)]))]
    let preview = try await fixture.preview([.old("node")], except: exceptions)
    let run = try await fixture.run([.old("node")], except: exceptions)
    #expect(run.counts == ["node_deleted": 2])
    #expect(preview.counts == run.counts)
    #expect(run.tables.first?.keptExcepted == 5)
    #expect(preview.tables.first?.keptExcepted == 5)
    #expect(try await fixture.text("SELECT id FROM node") == "1 2 3 4 5")
  }

  /// A hundred thousand rows, each of which goes only since the one before goes.
  @Test(arguments: [true, false])
  func goesDownADeepChain(isYoung: Bool) async throws {
    let isSoak = ProcessInfo.processInfo.environment["UPKEEP_SOAK"] == "1"
    let count = isSoak || !isYoung ? 100_000 : 10_000
    let fixture = try await chain(
      count, "CASCADE", at: isYoung ? "CASE i WHEN 1 THEN '2026-10-01' ELSE '2026-11-19' END" : "'2026-10-01'")
    let run = try await fixture.run([.old("node")])
    #expect(run.counts == ["node_deleted": count])
    #expect(run.errors.isEmpty)
  }

  private func ring(_ action: String, deferred: Bool = false) async throws -> PurgeFixture {
    let clause = "ON DELETE \(action)\(deferred ? " DEFERRABLE INITIALLY DEFERRED" : "")"
    return try await PurgeFixture(
      "PRAGMA foreign_keys = OFF",
      "CREATE TABLE a(id INTEGER PRIMARY KEY, at TEXT, b INTEGER NOT NULL REFERENCES b(id) \(clause))",
      "CREATE TABLE b(id INTEGER PRIMARY KEY, c TEXT NOT NULL REFERENCES c(name) \(clause))",
      "CREATE TABLE c(name TEXT PRIMARY KEY, a INTEGER NOT NULL REFERENCES a(id) \(clause)) WITHOUT ROWID",
      "CREATE INDEX i1 ON a(b)", "CREATE INDEX i2 ON b(c)", "CREATE INDEX i3 ON c(a)",
      "INSERT INTO a VALUES (1, '2026-10-01', 1), (2, '2026-10-01', 2), (3, '2026-11-19', 3), (4, '2026-10-01', 3)",
      "INSERT INTO b VALUES (1, 'x'), (2, 'y'), (3, 'z')", "INSERT INTO c VALUES ('x', 1), ('y', 2), ('z', 3)")
  }

  @Test(arguments: [true, false])
  func deletesARingOfTablesInOneTransaction(deferred: Bool) async throws {
    let fixture = try await ring("CASCADE", deferred: deferred)
    let preview = try await fixture.preview([.old("a")])
    let run = try await fixture.run([.old("a")])
    #expect(run.errors.isEmpty)
    #expect(run.counts == ["a_deleted": 3, "b_deleted": 2, "c_deleted": 2])
    #expect(preview.counts == run.counts)
    #expect(try await fixture.text("SELECT id FROM a UNION ALL SELECT id FROM b") == "3 3")
    #expect(try await fixture.rows("PRAGMA foreign_key_check").isEmpty)
  }

  @Test func deletesARingWholeEvenBeyondItsBudget() async throws {
    let fixture = try await ring("CASCADE")
    let context = fixture.context(.run, limits: RunLimits(maxRows: 1))
    try await Purge.with(fixture.database, for: .deletion, in: context) { purge in
      let graph = DeletionGraph(purge.catalogue, declared: [])
      try await purge.run(DeletionPlan([.old("a")], graph: graph), in: context)
    }
    #expect([1, 3].contains(context.journal.current.counts.values.reduce(0, +)))
    #expect(try await fixture.rows("PRAGMA foreign_key_check").isEmpty)
  }

  /// Between the listing of rows and their batch the application goes on.
  /// One row a batch shows what a batch leaves in the next; all in one batch, that a row which stays keeps those that it
  /// belongs to within the batch.
  @Test(
    arguments: [
      ("UPDATE node SET at = '2026-11-19' WHERE id = 1", "1 2 3 4 9"),
      ("UPDATE node SET up = 9 WHERE id = 3", "3 4 9"),
      ("UPDATE node SET up = NULL WHERE id = 4", "4 9"),
      ("INSERT INTO node VALUES (10, '2026-11-19', 3)", "1 2 3 9 10"),
      ("INSERT INTO bet VALUES (1, 2)", "1 2 9"),
      ("INSERT INTO bet VALUES (1, 4)", "1 2 3 4 9"),
      ("UPDATE node SET at = '2026-11-19' WHERE id = 8", "8 9"),
      ("DELETE FROM node WHERE id = 4", "9"),
      ("UPDATE node SET kept = 1 WHERE id = 3", "1 2 3 9"),
      ("INSERT INTO note VALUES (1, 2, 1)", "1 2 9"),
    ], [1, 100])
  func looksAgainWithinTheTransaction(_ change: (sql: String, left: String), rows: Int) async throws {
    let fixture = try await PurgeFixture(
      """
      CREATE TABLE node(id INTEGER PRIMARY KEY, at TEXT, up INTEGER REFERENCES node(id) ON DELETE CASCADE,
        kept INTEGER DEFAULT 0)
      """,
      "CREATE INDEX ix_up ON node(up)", "CREATE TABLE bet(id INTEGER PRIMARY KEY, node INTEGER REFERENCES node(id))",
      "CREATE INDEX ix_node ON bet(node)",
      "CREATE TABLE note(id INTEGER PRIMARY KEY, node INTEGER REFERENCES node(id) ON DELETE SET NULL, kept INTEGER)",
      "INSERT INTO node(id, at, up) VALUES (1, '2026-10-01', NULL), (2, '2026-11-19', 1), (3, '2026-11-19', 2), (4, '2026-11-19', 3)",
      "INSERT INTO node(id, at, up) VALUES (8, '2026-10-01', NULL), (9, '2026-11-19', NULL)")
    let fixtureChange = change.sql.replacing("INSERT INTO node VALUES", with: "INSERT INTO node(id, at, up) VALUES")
    let exceptions = ["node", "note"].map { RowException(table: $0, rows: .matching("kept = 1")) }
    let context = fixture.context(.run, exceptions: exceptions)
    try await Purge.with(fixture.database, for: .deletion, in: context) { purge in
      let graph = DeletionGraph(purge.catalogue, declared: [])
      let plan = try DeletionPlan([.old("node")], graph: graph, exceptions: exceptions)
      let mesh = try #require(plan.steps[0].mesh)
      let batches = try await purge.session.transaction(.read) { connection in
        var none = DoomedRows()
        _ = try mesh.makeLists(on: connection, graph: graph, doomed: &none)
        return try MeshBatches(mesh, graph: graph, enforces: false, on: connection)
      }
      try await fixture.execute([fixtureChange])
      try await purge.session.perform { _ = try $0.execute("PRAGMA foreign_keys = OFF") }
      var cursor = batches.start
      while let next = try await purge.session.perform({ [cursor] in
        try batches.parts(after: cursor, rows: rows, each: rows, on: $0).first
      }
      ) {
        _ = try await purge.session.transaction(.write) { [cursor] in
          try batches.delete(after: cursor, through: next.last, on: $0)
        }
        cursor = next.last
      }
    }
    #expect(try await fixture.text("SELECT id FROM node ORDER BY id") == change.left)
    #expect(try await fixture.rows("PRAGMA foreign_key_check").isEmpty)
  }

  @Test func refusesALargeTableWithoutTheIndexThatItsReferenceNeeds() async throws {
    let fixture = try await PurgeFixture(
      "CREATE TABLE node(id INTEGER PRIMARY KEY, at TEXT, up INTEGER REFERENCES node(id))",
      Self.numbers(10_000) + "INSERT INTO node SELECT i, '2026-10-01', nullif(i - 1, 0) FROM n")
    for result in [try await fixture.preview([.old("node")]), try await fixture.run([.old("node")])] {
      #expect(result.errors.map(\.code) == ["missing_index"])
      #expect(
        result.errors.first?.message
          == "table node: up, by which it refers to node, has no index: SQLite would read all of it for each batch; "
          + "create one: CREATE INDEX ix_node_up ON node (up);")
    }
    #expect(try await fixture.text("SELECT count(*) FROM node") == "10000")
    try await fixture.execute(["DELETE FROM node WHERE id = 10000"])
    #expect(try await fixture.run([.old("node")]).counts == ["node_deleted": 9999])
  }
}
