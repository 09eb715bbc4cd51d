import DatabaseFixture
import Testing
import UpkeepCore
import UpkeepDatabase

@testable import UpkeepPurge

/// Conditions where they are made of others, or of none.
struct ConditionTests {
  private static let old = RowCondition.older(column: "at", than: PurgeFixture.cutoff)

  @Test(arguments: [
    (RowCondition.any([]), "1 2 3 4 5"), (.all([]), ""), (.any([.isNull(column: "at"), old]), "2 5"),
    (.all([.isNull(column: "at"), old]), "1 2 3 4 5"), (.isNull(column: "at"), "1 2 4 5"),
    (.isOneOf(column: "kind", values: []), "1 2 3 4 5"), (.isOneOf(column: "kind", values: ["a", "c"]), "2 3 5"),
    (.all([old, .isOneOf(column: "kind", values: ["a"])]), "2 3 4 5"), (.always, ""),
  ])
  func selectsWhatMeetsThemAndNothingElse(condition: RowCondition, left: String) async throws {
    let fixture = try await PurgeFixture(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, at TEXT, kind TEXT)",
      """
      INSERT INTO t VALUES (1, '2026-10-01', 'a'), (2, '2026-11-19', 'b'), (3, NULL, NULL), (4, '2026-10-01', 'c'),
        (5, 'never', NULL)
      """)
    let rule = DeletionRule(name: "t", table: "t", condition: condition)
    let preview = try await fixture.preview([rule])
    let run = try await fixture.run([rule])
    #expect(preview.counts == run.counts)
    #expect(try await fixture.text("SELECT id FROM t") == left)
  }

  /// A preview counts a row once where several rules select it, or rows that it goes with, and counts it where the first
  /// of them says neither yes nor no.
  @Test func countsOnceWhatSeveralRulesSelect() async throws {
    let fixture = try await PurgeFixture(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, at TEXT, kind TEXT)", "CREATE TABLE u(id INTEGER PRIMARY KEY, at TEXT)",
      "CREATE TABLE child(id INTEGER PRIMARY KEY, t_id INTEGER, u_id INTEGER)", "CREATE INDEX ix_t ON child(t_id)",
      "CREATE INDEX ix_u ON child(u_id)",
      """
      INSERT INTO t VALUES (1, '2026-10-01', 'a'), (2, NULL, 'a'), (3, '2026-10-01', NULL), (4, '2026-11-19', 'a'),
        (5, NULL, NULL), (6, '2026-11-19', 'b')
      """,
      "INSERT INTO u VALUES (1, '2026-10-01'), (2, '2026-11-19'), (3, '2026-10-01')",
      "INSERT INTO child VALUES (1, 1, 1), (2, 1, 2), (3, 6, 1), (4, NULL, 3), (5, 6, 2), (6, NULL, NULL)")
    let kind = DeletionRule(name: "kind", table: "t", condition: .isOneOf(column: "kind", values: ["a"]))
    let edges = [
      DeletionEdge("child", "t_id", to: "t", .delete), DeletionEdge("child", "u_id", to: "u", .delete),
    ]
    let preview = try await fixture.preview([.old("t"), kind, .old("u")], edges: edges)
    let run = try await fixture.run([.old("t"), kind, .old("u")], edges: edges)
    #expect(run.counts == ["t_deleted": 4, "u_deleted": 2, "child_deleted": 4])
    #expect(preview.counts == run.counts)
    #expect(try await fixture.text("SELECT id FROM t ORDER BY id") == "5 6")
    #expect(try await fixture.text("SELECT id FROM child ORDER BY id") == "5 6")
  }
}
