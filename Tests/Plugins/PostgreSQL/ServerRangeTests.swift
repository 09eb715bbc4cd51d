import DatabaseFixture
import TableRetentionPlugin
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepPurge
import UpkeepTestKit

/// Rows of a server that go in ranges of their keys, and what must not go with them.
struct ServerRangeTests {
  private static let rules = #"[{"table": "snapshot", "time_column": "at", "keep": "30d"}]"#

  private func settings(_ rules: String = rules) throws -> TableRetentionSettings {
    try RetentionFixture.settings(rules).settings
  }

  /// Snapshots with numbers from 1 to 600, `step` apart, of which every tenth is young. Each has two markets, one photo that
  /// loses its reference, and one note that no foreign key binds; further ones refer to nothing.
  private func fixture(key: String = "bigint", reference: String = "bigint", step: Int = 1) async throws
    -> ServerFixture
  {
    try await ServerFixture(
      "CREATE TABLE snapshot(id \(key) PRIMARY KEY, at timestamptz)",
      "CREATE TABLE market(id int PRIMARY KEY, snapshot \(reference) REFERENCES snapshot ON DELETE CASCADE)",
      "CREATE TABLE photo(id int PRIMARY KEY, snapshot \(reference) REFERENCES snapshot ON DELETE SET NULL)",
      "CREATE INDEX market_snapshot ON market(snapshot)", "CREATE INDEX photo_snapshot ON photo(snapshot)",
      """
      INSERT INTO snapshot SELECT CAST(i AS bigint) * \(step), CASE WHEN i % 10 = 0 THEN timestamptz '2026-11-19 00:00+00'
      ELSE timestamptz '2026-01-01 00:00+00' + i * interval '1 hour' END FROM generate_series(1, 600) i
      """,
      "INSERT INTO snapshot VALUES (\(601 * step), '2026-10-21 11:59:59.999999+00'), (\(602 * step), '2026-10-21 12:00+00')",
      "INSERT INTO snapshot VALUES (\(603 * step), NULL), (\(604 * step), '-infinity'), (\(605 * step), 'infinity')",
      "INSERT INTO market SELECT 2 * row_number() OVER () + k, id FROM snapshot CROSS JOIN generate_series(0, 1) k",
      "INSERT INTO photo SELECT row_number() OVER (), id FROM snapshot",
      "INSERT INTO market VALUES (-1, NULL)", "INSERT INTO photo VALUES (-1, NULL)")
  }

  /// Sparse numbers and keys of another kind are listed instead; whichever way, the same rows go.
  @Test(arguments: [
    ("bigint", "bigint", 1), ("int", "smallint", 1), ("smallint", "bigint", 7), ("bigint", "bigint", 9),
    ("bigint", "bigint", 1_000_000_000), ("numeric", "numeric", 1),
  ])
  func takesWhatIsOldAndNothingElse(key: String, reference: String, step: Int) async throws {
    let server = try await fixture(key: key, reference: reference, step: step)
    let run = try await server.work(TableRetentionTask(), try settings())
    #expect(run.errors.isEmpty)
    #expect(run.counts == ["snapshot_deleted": 541, "market_deleted": 1082, "photo_unlinked": 541])
    let young = (1...60).map { "\($0 * 10 * step)" } + [602, 603, 604, 605].map { "\($0 * step)" }
    #expect(try await server.text("SELECT id FROM snapshot ORDER BY id") == young.joined(separator: " "))
    #expect(try await server.text("SELECT count(DISTINCT snapshot) || '/' || count(*) FROM market") == "64/129")
    #expect(try await server.text("SELECT count(DISTINCT snapshot) || '/' || count(*) FROM photo") == "64/606")
    let table = run.tables.first { $0.table == "snapshot" }
    #expect(table?.oldest == Timestamp(text: "2026-01-01T01:00:00Z"))
    #expect(table?.newest == Timestamp(text: "2026-10-21T11:59:59.999999Z"))
  }

  /// What keeps a row without a word keeps what belongs to it, too: a trigger, a rule, a policy.
  @Test(arguments: [
    """
    CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF OLD.id = 5 THEN RETURN NULL; END IF; RETURN OLD; END $$
    """,
    "CREATE RULE keep AS ON DELETE TO snapshot WHERE OLD.id = 5 DO INSTEAD NOTHING",
  ])
  func keepsWhatBelongsToARowThatIsKeptInSilence(obstacle: String) async throws {
    let server = try await fixture()
    try await server.execute([obstacle])
    if obstacle.contains("FUNCTION") {
      try await server.execute([
        "CREATE TRIGGER keep BEFORE DELETE ON snapshot FOR EACH ROW EXECUTE FUNCTION keep()"
      ])
    }
    let context = server.context(.run)
    try await TableRetentionTask().run(try settings(), in: context)
    #expect(try await server.text("SELECT count(*) FROM snapshot WHERE id = 5") == "1")
    #expect(try await server.text("SELECT count(*) FROM market WHERE snapshot = 5") == "2")
    #expect(try await server.text("SELECT count(*) FROM photo WHERE snapshot = 5") == "1")
  }

  /// A policy lets its user see the row, but not delete it.
  @Test func keepsWhatBelongsToARowThatAPolicyKeeps() async throws {
    let server = try await fixture()
    try await server.execute([
      "DO $$ BEGIN CREATE ROLE keeper; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$",
      "ALTER TABLE snapshot ENABLE ROW LEVEL SECURITY", "ALTER TABLE snapshot FORCE ROW LEVEL SECURITY",
      "CREATE POLICY seen ON snapshot FOR SELECT USING (true)",
      "CREATE POLICY gone ON snapshot FOR DELETE USING (id <> 5)",
      "GRANT ALL ON ALL TABLES IN SCHEMA public TO keeper",
      "ALTER DATABASE \(try await name(server)) SET role = keeper",
    ])
    let context = server.context(.run)
    try await TableRetentionTask().run(try settings(), in: context)
    #expect(try await server.text("SELECT count(*) FROM snapshot WHERE id = 5") == "1")
    #expect(try await server.text("SELECT count(*) FROM market WHERE snapshot = 5") == "2")
    #expect(try await server.text("SELECT count(*) FROM snapshot WHERE id IN (4, 6)") == "0")
  }

  private func name(_ server: ServerFixture) async throws -> String {
    try await server.text("SELECT quote_ident(current_database())")
  }

  /// A row that an earlier rule takes is counted once, and holds nothing.
  @Test func countsWhatAnEarlierRuleTakesOnce() async throws {
    let server = try await fixture()
    try await server.execute([
      "CREATE TABLE bundle(id int PRIMARY KEY, at timestamptz, snapshot bigint REFERENCES snapshot)",
      "CREATE INDEX bundle_snapshot ON bundle(snapshot)",
      "INSERT INTO bundle VALUES (1, '2026-01-01', 1), (2, '2026-11-19', 2), (3, '2026-01-01', 10)",
    ])
    let rules = """
      [{"table": "bundle", "time_column": "at", "keep": "30d"}, {"table": "snapshot", "time_column": "at", "keep": "30d"}]
      """
    let run = try await server.work(TableRetentionTask(), try settings(rules))
    #expect(run.errors.isEmpty)
    #expect(run.counts["bundle_deleted"] == 2)
    #expect(run.counts["snapshot_deleted"] == 540)
    #expect(run.tables.first { $0.table == "snapshot" }?.keptReferenced == 1)
    #expect(try await server.text("SELECT id FROM snapshot WHERE id < 10") == "2")
  }
}
