import DatabaseFixture
import Dispatch
import Testing
import UpkeepCore
import UpkeepTestKit

@testable import UpkeepPurge

/// The shortcuts of a preview of a large table: each says what a run then does.
struct LargeCountTests {
  private static let edges = [DeletionEdge("child", "parent_id", to: "parent", .delete)]

  /// As many numbers are looked at at once.
  private static let stretch = Int(RowExtent.stretch)

  /// Parents of which those up to a number are old but for some, each with two children.
  private func fixture(
    rows: Int, oldUpTo last: Int, kept: String = "0", time: String = "TEXT", reference: String = "INTEGER",
    index: String = "CREATE INDEX ix_child ON child(parent_id)"
  ) async throws -> PurgeFixture {
    try await PurgeFixture(
      "CREATE TABLE parent(id INTEGER PRIMARY KEY, at \(time), seen)", "CREATE INDEX ix_at ON parent(at)",
      "CREATE TABLE child(id INTEGER PRIMARY KEY, parent_id \(reference))", index,
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(rows)) INSERT INTO parent(id, at) "
        + "SELECT i, CASE WHEN i <= \(last) AND NOT \(kept) THEN '2026-10-01' ELSE '2026-11-19' END FROM n",
      "INSERT INTO child(parent_id) SELECT id FROM parent UNION ALL SELECT id FROM parent")
  }

  /// - Returns: What the preview found.
  @discardableResult
  private func checkPreviewAndRun(
    _ fixture: PurgeFixture, _ rule: DeletionRule = .old("parent")
  ) async throws -> RunJournal.Contents {
    let preview = try await fixture.preview([rule], edges: Self.edges)
    let run = try await fixture.run([rule], edges: Self.edges)
    #expect(preview.counts == run.counts)
    #expect(preview.tables.map(\.oldest) == run.tables.map(\.oldest))
    #expect(preview.tables.map(\.newest) == run.tables.map(\.newest))
    return preview
  }

  /// Only the last 16,384 numbers are searched for the last old row; where it lies before them, as many are looked at as
  /// there are old ones: beyond the first stretch in short ones, none of which may be left out.
  @Test(arguments: [80_000, stretch + 1, stretch + 2, 100_000, 143_615, 143_616, 143_617, 159_999, 160_000])
  func countsUpToTheLastOldRowWhereverItLies(last: Int) async throws {
    let (old, kept) = (80_000, 80)
    let fixture = try await fixture(rows: 160_000, oldUpTo: old, kept: "i % 1000 = 7")
    try await fixture.execute([
      "UPDATE parent SET at = '2026-09-01' WHERE id = \(last)", "UPDATE parent SET at = NULL WHERE id IN (3, 150000)",
    ])
    let preview = try await fixture.preview([.old("parent")], edges: Self.edges)
    let rows = old - kept - 1 + (last > old ? 1 : 0)
    #expect(preview.counts == ["parent_deleted": rows, "child_deleted": 2 * rows])
    #expect(preview.tables.first { $0.table == "parent" }?.oldest?.dateText == "2026-09-01")
    #expect(preview.tables.first { $0.table == "parent" }?.total == 160_000)
  }

  /// Old rows that end with a stretch, or right before or behind its end.
  @Test(arguments: [stretch - 1, stretch, stretch + 1, stretch + 2, stretch + 4097, stretch + 4098])
  func countsUpToTheLastOldRowAtTheEndOfAStretch(last: Int) async throws {
    let fixture = try await fixture(rows: 90_000, oldUpTo: last)
    let preview = try await checkPreviewAndRun(fixture)
    #expect(preview.counts == ["parent_deleted": last, "child_deleted": 2 * last])
  }

  /// What is no text sorts on either side of the times, and has to be counted as the index counts it: a count that is off
  /// by one would miss the last old row.
  @Test(arguments: ["TEXT", "", "INTEGER"])
  func countsUpToTheLastOldRowWhateverElseIsThere(time: String) async throws {
    let fixture = try await fixture(rows: 120_000, oldUpTo: 70_000, time: time)
    let (strange, spread) = (
      ["NULL", "17", "2.5", "x'3230'", "''", "'never'", "'2026-10-99'", "'2026-11-06 13:00'"], 500
    )
    for (place, value) in strange.enumerated() {
      try await fixture.execute([
        "UPDATE parent SET at = \(value) WHERE id BETWEEN \(100 + place * spread) AND \(100 + place * spread + 3)",
        "UPDATE parent SET at = \(value) WHERE id = \(70_100 + place)",
      ])
    }
    try await fixture.execute(["UPDATE parent SET at = '2026-10-01' WHERE id = 90000"])
    let preview = try await checkPreviewAndRun(fixture)
    #expect(preview.counts["parent_deleted"] == 70_001 - 4 * strange.count)
    #expect(try await fixture.text("SELECT count(*) FROM parent WHERE id IN (70000, 90000)") == "0")
  }

  /// In a later snapshot there may be old rows beyond what was counted first, and the table has another size.
  @Test func goesOnToTheEndInALaterSnapshot() async throws {
    let fixture = try await fixture(rows: 200_000, oldUpTo: 100_000)
    // The fourth look at the clock is right after the first stretch of numbers.
    let clock = LookClock(passing: .seconds(1)) { look in
      guard look == 4 else { return }
      let done = DispatchSemaphore(value: 0)
      Task {
        try await fixture.execute([
          "UPDATE parent SET at = '2026-10-02' WHERE id = 150000", "DELETE FROM parent WHERE id > 199990",
        ])
        done.signal()
      }
      done.wait()
    }
    let context = TaskContext.test(mode: .preview, now: PurgeFixture.now, clock: clock)
    try await Purge.with(fixture.database, for: .preview, in: context) { purge in
      let graph = DeletionGraph(purge.catalogue, declared: Self.edges)
      try await purge.preview(DeletionPlan([.old("parent")], graph: graph), in: context)
    }
    let found = context.journal.current
    #expect(found.counts == ["parent_deleted": 100_001, "child_deleted": 200_002])
    let parent = try #require(found.tables.first { $0.table == "parent" })
    #expect(parent.total == 199_990 && parent.newest?.dateText == "2026-10-02")
  }

  /// Where an index has the references in order and few numbers lie between the ranges, they are read along; whatever is
  /// done, what refers to no old row isn't counted: fractions, texts, NULL, and what refers to numbers between the ranges.
  @Test(
    arguments: [
      "CREATE INDEX ix_child ON child(parent_id)", "CREATE INDEX ix_child ON child(parent_id DESC)",
      "CREATE INDEX ix_child ON child(parent_id, id DESC)", "CREATE INDEX \"ix \"\"1\"\"\" ON child(parent_id)",
      "CREATE INDEX ix_some ON child(parent_id) WHERE id % 2;\nCREATE INDEX ix_child ON child(parent_id DESC)",
      "CREATE INDEX ix_case ON child(parent_id COLLATE NOCASE);\nCREATE INDEX ix_child ON child(parent_id DESC)",
    ], [("INTEGER", 5000...5001), ("REAL", 5000...5001), ("INTEGER", 5000...9000)])
  func countsWhatRefersToTheRanges(index: String, other: (reference: String, gap: ClosedRange<Int>)) async throws {
    let gap = other.gap
    let fixture = try await fixture(
      rows: 40_000, oldUpTo: 40_000, kept: "(i % 100 < 3 OR i BETWEEN \(gap.lowerBound) AND \(gap.upperBound))",
      reference: other.reference, index: index)
    try await fixture.execute([
      "INSERT INTO child(parent_id) VALUES (5.5), (50.25), (1e300), (-1), (0), (NULL), ('x'), (x'35'), (40001), (39999)"
    ])
    let preview = try await checkPreviewAndRun(fixture)
    let old = (1...40_000).filter { $0 % 100 >= 3 && !gap.contains($0) }.count
    #expect(preview.counts == ["parent_deleted": old, "child_deleted": 2 * old + 1])
  }

  /// A second time that a row may have has to be as old; one that can't be read keeps the row.
  @Test(arguments: ["", "TEXT", "TEXT COLLATE NOCASE"])
  func countsByASecondTime(seen: String) async throws {
    let fixture = try await fixture(rows: 20_000, oldUpTo: 15_000)
    try await fixture.execute(["ALTER TABLE parent DROP COLUMN seen", "ALTER TABLE parent ADD COLUMN seen \(seen)"])
    let kept = [
      "'2026-11-06 12:00:00'", "'2026-11-06T12:00:00.000001Z'", "'2026-11-19'", "'never'", "''", "'0'",
      "x'323032352d30312d3031'",
      "'2026-11-06T13:00:00+01:00'", "'2026-10-99'", "17.5",
    ]
    let gone = [
      "NULL", "'2026-11-06 11:59:59.999999'", "'2026-11-06T13:59:59+02:00'", "'1999-01-01'", "'2026-10-01 00:00:00'",
    ]
    for (place, value) in (kept + gone).enumerated() {
      try await fixture.execute(["UPDATE parent SET seen = \(value) WHERE id = \(1000 + 10 * place)"])
    }
    var rule = DeletionRule.old("parent")
    rule.condition = .all([
      rule.condition, .any([.isNull(column: "seen"), .older(column: "seen", than: PurgeFixture.cutoff)]),
    ])
    let preview = try await checkPreviewAndRun(fixture, rule)
    #expect(preview.counts["parent_deleted"] == 15_000 - kept.count)
    let left = (0..<kept.count).map { "\(1000 + 10 * $0)" }.joined(separator: " ")
    #expect(try await fixture.text("SELECT id FROM parent WHERE id <= 15000 ORDER BY id") == left)
  }

  /// A second time with a cutoff of its own is no case for that.
  @Test func countsByASecondTimeWithItsOwnCutoff() async throws {
    let fixture = try await fixture(rows: 20_000, oldUpTo: 15_000)
    try await fixture.execute(["UPDATE parent SET seen = '2026-10-10' WHERE id <= 100"])
    var rule = DeletionRule.old("parent")
    let earlier = PurgeFixture.cutoff - .seconds(60 * 86_400)
    rule.condition = .all([rule.condition, .any([.isNull(column: "seen"), .older(column: "seen", than: earlier)])])
    let preview = try await checkPreviewAndRun(fixture, rule)
    #expect(preview.counts["parent_deleted"] == 14_900)
  }
}
