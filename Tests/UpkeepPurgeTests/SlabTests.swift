import DatabaseFixture
import Testing
import UpkeepCore
import UpkeepDatabase

@testable import UpkeepPurge

/// Tables whose rows follow each other in another order than in an index: they are deleted in slabs.
struct SlabTests {
  private static let edges = [DeletionEdge("child", "parent_id", to: "parent", .delete)]
  private static let (parents, old) = (60_000, 52_000)

  /// Old parents and, behind them, young ones, with two children each. Among the old ones, 1000 is as old as the cutoff to
  /// the microsecond, 1001 a microsecond older, and 30,000 is young.
  private func fixture(isScattered: Bool = true) async throws -> PurgeFixture {
    let event = isScattered ? "i * 7919 % 1999" : "i / 60"
    return try await PurgeFixture(
      "CREATE TABLE parent(id INTEGER PRIMARY KEY, at TEXT, event INTEGER)",
      "CREATE INDEX ix_at ON parent(at)", "CREATE INDEX ix_event ON parent(event)",
      "CREATE INDEX ix_both ON parent(event, at)",
      "CREATE TABLE child(id INTEGER PRIMARY KEY, parent_id INTEGER)", "CREATE INDEX ix_child ON child(parent_id)",
      """
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(Self.parents))
      INSERT INTO parent SELECT i, CASE WHEN i <= \(Self.old) THEN '2026-10-01' ELSE '2026-11-19' END, \(event) FROM n
      """,
      "UPDATE parent SET at = '2026-11-06 12:00:00' WHERE id = 1000",
      "UPDATE parent SET at = '2026-11-06 11:59:59.999999' WHERE id = 1001",
      "UPDATE parent SET at = '2026-11-19' WHERE id = 30000",
      "INSERT INTO child SELECT id * 2, id FROM parent", "INSERT INTO child SELECT id * 2 + 1, id FROM parent")
  }

  private func parts(_ purge: Purge) throws -> (pass: DeletionPass, condition: RowCondition, graph: DeletionGraph) {
    let graph = DeletionGraph(purge.catalogue, declared: Self.edges)
    let pass = try DeletionPlan([.old("parent")], graph: graph).steps[0].root
    guard case .condition(let condition) = pass.selection else { throw CancellationError() }
    return (pass, condition, graph)
  }

  private func survivors(_ fixture: PurgeFixture) async throws -> [String] {
    [
      try await fixture.text("SELECT group_concat(id) FROM parent WHERE id <= \(Self.old)"),
      try await fixture.text("SELECT count(*) FROM parent WHERE id > \(Self.old)"),
      try await fixture.text("SELECT group_concat(id) FROM child WHERE parent_id <= \(Self.old)"),
      try await fixture.text("SELECT count(*) FROM child WHERE parent_id > \(Self.old)"),
      try await fixture.text("SELECT count(*) FROM child WHERE parent_id NOT IN (SELECT id FROM parent)"),
      try await fixture.text("PRAGMA integrity_check"),
    ]
  }

  private static let rightSurvivors = ["1000,30000", "8000", "2000,2001,60000,60001", "16000", "0", "ok"]

  @Test(arguments: [true, false])
  func tellsTablesWhoseIndexesLieApart(isScattered: Bool) async throws {
    let fixture = try await fixture(isScattered: isScattered)
    #expect(try await order(in: fixture)?.first == (isScattered ? "event" : nil))
  }

  private func order(in fixture: PurgeFixture) async throws -> [String]? {
    try await Purge.with(fixture.database, for: .deletion, in: fixture.context(.run)) { purge in
      let (pass, condition, _) = try parts(purge)
      return try await purge.read { connection in
        try RowExtent(pass, condition, on: connection).flatMap {
          try ScatteredIndex(pass, condition, extent: $0, on: connection)?.columns
        }
      }
    }
  }

  /// As in a job queue: a random key lies as far apart as any time, but in the order of one time the other times follow.
  @Test func takesTheOrderThatKeepsMostIndexesTogether() async throws {
    let fixture = try await PurgeFixture(
      """
      CREATE TABLE parent(key TEXT PRIMARY KEY, at TEXT, begun TEXT, changed TEXT, kind TEXT)
      """,
      "CREATE INDEX ix_kind ON parent(kind)", "CREATE INDEX ix_at ON parent(at)",
      "CREATE INDEX ix_begun ON parent(kind, begun)", "CREATE INDEX ix_changed ON parent(changed)",
      """
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(Self.parents)),
      m AS (SELECT i, i * 7919 % 59999 AS s, i * 5039 % 60013 AS k FROM n)
      INSERT INTO parent SELECT printf('%016x', k * 281474976710 + i), datetime(1759276800 + 10 * s, 'unixepoch'),
        datetime(1759276600 + 10 * s, 'unixepoch'), datetime(1759276805 + 10 * s, 'unixepoch'),
        substr('abcdefgh', i % 8 + 1, 1) FROM m
      """)
    let order = try #require(try await order(in: fixture))
    #expect(["at", "changed"].contains(order.first))
  }

  @Test(arguments: [true, false])
  func deletesTheSameRowsEitherWay(isScattered: Bool) async throws {
    let fixture = try await fixture(isScattered: isScattered)
    let preview = try await fixture.preview([.old("parent")], edges: Self.edges)
    let run = try await fixture.run([.old("parent")], edges: Self.edges)
    #expect(run.counts == ["parent_deleted": 51_998, "child_deleted": 103_996])
    #expect(preview.counts == run.counts)
    #expect(run.tables.map(\.oldest) == preview.tables.map(\.oldest))
    #expect(run.tables.map(\.newest) == preview.tables.map(\.newest))
    #expect(try await survivors(fixture) == Self.rightSurvivors)
    let second = try await fixture.run([.old("parent")], edges: Self.edges)
    #expect(second.counts.values.allSatisfy { $0 == 0 })
  }

  @Test func unlinksChildrenThatStay() async throws {
    let fixture = try await fixture()
    let run = try await fixture.run(
      [.old("parent")], edges: [DeletionEdge("child", "parent_id", to: "parent", .unlink)])
    #expect(run.counts == ["parent_deleted": 51_998, "child_unlinked": 103_996])
    #expect(try await fixture.text("SELECT count(*) FROM child WHERE parent_id IS NULL") == "103996")
    #expect(try await fixture.text("SELECT group_concat(id) FROM parent WHERE id <= \(Self.old)") == "1000,30000")
  }

  /// Wherever it ends, no child is without its parent, and the next run finishes.
  @Test(arguments: [1, 20_000, 47_000, 100_000])
  func leavesNoChildWithoutItsParentWhereverItEnds(rows: Int) async throws {
    let fixture = try await fixture()
    let context = fixture.context(.run, limits: RunLimits(maxRows: rows))
    try await Purge.with(fixture.database, for: .deletion, in: context) { purge in
      try await purge.run(DeletionPlan([.old("parent")], graph: parts(purge).graph), in: context)
    }
    let counts = context.journal.current.counts
    // A row goes with all that belongs to it, and one goes in any case.
    #expect(counts.values.reduce(0, +) <= rows + 2)
    #expect(try await fixture.text("SELECT count(*) FROM child WHERE parent_id NOT IN (SELECT id FROM parent)") == "0")
    #expect(
      try await fixture.text("SELECT (SELECT count(*) FROM parent) + (SELECT count(*) FROM child)")
        == "\(3 * Self.parents - counts.values.reduce(0, +))")
    _ = try await fixture.run([.old("parent")], edges: Self.edges)
    #expect(try await survivors(fixture) == Self.rightSurvivors)
  }

  @Test func keepsARowThatIsNotDoomedAnyMore() async throws {
    let fixture = try await fixture()
    try await Purge.with(fixture.database, for: .deletion, in: fixture.context(.run)) { purge in
      let (pass, condition, _) = try parts(purge)
      let batches = try await purge.read { connection -> SlabBatches? in
        guard let extent = try RowExtent(pass, condition, on: connection),
          let index = try ScatteredIndex(pass, condition, extent: extent, on: connection)
        else { return nil }
        let batches = SlabBatches(pass, condition, extent: extent, order: index)
        let slab = try batches.list(after: 0, through: extent.last, rows: 2000, on: connection)
        #expect(slab?.first == 1)
        #expect(slab?.last == 2001, "the two thousandth old row: one of those before it is as old as the cutoff")
        return batches
      }
      try await fixture.execute(["UPDATE parent SET at = '2026-11-19' WHERE id = 17"])
      let outcome = try await purge.record { try batches?.delete(after: 0, through: 2000, on: $0) }
      #expect(outcome?.deleted == 1999)
    }
    #expect(try await fixture.text("SELECT group_concat(id) FROM parent WHERE id <= 2002") == "17,1000,2002")
  }
}
