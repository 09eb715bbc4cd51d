import DatabaseFixture
import Synchronization
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepTestKit

@testable import UpkeepPurge

/// Changes of rows: in batches, each with the whole condition again. The table has the name of the alias.
struct RowChangeTests {
  private static let rows = """
    WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 300)
    INSERT INTO t SELECT i, iif(i % 3 = 0, 'old', 'new'), NULL FROM n
    """

  private func fixture(_ table: String = "CREATE TABLE t(id INTEGER PRIMARY KEY, state TEXT, note TEXT)") async throws
    -> PurgeFixture
  {
    try await PurgeFixture(table, Self.rows)
  }

  private func change(_ purge: Purge, _ condition: String = "t.state = ?1") throws -> RowChange {
    RowChange(
      name: "tidy", table: try #require(purge.catalogue["t"]), condition: condition,
      assignments: [("state", "?2"), ("note", "'was ' || t.state")], reads: ["t.id", "t.state"],
      values: [.text("old"), .text("done")])
  }

  /// Runs, or previews, and returns the ids that were told of, in order.
  private func work(
    _ fixture: PurgeFixture, _ mode: RunMode = .run, except exceptions: [RowException] = [],
    limits: RunLimits = RunLimits(), condition: String = "t.state = ?1"
  ) async throws -> (ids: [Int64], contents: RunJournal.Contents) {
    let told = Told()
    let context = fixture.context(mode, limits: limits, exceptions: exceptions)
    try await Purge.with(fixture.database, for: mode == .run ? .deletion : .preview, in: context) { purge in
      let change = try change(purge, condition)
      if mode == .run {
        try await purge.run(change, in: context) { told.add($0) }
      } else {
        try await purge.preview(change, in: context) { told.add($0) }
      }
    }
    return (told.ids, context.journal.current)
  }

  private final class Told: Sendable {
    private let state = Mutex<[[DatabaseValue]]>([])
    var ids: [Int64] { state.withLock { $0.compactMap { $0[0].integer } } }
    func add(_ rows: [[DatabaseValue]]) { state.withLock { $0 += rows } }
  }

  @Test(arguments: [
    "CREATE TABLE t(id INTEGER PRIMARY KEY, state TEXT, note TEXT)",
    "CREATE TABLE t(id INTEGER PRIMARY KEY, state TEXT, note TEXT) WITHOUT ROWID",
    "CREATE TABLE t(id TEXT, state TEXT, note TEXT)", "CREATE TABLE t(id ANY, state TEXT, note TEXT) STRICT",
  ])
  func changesTheRowsThatAPreviewTellsOf(table: String) async throws {
    let fixture = try await fixture(table)
    let foreseen = try await work(fixture, .preview)
    #expect(try await fixture.text("SELECT count(*) FROM t WHERE state = 'done'") == "0")
    let done = try await work(fixture)
    #expect(foreseen.ids == done.ids)
    #expect(try await fixture.text("SELECT count(*) FROM t WHERE state = 'done' AND note = 'was old'") == "100")
    #expect(try await fixture.text("SELECT count(*) FROM t WHERE state = 'new' AND note IS NULL") == "200")
    #expect(try await work(fixture).ids == [])
    #expect(done.contents.counts.isEmpty)
    #expect(done.contents.tables.isEmpty)
  }

  @Test func tellsOnlyOfRowsThatTheDatabaseReallyChanged() async throws {
    let fixture = try await fixture()
    try await fixture.execute([
      "CREATE TRIGGER keep BEFORE UPDATE ON t WHEN old.id % 2 = 0 BEGIN SELECT RAISE(IGNORE); END"
    ])
    #expect(try await work(fixture).ids == Array(stride(from: 3, to: 300, by: 6)).map { Int64($0) })
  }

  @Test func changesNoRowThatIsExcepted() async throws {
    let fixture = try await fixture()
    let exceptions = [
      RowException(table: "t", rows: .keys([.integer(3), .integer(4)])),
      RowException(table: "t", rows: .matching("id > 290")),
    ]
    let foreseen = try await work(fixture, .preview, except: exceptions)
    let done = try await work(fixture, except: exceptions)
    #expect(done.ids == Array(stride(from: 6, through: 288, by: 3)).map { Int64($0) })
    #expect(foreseen.ids == done.ids)
    #expect(done.contents.tables == [TableResult(table: "t", keptExcepted: 5)])
    #expect(foreseen.contents.tables == done.contents.tables)
    #expect(try await fixture.text("SELECT id FROM t WHERE state = 'old'") == "3 291 294 297 300")
  }

  @Test func changesNothingWhereAnExceptionMeansNothing() async throws {
    let fixture = try await fixture()
    for rows in [RowException.Rows.matching("nowhere = 1"), .matching("1; DROP TABLE t")] {
      let error = await #expect(throws: TaskError.self) {
        try await work(fixture, except: [RowException(table: "t", rows: rows)])
      }
      #expect(error?.code == "bad_exception")
    }
    #expect(try await fixture.text("SELECT count(*) FROM t WHERE state = 'old'") == "100")
  }

  @Test func changesNoRowForWhichTheConditionIsNull() async throws {
    let fixture = try await fixture()
    #expect(try await work(fixture, condition: "t.note = ?1").ids == [])
  }

  @Test func endsBetweenTwoBatchesWhereItsWindowIsOver() async throws {
    let fixture = try await fixture()
    let limits = RunLimits(windowEnd: PurgeFixture.now - .seconds(86_400 * 365 * 100))
    let done = try await work(fixture, limits: limits)
    #expect(done.ids == [])
    #expect(done.contents.reason == "window")
    #expect(try await fixture.text("SELECT count(*) FROM t WHERE state = 'old'") == "100")
  }

  @Test func leavesAloneWhatNoLongerMeetsTheConditionWhenTheBatchComes() async throws {
    let fixture = try await fixture()
    let context = fixture.context(.run)
    let outcome = try await Purge.with(fixture.database, for: .deletion, in: context) { purge in
      let batches = try await purge.read { [change = try change(purge)] connection in
        try ChangeBatches(change, except: try ExceptedRows([], catalogue: purge.catalogue), on: connection)
      }
      try await fixture.execute(["UPDATE t SET state = 'new' WHERE id = 3", "DELETE FROM t WHERE id = 6"])
      let told = try await purge.read { try batches.rows(after: 0, through: 3, on: $0) }
      #expect(told.map { $0.dropFirst() } == [[9, "old"]])
      return try await purge.session.transaction(.write) { try batches.delete(after: 0, through: 3, on: $0) }
    }
    #expect(outcome.changed == [[9, "old"]])
    #expect(try await fixture.text("SELECT state FROM t WHERE id IN (3, 9, 12)") == "new done old")
  }

  @Test func changesEachRowOnceWhereTheConditionHoldsStill() async throws {
    let fixture = try await fixture()
    let told = Told()
    let context = fixture.context(.run)
    try await Purge.with(fixture.database, for: .deletion, in: context) { purge in
      var change = try change(purge)
      change.assignments = [("note", "coalesce(t.note, '') || 'x'")]
      change.values = [.text("old")]
      try await purge.run(change, in: context) { told.add($0) }
    }
    #expect(told.ids == Array(stride(from: 3, through: 300, by: 3)).map { Int64($0) })
    #expect(try await fixture.text("SELECT count(*) FROM t WHERE note = 'x'") == "100")
  }

  @Test func leavesAloneWhatIsExceptedWhenTheBatchComes() async throws {
    let fixture = try await fixture()
    try await fixture.execute(["CREATE TABLE hint(id INTEGER)"])
    let exceptions = [RowException(table: "t", rows: .matching("id IN (SELECT id FROM hint)"))]
    let context = fixture.context(.run, exceptions: exceptions)
    let outcome = try await Purge.with(fixture.database, for: .deletion, in: context) { purge in
      let batches = try await purge.read { [change = try change(purge)] connection in
        try ChangeBatches(change, except: try ExceptedRows(exceptions, catalogue: purge.catalogue), on: connection)
      }
      try await fixture.execute(["INSERT INTO hint VALUES (3), (9)"])
      return try await purge.session.transaction(.write) { try batches.delete(after: 0, through: 3, on: $0) }
    }
    #expect(outcome.changed == [[6, "old"]])
    #expect(try await fixture.text("SELECT state FROM t WHERE id IN (3, 6, 9)") == "old done old")
  }

  @Test func refusesAVirtualTable() async throws {
    let fixture = try await PurgeFixture("CREATE VIRTUAL TABLE t USING fts5(state, note)")
    let error = await #expect(throws: TaskError.self) { try await work(fixture, condition: "t.state = ?1") }
    #expect(error?.code == "unsupported_table")
    #expect(error?.problem == "this is a virtual table")
  }

  @Test func refusesATableWhoseRowsCannotBeTold() async throws {
    let fixture = try await fixture(
      "CREATE TABLE t(id INTEGER, state TEXT, note TEXT, PRIMARY KEY (id, state)) WITHOUT ROWID")
    let error = await #expect(throws: TaskError.self) { try await work(fixture) }
    #expect(error?.problem == "it has neither row numbers nor a primary key of one column")
  }
}
