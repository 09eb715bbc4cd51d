import DatabaseFixture
import Testing
import UpkeepCore
import UpkeepDatabase

@testable import UpkeepPurge

/// What changes between two batches of one run, here by a trigger: the later batches see it, and it is counted.
struct BetweenBatchesTests {
  /// Three hundred old events with a bet table that refers to them. With the first event a bet comes for 300, an
  /// exception for 299, and 298 becomes young.
  private func fixture(index: Bool, more: String...) async throws -> PurgeFixture {
    let fixture = try await PurgeFixture(
      "CREATE TABLE event(id INTEGER PRIMARY KEY, at TEXT)",
      "CREATE TABLE bet(id INTEGER PRIMARY KEY, event_id INTEGER REFERENCES event(id))",
      "CREATE TABLE hint(event_id INTEGER)",
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
        + "INSERT INTO event SELECT i, '2026-10-01' FROM n",
      "CREATE TRIGGER change AFTER DELETE ON event WHEN OLD.id = 1 BEGIN INSERT INTO bet VALUES (1, 300); "
        + "INSERT INTO hint VALUES (299); UPDATE event SET at = '2026-11-19' WHERE id = 298; END")
    if index { try await fixture.execute(["CREATE INDEX ix_bet ON bet(event_id)"]) }
    try await fixture.execute(more)
    return fixture
  }

  private static let exceptions = [
    RowException(table: "event", rows: .matching("id IN (SELECT event_id FROM hint)"))
  ]

  @Test(arguments: [true, false])
  func keepsAndCountsWhatMustStayByThen(index: Bool) async throws {
    let fixture = try await fixture(index: index)
    let run = try await fixture.run([.old("event")], except: Self.exceptions)
    #expect(run.errors.isEmpty)
    #expect(run.counts == ["event_deleted": 297])
    #expect(run.tables.map(\.keptReferenced) == [1])
    #expect(run.tables.map(\.keptExcepted) == [1])
    #expect(try await fixture.text("SELECT id FROM event") == "298 299 300")
    #expect(try await fixture.rows("PRAGMA foreign_key_check").isEmpty)
  }

  /// All that the first batch leaves is excepted by then, so that no batch after it may take a row: not its first one, and
  /// not its last.
  @Test(arguments: [true, false])
  func keepsTheRowsAtBothEndsOfEachBatch(index: Bool) async throws {
    let last = BatchGovernor.first
    let fixture = try await fixture(
      index: index,
      more: "CREATE TRIGGER hold AFTER DELETE ON event WHEN OLD.id = 1 BEGIN "
        + "INSERT INTO hint SELECT id FROM event WHERE id > \(last); END")
    let run = try await fixture.run([.old("event")], except: Self.exceptions)
    #expect(run.errors.isEmpty)
    #expect(run.counts == ["event_deleted": last])
    let left = (last + 1...300).map(String.init).joined(separator: " ")
    #expect(try await fixture.text("SELECT id FROM event") == left)
  }

  /// What belongs to the events goes first, in batches of its own, and keeps its event where it must stay by then.
  @Test(arguments: [true, false])
  func keepsAndCountsTheRowThatOthersBelongTo(index: Bool) async throws {
    let fixture = try await fixture(
      index: index, more: "CREATE TABLE snapshot(id INTEGER PRIMARY KEY, event_id INTEGER)",
      "CREATE TABLE market(id INTEGER PRIMARY KEY, snapshot_id INTEGER)",
      "INSERT INTO snapshot SELECT id * 2 - 1, id FROM event UNION ALL SELECT id * 2, id FROM event",
      "INSERT INTO market SELECT id, id FROM snapshot",
      "CREATE TRIGGER early AFTER DELETE ON snapshot WHEN OLD.id = 1 BEGIN INSERT INTO hint VALUES (297); END")
    if index {
      try await fixture.execute([
        "CREATE INDEX ix_snapshot ON snapshot(event_id)", "CREATE INDEX ix_market ON market(snapshot_id)",
      ])
    }
    let edges = [
      DeletionEdge("snapshot", "event_id", to: "event", .delete),
      DeletionEdge("market", "snapshot_id", to: "snapshot", .delete),
    ]
    let run = try await fixture.run([.old("event")], edges: edges, except: Self.exceptions)
    #expect(run.errors.isEmpty)
    // The snapshots of 298 to 300 went before anything spoke for those events; 297 keeps its own.
    #expect(run.counts == ["event_deleted": 296, "snapshot_deleted": 598, "market_deleted": 598])
    #expect(run.tables.first { $0.table == "event" }?.keptExcepted == 2)
    #expect(run.tables.first { $0.table == "event" }?.keptReferenced == 1)
    #expect(try await fixture.text("SELECT id FROM event") == "297 298 299 300")
    #expect(try await fixture.text("SELECT id FROM snapshot") == "593 594")
    #expect(try await fixture.text("SELECT snapshot_id FROM market") == "593 594")
  }

  /// The events refer to each other: each goes before the one it came from.
  @Test func keepsAndCountsItWhereRowsReferToTheirOwnTable() async throws {
    let fixture = try await fixture(
      index: true, more: "ALTER TABLE event ADD COLUMN up INTEGER REFERENCES event(id)",
      "UPDATE event SET up = id + 1 WHERE id IN (1, 2, 296)", "CREATE INDEX ix_up ON event(up)")
    let run = try await fixture.run([.old("event")], except: Self.exceptions)
    #expect(run.errors.isEmpty)
    #expect(run.counts["event_deleted"] == 297)
    #expect(run.tables.first { $0.table == "event" }?.keptReferenced == 1)
    #expect(run.tables.first { $0.table == "event" }?.keptExcepted == 1)
    #expect(try await fixture.text("SELECT id FROM event") == "298 299 300")
  }

  /// Where the plan checks references itself the database doesn't meanwhile; it does again for whatever comes after.
  @Test(arguments: ["", "ALTER TABLE event ADD COLUMN up INTEGER REFERENCES event(id)"], [true, false])
  func leavesForeignKeysEnforced(column: String, fails: Bool) async throws {
    let fixture = try await fixture(index: false, more: column)
    if fails {
      try await fixture.execute([
        "CREATE TRIGGER refuse BEFORE DELETE ON event WHEN OLD.id = 200 BEGIN SELECT RAISE(ABORT, 'not this'); END"
      ])
    }
    let context = fixture.context(.run)
    let isEnforced = try await Purge.with(fixture.database, for: .deletion, in: context) { purge in
      let graph = DeletionGraph(purge.catalogue, declared: [])
      try await purge.run(DeletionPlan([.old("event")], graph: graph), in: context)
      return try await purge.session.perform { try $0.integer("PRAGMA foreign_keys") }
    }
    #expect(isEnforced == 1)
    #expect(context.journal.current.errors.isEmpty == !fails)
  }
}
