import DatabaseFixture
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepTestKit

@testable import UpkeepPurge

/// What a purge does at the end of its budget or its window.
struct LimitTests {
  private static func numbers(_ count: Int) -> String {
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(count)) "
  }

  private static let tables = [
    "CREATE TABLE parent(id INTEGER PRIMARY KEY, at TEXT)", "CREATE INDEX ix_at ON parent(at)",
    "CREATE TABLE child(id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parent(id) ON DELETE CASCADE)",
    "CREATE INDEX ix_child ON child(parent_id)",
  ]

  /// So many old parents with so many children each, and one young parent without.
  private func fixture(_ parents: Int, children: Int = 0, more: [String] = []) async throws -> PurgeFixture {
    let fixture = try await PurgeFixture()
    try await fixture.execute(
      Self.tables + more + [
        Self.numbers(parents) + "INSERT INTO parent SELECT i, '2026-10-01 00:00:00' FROM n",
        "INSERT INTO parent VALUES (1000000, '2026-11-19 00:00:00')",
      ])
    if children > 0 {
      try await fixture.execute([
        Self.numbers(parents * children) + "INSERT INTO child SELECT i, (i - 1) / \(children) + 1 FROM n"
      ])
    }
    return fixture
  }

  /// A run after a preview, as the runner makes it.
  private func run(
    _ fixture: PurgeFixture, _ limits: RunLimits, rules: [DeletionRule] = [.old("parent")], forecasts: Bool = true,
    wallClock: any WallClock = ManualWallClock(start: PurgeFixture.now)
  ) async throws -> RunJournal.Contents {
    let preview = try await fixture.preview(rules)
    let forecast = forecasts ? Forecast(counts: preview.counts, tables: preview.tables) : nil
    let context = fixture.context(.run, forecast: forecast, limits: limits, wallClock: wallClock)
    try await Purge.with(fixture.database, for: .deletion, in: context) { purge in
      try await purge.run(DeletionPlan(rules, graph: DeletionGraph(purge.catalogue, declared: [])), in: context)
    }
    return context.journal.current
  }

  private func deleted(_ contents: RunJournal.Contents) -> Int {
    contents.tables.reduce(0) { $0 + $1.deleted }
  }

  @Test func goesOnNextTimeWhereItsBudgetWasUsedUp() async throws {
    let fixture = try await fixture(2500)
    let limits = RunLimits(maxRows: 1000)
    let runs = [
      try await run(fixture, limits), try await run(fixture, limits), try await run(fixture, limits),
      try await run(fixture, limits),
    ]
    #expect(runs.map(\.reason) == ["budget", "budget", nil, nil])
    #expect(runs.map(\.remaining) == [["parent": 1500], ["parent": 500], nil, nil])
    #expect(runs.map { $0.counts["parent_deleted"] } == [1000, 1000, 500, 0])
    #expect(runs.allSatisfy { $0.errors.isEmpty })
    #expect(try await fixture.text("SELECT id FROM parent") == "1000000")
  }

  @Test func takesTheOldestRowsFirst() async throws {
    let fixture = try await fixture(30)
    _ = try await run(fixture, RunLimits(maxRows: 10))
    #expect(try await fixture.text("SELECT min(id) FROM parent") == "11")
  }

  @Test(arguments: [(29, "budget"), (30, nil), (31, nil)])
  func saysNothingOfABudgetThatJustSuffices(rows: Int, reason: String?) async throws {
    let run = try await run(try await fixture(30), RunLimits(maxRows: rows))
    #expect(run.reason == reason)
    #expect(run.remaining == (reason == nil ? nil : ["parent": 1]))
    #expect(deleted(run) == min(rows, 30))
  }

  @Test func countsTheRowsThatGoWithOthers() async throws {
    let fixture = try await fixture(100, children: 7)
    let first = try await run(fixture, RunLimits(maxRows: 80))
    #expect(first.counts == ["parent_deleted": 10, "child_deleted": 70])
    #expect(first.remaining == ["parent": 90, "child": 630])
    // Twenty rows are left of this budget when the third family goes: it goes whole.
    let second = try await run(fixture, RunLimits(maxRows: 20))
    #expect(second.counts == ["parent_deleted": 3, "child_deleted": 21])
  }

  @Test func exceedsItsBudgetByOneRowsChildrenAtMost() async throws {
    for budget in [1, 5, 8, 9, 63, 64, 65, 400, 799, 800] {
      let run = try await run(try await fixture(100, children: 7), RunLimits(maxRows: budget))
      #expect(deleted(run) == min(800, (budget + 7) / 8 * 8))
      #expect(run.reason == (deleted(run) == 800 ? nil : "budget"))
    }
  }

  @Test func deletesAFamilyLargerThanItsBudgetWhole() async throws {
    let fixture = try await fixture(3, children: 500)
    let runs = [
      try await run(fixture, RunLimits(maxRows: 10)), try await run(fixture, RunLimits(maxRows: 10)),
      try await run(fixture, RunLimits(maxRows: 10)),
    ]
    #expect(runs.map(deleted) == [501, 501, 501])
    #expect(runs.map(\.reason) == ["budget", "budget", nil])
  }

  @Test func keepsToItsBudgetInPassesOfTheirOwnToo() async throws {
    let fixture = try await fixture(
      20, children: 5,
      more: [
        "CREATE TABLE grandchild(id INTEGER PRIMARY KEY, child_id INTEGER REFERENCES child(id) ON DELETE CASCADE)",
        "CREATE INDEX ix_grandchild ON grandchild(child_id)",
      ])
    try await fixture.execute([
      "INSERT INTO grandchild SELECT i, (i + 1) / 2 FROM (\(Self.numbers(200))SELECT i FROM n)"
    ])
    var left = 320
    while left > 0 {
      let run = try await run(fixture, RunLimits(maxRows: 33))
      #expect((min(33, left)...min(35, left)).contains(deleted(run)))
      left -= deleted(run)
      #expect((run.remaining ?? [:]).values.reduce(0, +) == left)
      #expect(run.reason == (left > 0 ? "budget" : nil))
      #expect(try await fixture.rows("PRAGMA foreign_key_check").isEmpty)
    }
    #expect(try await fixture.text("SELECT count(*) FROM parent UNION ALL SELECT count(*) FROM child") == "1 0")
  }

  /// Rows that only lose their reference cost nothing of a budget for deleted rows.
  @Test func countsNoRowsThatStay() async throws {
    let fixture = try await fixture(
      20,
      more: [
        "CREATE TABLE note(id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parent(id) ON DELETE SET NULL)",
        "CREATE INDEX ix_note ON note(parent_id)",
      ])
    try await fixture.execute(["INSERT INTO note SELECT i, (i + 2) / 3 FROM (\(Self.numbers(60))SELECT i FROM n)"])
    let first = try await run(fixture, RunLimits(maxRows: 10))
    #expect(first.counts == ["parent_deleted": 10, "child_deleted": 0, "note_unlinked": 30])
    #expect(first.remaining == ["parent": 10])
  }

  @Test func leavesTheStepsAfterItToTheNextRun() async throws {
    let fixture = try await fixture(10, more: ["CREATE TABLE other(id INTEGER PRIMARY KEY, at TEXT)"])
    try await fixture.execute(["INSERT INTO other VALUES (1, '2026-10-01'), (2, '2026-10-01')"])
    let rules = [DeletionRule.old("parent"), .old("other")]
    let first = try await run(fixture, RunLimits(maxRows: 4), rules: rules)
    #expect(first.counts == ["parent_deleted": 4, "child_deleted": 0, "other_deleted": 0])
    #expect(first.remaining == ["parent": 6, "other": 2])
    let second = try await run(fixture, RunLimits(maxRows: 6), rules: rules)
    #expect(second.counts == ["parent_deleted": 6, "child_deleted": 0, "other_deleted": 0])
    #expect(second.remaining == ["other": 2])
  }

  @Test func knowsHowManyRowsARunMayStillDelete() async throws {
    let fixture = try await fixture(1)
    let context = fixture.context(.run, limits: RunLimits(maxRows: 10))
    #expect(fixture.context(.run).rowsLeft == nil)
    for (deleted, left) in [(0, 10), (3, 7), (10, 0), (12, 0)] {
      context.update(table: "parent") { $0.deleted = deleted }
      #expect(context.rowsLeft == left)
    }
  }

  @Test func namesNoNumbersWhereNobodyCountedBefore() async throws {
    let run = try await run(try await fixture(10), RunLimits(maxRows: 4), forecasts: false)
    #expect(run.reason == "budget")
    #expect(run.remaining == [:])
  }

  @Test(arguments: [(-1, 10), (0, 0)])
  func doesNothingAtTheEndOfItsWindow(milliseconds: Int, expected: Int) async throws {
    let wallClock = ManualWallClock(start: PurgeFixture.now + .milliseconds(milliseconds))
    let run = try await run(
      try await fixture(10), RunLimits(windowEnd: PurgeFixture.now), wallClock: wallClock)
    #expect(deleted(run) == expected)
    #expect(run.reason == (expected == 0 ? "window" : nil))
    #expect(run.remaining == (expected == 0 ? ["parent": 10] : nil))
  }

  @Test func endsBetweenBatchesWithItsWindow() async throws {
    // Each look at the clock is a second later, and the walk looks before each batch.
    let run = try await run(
      try await fixture(3000), RunLimits(windowEnd: PurgeFixture.now + .seconds(2)),
      wallClock: TickingWallClock(start: PurgeFixture.now))
    #expect((1..<3000).contains(deleted(run)))
    #expect(run.reason == "window")
    #expect(run.remaining == ["parent": 3000 - deleted(run)])
  }
}
