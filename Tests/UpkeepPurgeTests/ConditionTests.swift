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
}
