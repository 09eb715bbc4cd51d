import DatabaseFixture
import Foundation
import Synchronization
import Testing
import UpkeepCore
import UpkeepDatabase

@testable import UpkeepPurge

/// What happens between and within batches.
struct BatchTests {
  private static func numbers(_ count: Int) -> String {
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(count)) "
  }

  private func parents(_ count: Int, young: Int = 0) async throws -> PurgeFixture {
    let fixture = try await PurgeFixture(
      "CREATE TABLE parent(id INTEGER PRIMARY KEY, at TEXT)", "CREATE INDEX ix_at ON parent(at)",
      "CREATE TABLE child(id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parent(id) ON DELETE CASCADE)",
      "CREATE INDEX ix_child ON child(parent_id)",
      Self.numbers(count) + "INSERT INTO parent SELECT i, '2026-10-01 00:00:00' FROM n",
      Self.numbers(count) + "INSERT INTO child SELECT i, i FROM n")
    if young > 0 {
      try await fixture.execute([
        Self.numbers(young) + "INSERT INTO parent SELECT \(count) + i, '2026-11-19 00:00:00' FROM n"
      ])
    }
    return fixture
  }

  /// The share of what the preview found, and never all of it: what comes after the last batch isn't done yet.
  @Test(arguments: [(400, 50.0), (200, 99.9), (100, 99.9), (0, 0)])
  func saysHowMuchOfWhatWasForeseenIsDone(foreseen: Int, percent: Double) async throws {
    let fixture = try await parents(100)
    let forecast = Forecast(counts: [:], tables: [TableResult(table: "parent", deleted: foreseen)])
    let context = fixture.context(.run, forecast: forecast)
    try await Purge.with(fixture.database, for: .deletion, in: context) { purge in
      try await purge.run(
        DeletionPlan([.old("parent")], graph: DeletionGraph(purge.catalogue, declared: [])), in: context)
    }
    #expect(context.journal.current.counts == ["parent_deleted": 100, "child_deleted": 100])
    #expect(context.journal.current.progress.percent == percent)
  }

  @Test func endsBetweenBatchesWhenCancelledAndCountsWhatItCommitted() async throws {
    let fixture = try await parents(20_000)
    let context = fixture.context(.run)
    let purge = Task {
      try await Purge.with(fixture.database, for: .deletion, in: context) { purge in
        try await purge.run(
          DeletionPlan([.old("parent")], graph: DeletionGraph(purge.catalogue, declared: [])), in: context)
      }
    }
    while (context.journal.current.counts["parent_deleted"] ?? 0) == 0 { await Task.yield() }
    purge.cancel()
    await #expect(throws: CancellationError.self) { try await purge.value }
    let counted = context.journal.current.counts
    let left = try await fixture.rows("SELECT (SELECT count(*) FROM parent), (SELECT count(*) FROM child)")[0]
    #expect(
      left == [
        .integer(20_000 - Int64(counted["parent_deleted"] ?? 0)),
        .integer(20_000 - Int64(counted["child_deleted"] ?? 0)),
      ])
    #expect((counted["parent_deleted"] ?? 0) < 20_000)
    _ = try await fixture.run([.old("parent")])
    #expect(try await fixture.text("SELECT count(*) FROM parent") == "0")
  }

  @Test(arguments: [1, 30_000])
  func findsTheSameRowsWhetherTheyLieTogetherOrFarApart(spacing: Int) async throws {
    let fixture = try await PurgeFixture(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, at TEXT)", "CREATE INDEX ix_at ON t(at)",
      Self.numbers(300)
        + "INSERT INTO t SELECT i * \(spacing), CASE i % 3 WHEN 0 THEN '2026-11-19' ELSE '2026-10-01' END FROM n")
    let run = try await fixture.run([.old("t")])
    #expect(run.counts == ["t_deleted": 200])
    #expect(try await fixture.text("SELECT count(*) FROM t WHERE at > '2026-11-01'") == "100")
  }

  /// Between the listing of rows and their batch the application goes on: it may refer to a listed row, or change it.
  @Test(arguments: [true, false])
  func looksAgainWithinTheTransaction(index: Bool) async throws {
    let fixture = try await PurgeFixture(
      "CREATE TABLE event(id INTEGER PRIMARY KEY, at TEXT)",
      "CREATE TABLE snapshot(id INTEGER PRIMARY KEY, event_id INTEGER)",
      "CREATE TABLE market(id INTEGER PRIMARY KEY, snapshot_id INTEGER)",
      "CREATE TABLE bet(id INTEGER PRIMARY KEY, event_id INTEGER REFERENCES event(id), snapshot_id INTEGER REFERENCES snapshot(id))",
      "INSERT INTO event VALUES (1, '2026-10-01'), (2, '2026-10-01'), (3, '2026-10-01'), (4, '2026-10-01'), (5, '2026-10-01')",
      "INSERT INTO snapshot VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)",
      "INSERT INTO market VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)")
    if index {
      try await fixture.execute([
        "CREATE INDEX i1 ON snapshot(event_id)", "CREATE INDEX i2 ON market(snapshot_id)",
        "CREATE INDEX i3 ON bet(snapshot_id)", "CREATE INDEX i4 ON bet(event_id)",
      ])
    }
    let edges = [
      DeletionEdge("snapshot", "event_id", to: "event", .delete),
      DeletionEdge("market", "snapshot_id", to: "snapshot", .delete),
    ]
    let context = fixture.context(.run)
    try await Purge.with(fixture.database, for: .deletion, in: context) { purge in
      let graph = DeletionGraph(purge.catalogue, declared: edges)
      let plan = try DeletionPlan([.old("event")], graph: graph)
      let root = plan.steps[0].root
      let listing = try await purge.session.transaction(.read) { connection in
        var none = DoomedRows()
        return try root.makeLists(on: connection, graph: graph, doomed: &none)
      }
      try await fixture.execute([
        "INSERT INTO bet VALUES (1, 1, NULL), (2, NULL, 2)", "UPDATE event SET at = '2026-11-19' WHERE id = 3",
        "INSERT INTO snapshot VALUES (44, 4)", "INSERT INTO market VALUES (55, 5)",
      ])
      try await purge.session.transaction(.write) { connection in
        if !index { try connection.execute("PRAGMA foreign_keys = OFF") }
        let child = try ListedBatches(
          root.children[0], ancestors: [root], graph: graph, listing: listing, on: connection)
        _ = try child?.delete(after: 0, through: 100, on: connection)
        let parent = try ListedBatches(root, ancestors: [], graph: graph, listing: listing, on: connection)
        _ = try parent?.delete(after: 0, through: 100, on: connection)
      }
    }
    // 1 is referred to itself, 2 by its snapshot, 3 isn't old any more, 4 has a new snapshot; 5 goes with its new market.
    #expect(try await fixture.text("SELECT id FROM event") == "1 2 3 4")
    #expect(try await fixture.text("SELECT id FROM snapshot") == "2 3 44")
    #expect(try await fixture.text("SELECT id FROM market") == "2 3")
    #expect(try await fixture.rows("PRAGMA foreign_key_check").isEmpty)
  }

  /// The rows at both ends of a batch are looked at again, too: what changed, what is held by now, what came to belong to
  /// them.
  @Test(arguments: [true, false])
  func looksAgainAtTheFirstAndTheLastRowOfABatch(index: Bool) async throws {
    let fixture = try await PurgeFixture(
      "CREATE TABLE event(id INTEGER PRIMARY KEY, at TEXT)",
      "CREATE TABLE market(id INTEGER PRIMARY KEY, event_id INTEGER)",
      "CREATE TABLE bet(id INTEGER PRIMARY KEY, event_id INTEGER REFERENCES event(id))",
      Self.numbers(6) + "INSERT INTO event SELECT i, '2026-10-01' FROM n", "INSERT INTO market SELECT id, id FROM event"
    )
    if index {
      try await fixture.execute(["CREATE INDEX i1 ON market(event_id)", "CREATE INDEX i2 ON bet(event_id)"])
    }
    let edges = [DeletionEdge("market", "event_id", to: "event", .delete)]
    let outcomes = try await Purge.with(fixture.database, for: .deletion, in: fixture.context(.run)) { purge in
      let graph = DeletionGraph(purge.catalogue, declared: edges)
      let root = try DeletionPlan([.old("event")], graph: graph).steps[0].root
      let batches = try await purge.session.transaction(.scratch) { connection in
        var none = DoomedRows()
        let listing = try root.makeLists(on: connection, graph: graph, doomed: &none)
        return try #require(
          try ListedBatches(root, ancestors: [], graph: graph, listing: listing, on: connection))
      }
      try await fixture.execute([
        "INSERT INTO market VALUES (11, 1), (12, 2)", "UPDATE event SET at = '2026-11-19' WHERE id IN (3, 4)",
        "INSERT INTO bet VALUES (1, 5), (2, 6)",
      ])
      let parts = try await purge.read { try batches.parts(after: 0, rows: 5, each: 2, on: $0) }
      #expect(parts.map(\.last) == [2, 4, 5])
      var outcomes: [BatchOutcome] = []
      for last in [Int64(2), 4, 6] {
        outcomes.append(try await purge.record { try batches.delete(after: last - 2, through: last, on: $0) })
      }
      return outcomes
    }
    #expect(outcomes.map(\.deleted) == [6, 0, 0])
    #expect(outcomes.map(\.held) == [0, 0, 2])
    #expect(try await fixture.text("SELECT id FROM event") == "3 4 5 6")
    #expect(try await fixture.text("SELECT id FROM market") == "3 4 5 6")
  }

  @Test func previewLeavesFileAndLogAsTheyAre() async throws {
    let fixture = try await parents(500, young: 100)
    let writer = try await fixture.database.open(.write(.normal), purpose: "application")
    try await writer.perform { connection in
      _ = try connection.rows("PRAGMA wal_autocheckpoint = 0")
      try connection.execute("INSERT INTO parent VALUES (100000, '2026-10-01')")
    }
    func bytes() throws -> [Data] {
      try ["", "-wal"].map { try Data(contentsOf: URL(fileURLWithPath: fixture.database.path + $0)) }
    }
    let before = try bytes()
    #expect(before[1].count > 0)
    #expect(try await fixture.preview([.old("parent")]).counts == ["parent_deleted": 501, "child_deleted": 500])
    #expect(try bytes() == before)
    await writer.close()
  }

  @Test func reportsTheOldestAndTheNewestRowThatWent() async throws {
    let fixture = try await PurgeFixture(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, at TEXT)",
      "INSERT INTO t VALUES (1, '2026-10-02'), (2, '2026-10-01T00:00:00Z'), (3, '2026-11-06 11:00:00'), (4, '2026-11-19')"
    )
    for result in [try await fixture.preview([.old("t")]), try await fixture.run([.old("t")])] {
      #expect(result.tables[0].oldest?.rfc3339 == "2026-10-01T00:00:00.000Z")
      #expect(result.tables[0].newest?.rfc3339 == "2026-11-06T11:00:00.000Z")
    }
  }

  @Test func saysWhichStepFailedAndGoesOnWithTheOthers() async throws {
    let fixture = try await parents(10)
    try await fixture.execute([
      "CREATE TABLE other(id INTEGER PRIMARY KEY, at TEXT)", "INSERT INTO other VALUES (1, '2026-10-01')",
      "CREATE TRIGGER t BEFORE DELETE ON parent BEGIN SELECT RAISE(ABORT, 'not today'); END",
    ])
    let run = try await fixture.run([.old("parent"), .old("other")])
    #expect(run.errors.map(\.step) == ["parent"])
    #expect(run.errors.first?.message.contains("not today") == true)
    #expect(run.counts == ["parent_deleted": 0, "child_deleted": 0, "other_deleted": 1])
    #expect(try await fixture.text("SELECT count(*) FROM child") == "10")
  }
}
