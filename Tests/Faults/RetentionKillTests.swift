import Testing
import UpkeepCore
import UpkeepDatabase

/// A retention run is killed in the middle: what its rules keep is there, and the next run finishes.
@Suite struct RetentionKillTests {
  private static let statements = [
    "CREATE TABLE reading(id INTEGER PRIMARY KEY, at INTEGER, device INTEGER, kind TEXT)",
    "CREATE INDEX ix_at ON reading(at)",
    "CREATE TABLE alarm(id INTEGER PRIMARY KEY, reading_id INTEGER NOT NULL REFERENCES reading(id) ON DELETE CASCADE)",
    "CREATE INDEX ix_reading ON alarm(reading_id)",
    // Devices 0 to 3 have nothing but old readings.
    """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000)
    INSERT INTO reading SELECT i, unixepoch('now') - 5000000 + 60 * i + iif(i % 8 > 3 AND i % 3 = 0, 4500000, 0), i % 8,
      iif(i % 10 = 0, 'held', 'plain') FROM n
    """,
    "INSERT INTO alarm SELECT id, id FROM reading WHERE id % 4 = 0",
  ]

  /// What the rule below keeps, in plain SQL.
  private static let kept = """
    SELECT id FROM reading WHERE at >= unixepoch('now') - 2592000 OR kind = 'held' OR id IN (
      SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY device ORDER BY at DESC, id DESC) AS place
        FROM reading WHERE kind <> 'held') WHERE place <= 5) ORDER BY id
    """

  private static let yaml = """
    version: 1
    databases: { app: { sqlite: app.sqlite } }
    tasks:
      table_retention:
        guard: none
        settings:
          database: app
          rules:
            - { table: reading, time_column: at, keep: 30d, where: "kind <> 'held'", keep_last: 5, per: device }
    """

  private func rows(_ sql: String, in path: String) async throws -> [Int64] {
    let session = try await SQLiteDatabase(name: "app", path: path).open(.write(.normal), purpose: "test")
    let rows = try await session.perform { try $0.map(sql) { $0[0].integer ?? -1 } }
    await session.close()
    return rows
  }

  @Test func keepsWhatARuleKeepsWheneverItIsKilled() async throws {
    let runs = try await KilledRuns(of: "table_retention", yaml: Self.yaml, Self.statements)
    let path = runs.path
    let kept = try await rows(Self.kept, in: runs.template)
    #expect(kept.count > 1000 && kept.count < 4000)
    for moment in [100, 200, 300, 400, 550, 700, 900] {
      try runs.kill(after: moment)
      let left = try await rows("SELECT id FROM reading ORDER BY id", in: path)
      #expect(Set(kept).isSubset(of: left), "killed after \(moment) ms")
      #expect(try await rows("SELECT count(*) FROM pragma_foreign_key_check", in: path) == [0])
      #expect(
        try await rows("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'", in: path) == [0])
    }
    // How far each run came depends on the machine; the last one is finished by the next, however far it was.
    let rest = try runs.finish()
    #expect(rest.status == 0, "\(rest.errors)")
    #expect(try await rows("SELECT id FROM reading ORDER BY id", in: path) == kept)
    #expect(
      try await rows("SELECT id FROM alarm ORDER BY id", in: path) == kept.filter { $0 % 4 == 0 })
  }
}
