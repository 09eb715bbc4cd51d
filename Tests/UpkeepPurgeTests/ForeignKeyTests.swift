import DatabaseFixture
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepTestKit

@testable import UpkeepPurge

/// Where foreign keys have nothing to say SQLite isn't let work for them; where they have, or may have, they are enforced.
struct ForeignKeyTests {
  /// Two hundred old rows, each with one that belongs to it.
  private func fixture(_ more: String...) async throws -> PurgeFixture {
    let fixture = try await PurgeFixture(
      "CREATE TABLE event(id INTEGER PRIMARY KEY)",
      "CREATE TABLE snapshot(id INTEGER PRIMARY KEY, at TEXT, event_id INTEGER REFERENCES event(id))",
      "CREATE TABLE market(id INTEGER PRIMARY KEY, snapshot_id INTEGER)",
      "CREATE INDEX ix_market ON market(snapshot_id)", "INSERT INTO event VALUES (1)",
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) "
        + "INSERT INTO snapshot SELECT i, '2026-10-01', 1 FROM n",
      "INSERT INTO market SELECT id, id FROM snapshot")
    try await fixture.execute(more)
    return fixture
  }

  private static let edges = [DeletionEdge("market", "snapshot_id", to: "snapshot", .delete)]

  private func purge<Value: Sendable>(
    _ fixture: PurgeFixture, _ context: TaskContext, _ body: (Purge, DeletionPlan) async throws -> Value
  ) async throws -> Value {
    try await Purge.with(fixture.database, for: .deletion, in: context) { purge in
      let graph = DeletionGraph(purge.catalogue, declared: Self.edges)
      return try await body(purge, DeletionPlan([.old("snapshot")], graph: graph))
    }
  }

  @Test(arguments: [
    ("", false), ("CREATE TABLE note(id INTEGER, event_id INTEGER REFERENCES event(id))", false),
    ("CREATE TRIGGER told AFTER DELETE ON event BEGIN SELECT 1; END", false),
    ("CREATE TABLE note(id INTEGER, snapshot_id INTEGER REFERENCES Snapshot(id))", true),
    ("CREATE TABLE note(id INTEGER, market_id INTEGER REFERENCES market(id))", true),
    ("CREATE TRIGGER told AFTER DELETE ON Snapshot BEGIN SELECT 1; END", true),
    ("CREATE TRIGGER told BEFORE DELETE ON market BEGIN SELECT 1; END", true),
  ])
  func areEnforcedWhereTheyHaveSomethingToSay(schema: String, enforced: Bool) async throws {
    let fixture = try await fixture(schema)
    let context = fixture.context(.run)
    let found = try await purge(fixture, context) { purge, plan in
      var walk = BatchWalk(purge: purge, context: context)
      try await walk.relaxForeignKeys(for: plan.steps[0])
      return try await purge.session.perform { try $0.integer("PRAGMA foreign_keys") }
    }
    #expect(found == (enforced ? 1 : 0))
  }

  /// The application makes a table that refers to the rows when the run has read the schema already: none of them is taken
  /// from under its reference.
  @Test(arguments: [1, 150])
  func areEnforcedAgainWhenTheSchemaChanges(referred: Int) async throws {
    let fixture = try await fixture()
    let context = fixture.context(.run)
    try await purge(fixture, context) { purge, plan in
      try await fixture.execute([
        "CREATE TABLE note(id INTEGER PRIMARY KEY, snapshot_id INTEGER REFERENCES snapshot(id))",
        "INSERT INTO note VALUES (1, \(referred))",
      ])
      try await purge.run(plan, in: context)
    }
    #expect(try await fixture.rows("PRAGMA foreign_key_check").isEmpty)
    #expect(try await fixture.text("SELECT count(*) FROM snapshot WHERE id = \(referred)") == "1")
    let result = context.journal.current
    #expect(result.errors.map(\.step) == ["snapshot"])
    let left = try await fixture.text("SELECT count(*) FROM snapshot")
    #expect(left == "\(200 - result.counts["snapshot_deleted", default: 0])")
    #expect(try await fixture.text("SELECT count(*) FROM market") == left)
  }

  /// A cancelled run writes its bookkeeping afterwards, on the same connection.
  @Test func areEnforcedAgainWhenTheRunIsCancelled() async throws {
    let fixture = try await fixture()
    let clock = HookClock { withUnsafeCurrentTask { $0?.cancel() } }
    let context = TaskContext.test(mode: .run, now: PurgeFixture.now, clock: clock)
    let found = try await Task {
      try await purge(fixture, context) { purge, plan in
        await #expect(throws: CancellationError.self) { try await purge.run(plan, in: context) }
        return try await purge.record { try $0.integer("PRAGMA foreign_keys") }
      }
    }.value
    #expect(found == 1)
    #expect(context.journal.current.counts["snapshot_deleted"] == 50)
  }

  /// A change of the schema that has nothing to do with the rows costs nothing but the relaxation.
  @Test func goOnWhenTheSchemaChangesElsewhere() async throws {
    let fixture = try await fixture()
    let context = fixture.context(.run)
    try await purge(fixture, context) { purge, plan in
      try await fixture.execute(["CREATE TABLE other(id INTEGER)"])
      try await purge.run(plan, in: context)
    }
    #expect(context.journal.current.errors.isEmpty)
    #expect(context.journal.current.counts == ["snapshot_deleted": 200, "market_deleted": 200])
    #expect(try await fixture.text("SELECT count(*) FROM market") == "0")
  }
}
