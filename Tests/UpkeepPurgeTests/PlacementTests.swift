import DatabaseFixture
import Foundation
import Testing
import UpkeepCore
import UpkeepDatabase

@testable import UpkeepPurge

/// Where rows lie, and what that does to the way a purge walks.
struct PlacementTests {
  private static let edges = [DeletionEdge("child", "parent_id", to: "parent", .delete)]

  /// 9,000 parents, the first 6,000 of them old, with three children each, which lie together or scattered.
  private func fixture(scattered: Bool) async throws -> PurgeFixture {
    let place = scattered ? "1 + i * 7919 % 27001" : "i"
    return try await PurgeFixture(
      "CREATE TABLE parent(id INTEGER PRIMARY KEY, at TEXT)", "CREATE INDEX ix_at ON parent(at)",
      "CREATE TABLE child(id INTEGER PRIMARY KEY, parent_id INTEGER)", "CREATE INDEX ix_child ON child(parent_id)",
      """
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)
      INSERT INTO parent SELECT i, CASE WHEN i <= 6000 THEN '2026-10-01' ELSE '2026-11-19' END FROM n
      """,
      """
      WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 26999)
      INSERT INTO child SELECT \(place), 1 + i / 3 FROM n
      """)
  }

  private func plan(_ purge: Purge) throws -> (pass: DeletionPass, condition: RowCondition, graph: DeletionGraph) {
    let graph = DeletionGraph(purge.catalogue, declared: Self.edges)
    let pass = try DeletionPlan([.old("parent")], graph: graph).steps[0].root
    guard case .condition(let condition) = pass.selection else { throw CancellationError() }
    return (pass, condition, graph)
  }

  @Test(arguments: [true, false])
  func tellsScatteredChildrenFromThoseThatLieTogether(scattered: Bool) async throws {
    let fixture = try await fixture(scattered: scattered)
    try await Purge.with(fixture.database, for: .preview, in: fixture.context(.preview)) { purge in
      let (pass, condition, graph) = try plan(purge)
      let sample = try await purge.read { connection in
        try RowExtent(pass, condition, on: connection).flatMap { extent in
          try ScatterSample(pass.leaves[0], of: pass, condition, extent: extent, graph: graph, on: connection)
        }
      }
      #expect(sample?.isScattered == scattered)
    }
  }

  @Test(arguments: [true, false])
  func deletesTheSameRowsEitherWay(scattered: Bool) async throws {
    let fixture = try await fixture(scattered: scattered)
    let preview = try await fixture.preview([.old("parent")], edges: Self.edges)
    let run = try await fixture.run([.old("parent")], edges: Self.edges)
    #expect(run.counts == ["parent_deleted": 6000, "child_deleted": 18_000])
    #expect(preview.counts == run.counts)
    #expect(try await fixture.text("SELECT min(parent_id) || ' ' || count(*) FROM child") == "6001 9000")
    #expect(try await fixture.text("SELECT min(id) || ' ' || count(*) FROM parent") == "6001 3000")
  }

  @Test func keepsTheChildrenOfAParentThatIsNotDoomedAnyMore() async throws {
    let fixture = try await fixture(scattered: true)
    try await Purge.with(fixture.database, for: .deletion, in: fixture.context(.run)) { purge in
      let (pass, condition, graph) = try plan(purge)
      let batches = try await purge.read { connection in
        try pass.makeList(on: connection, parent: nil, graph: graph, without: DoomedRows())
        return try ScatteredBatches(pass.leaves[0], of: pass, condition, graph: graph, on: connection)
      }
      try await fixture.execute(["UPDATE parent SET at = '2026-11-19' WHERE id = 17"])
      _ = try await purge.record { try batches?.delete(after: 0, through: 100_000, on: $0) }
    }
    #expect(try await fixture.text("SELECT count(*) FROM child WHERE parent_id <= 6000") == "3")
    #expect(try await fixture.text("SELECT count(*) FROM child WHERE parent_id = 17") == "3")
  }

  @Test func saysThatAnotherJournalModeIsSlowerAndWorksInIt() async throws {
    let fixture = try await fixture(scattered: false)
    try await fixture.execute(["PRAGMA journal_mode = DELETE"])
    let run = try await fixture.run([.old("parent")], edges: Self.edges)
    #expect(run.counts == ["parent_deleted": 6000, "child_deleted": 18_000])
    #expect(
      run.warnings == [
        "database test has journal mode delete: each batch is slower and keeps readers out, too; "
          + "the mode is left as it is (the application may set it: PRAGMA journal_mode = WAL)"
      ])
    #expect(try await fixture.text("PRAGMA journal_mode") == "delete")
  }

  /// A reader of the application keeps the log from being begun anew: the purge waits for it, and goes on.
  @Test func waitsWhileAReaderKeepsTheLog() async throws {
    let fixture = try await fixture(scattered: false)
    let reader = try await fixture.database.open(.read, purpose: "application")
    let (isReading, isEnough) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let reading = Task {
      try await reader.transaction(.read) { connection in
        _ = try connection.rows("SELECT count(*) FROM parent")
        isReading.signal()
        isEnough.wait()
      }
    }
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        isReading.wait()
        continuation.resume()
      }
    }
    let context = fixture.context(.run)
    let purge = Task {
      try await Purge.with(fixture.database, for: .deletion, in: context) { purge in
        var small = purge
        small.bounds.log = 100_000
        try await small.run(try DeletionPlan([.old("parent")], graph: plan(purge).graph), in: context)
      }
    }
    var isWaiting = false
    while !isWaiting, (context.journal.current.counts["parent_deleted"] ?? 0) < 6000 {
      isWaiting = context.journal.current.progress.message.hasPrefix("waiting: a reader of another program")
      await Task.yield()
    }
    #expect(isWaiting)
    let counted = context.journal.current.counts["parent_deleted"] ?? 0
    #expect(counted < 6000)
    isEnough.signal()
    try await reading.value
    try await purge.value
    #expect(context.journal.current.counts == ["parent_deleted": 6000, "child_deleted": 18_000])
    await reader.close()
  }
}

/// A statement that would read a whole table for each batch is refused before the first one.
struct PreflightTests {
  private func fixture() async throws -> PurgeFixture {
    try await PurgeFixture(
      "CREATE TABLE large(id INTEGER PRIMARY KEY, a)", "CREATE TABLE small(id INTEGER PRIMARY KEY, a)",
      "CREATE TABLE parent(id INTEGER PRIMARY KEY)",
      "CREATE TABLE child(id INTEGER PRIMARY KEY, p INTEGER REFERENCES parent(id))",
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) INSERT INTO large SELECT i, i FROM n",
      "INSERT INTO small SELECT * FROM large LIMIT 9999", "INSERT INTO child SELECT id, NULL FROM large")
  }

  private func check(_ statement: String) async throws {
    let fixture = try await fixture()
    let session = try await fixture.database.open(.read, purpose: "test")
    try await session.perform { try Preflight.check([statement], Catalogue(sqlite: $0), on: $0) }
  }

  @Test(arguments: [
    ("DELETE FROM large WHERE a = 5", "large"), ("DELETE FROM large AS t WHERE t.a = ?1", "large"),
    ("SELECT 1 FROM small s, large t WHERE t.a = 3 AND s.id = t.id", "large"),
    ("DELETE FROM parent WHERE id = 3", "child"),
  ])
  func refusesAScanOfALargeTable(statement: String, table: String) async throws {
    let error = await #expect(throws: TaskError.self) { try await check(statement) }
    #expect(error?.code == "full_scan")
    #expect(error?.place == "table \(table)")
  }

  @Test(arguments: [
    "DELETE FROM small WHERE a = 5", "DELETE FROM large WHERE id > 3 AND id < 9",
    "SELECT max(n) FROM (SELECT id AS n FROM large WHERE id > 5 ORDER BY id LIMIT 3)",
    "DELETE FROM large WHERE id IN (SELECT id FROM small WHERE id > 3 AND id < 5)",
  ])
  func allowsWhatAnIndexFinds(statement: String) async throws {
    try await check(statement)
  }
}
