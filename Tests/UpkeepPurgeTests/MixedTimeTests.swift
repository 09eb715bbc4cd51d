import DatabaseFixture
import Testing
import UpkeepCore
import UpkeepDatabase

@testable import UpkeepPurge

/// Both widths of a time in one column: compared as instants, and found by the index.
struct MixedTimeTests {
  private static let condition = RowCondition.all([
    .older(column: "completed_at", than: PurgeFixture.cutoff),
    .isOneOf(column: "status", values: ["completed", "failed", "it's over"]),
  ])

  private func fixture() async throws -> PurgeFixture {
    try await PurgeFixture(
      "CREATE TABLE job(id VARCHAR NOT NULL PRIMARY KEY, status VARCHAR(10), completed_at DATETIME)",
      """
      INSERT INTO job VALUES ('a', 'completed', '2026-11-06 12:00:00'), ('b', 'completed', '2026-11-06 12:00:00.000000'),
        ('c', 'completed', '2026-11-06 11:59:59'), ('d', 'failed', '2026-11-06 11:59:59.999999'),
        ('e', 'running', '2026-11-06 11:59:59'), ('f', NULL, '2026-11-06 11:59:59'), ('g', 'completed', NULL),
        ('h', 'COMPLETED', '2026-11-06 11:59:59'), ('i', 'it''s over', '2026-11-06 11:59:59')
      """,
      "CREATE INDEX ix_job_status ON job(status)", "CREATE INDEX ix_job_completed_at ON job(completed_at)")
  }

  @Test func selectsWhatIsOlderWhateverTheWidth() async throws {
    let fixture = try await fixture()
    let rule = DeletionRule(name: "job", table: "job", condition: Self.condition, timeColumn: "completed_at")
    let preview = try await fixture.preview([rule])
    let run = try await fixture.run([rule])
    #expect(preview.counts == ["job_deleted": 3])
    #expect(run.counts == preview.counts)
    #expect(try await fixture.text("SELECT id FROM job ORDER BY id") == "a b e f g h")
  }

  /// An index on the status would find most of the table; the one on the time finds what is old.
  @Test func findsItByTheIndexOfTheTime() async throws {
    let fixture = try await fixture()
    for statement in ["SELECT count(*) FROM job t WHERE ", "DELETE FROM job AS t WHERE "] {
      var sql = SQL(statement)
      sql.add(Self.condition, of: "t")
      let plan = try await fixture.rows("EXPLAIN QUERY PLAN \(sql.text)").map { $0[3] }
      #expect(plan == ["SEARCH t USING INDEX ix_job_completed_at (completed_at<?)"])
    }
  }

  @Test func selectsNothingWhereNoValueIsNamed() async throws {
    let fixture = try await fixture()
    let rule = DeletionRule(name: "job", table: "job", condition: .isOneOf(column: "status", values: []))
    #expect(try await fixture.run([rule]).counts == ["job_deleted": 0])
  }
}
