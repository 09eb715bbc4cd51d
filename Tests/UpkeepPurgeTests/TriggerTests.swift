import DatabaseFixture
import Testing
import UpkeepCore
import UpkeepDatabase

@testable import UpkeepPurge

/// Triggers of the application run as they would for anybody; what they delete is counted.
struct TriggerTests {
  private static let tables = [
    "CREATE TABLE t(id INTEGER PRIMARY KEY, at TEXT, name TEXT)",
    "CREATE TABLE tag(name TEXT PRIMARY KEY, note TEXT) WITHOUT ROWID",
    "CREATE TABLE log(id INTEGER PRIMARY KEY, what TEXT)",
    "INSERT INTO t VALUES (1, '2026-10-01', 'a'), (2, '2026-10-01', 'b'), (3, '2026-11-19', 'c'), (4, '2026-10-01', 'a')",
    "INSERT INTO tag VALUES ('a', ''), ('b', ''), ('c', ''), ('d', '')",
  ]

  private func fixture(_ more: String...) async throws -> PurgeFixture {
    let fixture = try await PurgeFixture()
    try await fixture.execute(Self.tables + more)
    return fixture
  }

  @Test func countsWhatTriggersDelete() async throws {
    let fixture = try await fixture(
      "CREATE TRIGGER clean AFTER DELETE ON t BEGIN DELETE FROM tag WHERE name = OLD.name; END",
      "INSERT INTO log VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'a')",
      "CREATE TRIGGER further AFTER DELETE ON tag BEGIN DELETE FROM log WHERE what = OLD.name; END")
    let preview = try await fixture.preview([.old("t")])
    let run = try await fixture.run([.old("t")])
    #expect(run.counts == ["t_deleted": 3, "tag_deleted": 2, "log_deleted": 3])
    #expect(run.tables.map(\.table).sorted() == ["log", "t", "tag"])
    #expect(run.tables.first { $0.table == "tag" }?.deleted == 2)
    #expect(try await fixture.text("SELECT name FROM tag") == "c d")
    #expect(try await fixture.text("SELECT id FROM log") == "3")
    #expect(preview.counts == ["t_deleted": 3, "tag_deleted": 0, "log_deleted": 0])
    #expect(
      preview.warnings == [
        "deleting from t runs triggers that delete rows of log, too; how many, only a run can tell: they aren't in the counts of a preview",
        "deleting from t runs triggers that delete rows of tag, too; how many, only a run can tell: they aren't in the counts of a preview",
      ])
    #expect(run.warnings.isEmpty)
    #expect(try await fixture.run([.old("t")]).counts.values.allSatisfy { $0 == 0 })
  }

  /// SQLite empties a table in one go where a trigger deletes all of it, without a look at its rows.
  @Test func countsWhatATriggerEmpties() async throws {
    let fixture = try await fixture(
      "INSERT INTO log VALUES (1, 'a'), (2, 'b')", "CREATE TRIGGER clean AFTER DELETE ON t BEGIN DELETE FROM log; END")
    #expect(try await fixture.preview([.old("t")]).counts == ["t_deleted": 3, "log_deleted": 0])
    #expect(try await fixture.run([.old("t")]).counts == ["t_deleted": 3, "log_deleted": 2])
  }

  @Test func countsNothingTwiceWhereATriggerRepeatsThePlan() async throws {
    let fixture = try await fixture(
      "CREATE TABLE child(id INTEGER PRIMARY KEY, t_id INTEGER REFERENCES t(id) ON DELETE CASCADE)",
      "CREATE INDEX ix ON child(t_id)", "INSERT INTO child VALUES (1, 1), (2, 1), (3, 3)",
      "CREATE TRIGGER clean AFTER DELETE ON t BEGIN DELETE FROM child WHERE t_id = OLD.id; END",
      "CREATE TRIGGER twins AFTER DELETE ON t BEGIN DELETE FROM t WHERE name = OLD.name; END")
    let run = try await fixture.run([.old("t")])
    #expect(run.counts == ["t_deleted": 3, "child_deleted": 2])
    #expect(try await fixture.text("SELECT id FROM t UNION ALL SELECT id FROM child") == "3 3")
  }

  @Test func letsTriggersWriteWhatTheyLike() async throws {
    let fixture = try await fixture(
      "CREATE VIRTUAL TABLE words USING fts5(name, content='t', content_rowid='id')",
      "INSERT INTO words(rowid, name) SELECT id, name FROM t",
      """
      CREATE TRIGGER words_delete AFTER DELETE ON t BEGIN
        INSERT INTO words(words, rowid, name) VALUES ('delete', OLD.id, OLD.name); END
      """,
      "CREATE TRIGGER log AFTER DELETE ON t BEGIN INSERT INTO log(what) VALUES (OLD.name); END",
      "CREATE TRIGGER note AFTER DELETE ON t BEGIN UPDATE tag SET note = 'gone' WHERE name = OLD.name; END")
    let preview = try await fixture.preview([.old("t")])
    let run = try await fixture.run([.old("t")])
    #expect(run.counts == ["t_deleted": 3])
    #expect(preview.counts == run.counts)
    #expect(preview.warnings.isEmpty)
    #expect(try await fixture.text("SELECT what FROM log ORDER BY id") == "a b a")
    #expect(try await fixture.text("SELECT name FROM tag WHERE note = 'gone'") == "a b")
    #expect(try await fixture.text("SELECT rowid FROM words WHERE words MATCH 'a OR b OR c'") == "3")
  }

  /// A trigger of the table that only loses its reference.
  @Test func countsWhatATriggerOnAChangeDeletes() async throws {
    let fixture = try await fixture(
      "CREATE TABLE child(id INTEGER PRIMARY KEY, t_id INTEGER REFERENCES t(id) ON DELETE SET NULL)",
      "CREATE INDEX ix ON child(t_id)", "INSERT INTO child VALUES (1, 1), (2, 3)",
      "CREATE TRIGGER clean AFTER UPDATE OF t_id ON child WHEN NEW.t_id IS NULL BEGIN DELETE FROM tag WHERE name = 'd'; END"
    )
    #expect(
      try await fixture.run([.old("t")]).counts == ["t_deleted": 3, "child_unlinked": 1, "tag_deleted": 1])
  }

  /// The plan takes a reference from rows of the same table, which are no rows that went.
  @Test func countsWhatATriggerDeletesBesideRowsThatLoseTheirReference() async throws {
    let fixture = try await fixture(
      "CREATE TABLE child(id INTEGER PRIMARY KEY, t_id INTEGER REFERENCES t(id) ON DELETE SET NULL, name TEXT)",
      "CREATE INDEX ix ON child(t_id)",
      "INSERT INTO child VALUES (1, 1, 'x'), (2, 4, 'x'), (3, NULL, 'a'), (4, 3, 'b')",
      "CREATE TRIGGER clean AFTER DELETE ON t BEGIN DELETE FROM child WHERE name = OLD.name; END")
    let run = try await fixture.run([.old("t")])
    #expect(run.counts == ["t_deleted": 3, "child_unlinked": 2, "child_deleted": 2])
    #expect(try await fixture.text("SELECT id FROM child ORDER BY id") == "1 2")
  }

  /// The rows that refer to what a trigger deletes must not be left behind, where the plan's own checks would do alone.
  @Test(arguments: [false, true])
  func enforcesForeignKeysToWhatTriggersDelete(isChain: Bool) async throws {
    let fixture = try await fixture(
      "CREATE TABLE child(id INTEGER PRIMARY KEY, t_id INTEGER REFERENCES t(id) ON DELETE CASCADE)",
      "INSERT INTO child VALUES (1, 1), (2, 3)",
      "CREATE TABLE label(id INTEGER PRIMARY KEY, tag TEXT REFERENCES tag(name) ON DELETE CASCADE)",
      "INSERT INTO label VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'a')",
      "CREATE TRIGGER clean AFTER DELETE ON t BEGIN DELETE FROM tag WHERE name = OLD.name; END")
    if isChain {
      try await fixture.execute([
        "ALTER TABLE t ADD COLUMN up INTEGER REFERENCES t(id) ON DELETE CASCADE",
        "UPDATE t SET up = id - 1 WHERE id IN (2, 4)",
        "UPDATE t SET at = '2026-10-01'",
      ])
    }
    let run = try await fixture.run([.old("t")])
    #expect(run.errors.isEmpty)
    #expect(
      run.counts == [
        "t_deleted": isChain ? 4 : 3, "child_deleted": isChain ? 2 : 1, "tag_deleted": isChain ? 3 : 2,
        "label_deleted": isChain ? 4 : 3,
      ])
    #expect(try await fixture.rows("PRAGMA foreign_key_check").isEmpty)
  }

  @Test func letsNoTriggerDeleteWhatIsExcepted() async throws {
    let fixture = try await fixture(
      "CREATE TRIGGER clean AFTER DELETE ON t BEGIN DELETE FROM tag WHERE name = OLD.name; END")
    let exceptions = [RowException(table: "tag", rows: .keys([.text("a")]))]
    let run = try await fixture.run([.old("t")], except: exceptions)
    #expect(run.errors.map(\.code) == ["constraint"])
    #expect(run.errors.first?.message.contains("an exception keeps a row that a trigger would delete") == true)
    #expect(run.counts == ["t_deleted": 0, "tag_deleted": 0])
    #expect(try await fixture.text("SELECT name FROM tag") == "a b c d")
    #expect(try await fixture.text("SELECT id FROM t") == "1 2 3 4")
  }
}
