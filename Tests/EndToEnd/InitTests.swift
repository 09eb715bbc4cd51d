import Foundation
import Testing
import UpkeepCore
import UpkeepDatabase

/// `upkeep init --database`: what is proposed for a database is valid, commented out and not.
@Suite struct InitTests {
  /// A workplace with a database.
  private func place(_ statements: [String], file: String = "app.sqlite") async throws -> Workplace {
    let place = try Workplace()
    let database = SQLiteDatabase(name: "app", path: place.path(file), mayCreate: true)
    let session = try await database.open(.write(.normal), purpose: "test")
    try await session.perform { connection in
      for statement in statements { try connection.execute(statement) }
    }
    await session.close()
    return place
  }

  private func text(_ place: Workplace, _ name: String = "config/upkeep.yaml") throws -> String {
    String(decoding: try place.bytes(name), as: UTF8.self)
  }

  /// The file with the proposed task uncommented, as its comment says.
  private func uncommented(_ text: String) -> String {
    let lines = text.components(separatedBy: "\n")
    let start = lines.firstIndex(of: "  # table_retention:") ?? lines.count
    return lines.enumerated().map { index, line in
      index >= start && line.hasPrefix("  # ") ? "  " + line.dropFirst(4) : line
    }.joined(separator: "\n")
  }

  /// Rows of a table, one for each day back from now, by an SQL expression over the day `n`.
  private func rows(_ table: String, _ values: String, count: Int = 200) -> String {
    """
    WITH RECURSIVE days(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM days WHERE n < \(count - 1))
    INSERT INTO \(table) SELECT \(values) FROM days
    """
  }

  private static let strange = "\"we\"\"ird $${X} ${Y} 'ta\nble # : - \u{1f600}\\\""

  private func strangeDatabase() async throws -> Workplace {
    try await place([
      "CREATE TABLE logs(id INTEGER PRIMARY KEY, message TEXT, updated_at TEXT, created_at TEXT)",
      rows("logs", "n, 'x', datetime('now', -n || ' days', '1 hour'), datetime('now', -n || ' days', '1 hour')"),
      "CREATE TABLE \"null\"(id INTEGER PRIMARY KEY, ts INTEGER)",
      rows("\"null\"", "n, (unixepoch('now') - n * 86400 + 3600) * 1000"),
      "CREATE TABLE \(Self.strange)(id INTEGER PRIMARY KEY, \"captured: #at\" REAL)",
      rows(Self.strange, "n, julianday('now') - n + 0.1"),
      "CREATE TABLE later(id INTEGER PRIMARY KEY, expires_at INTEGER, seen_at INTEGER)",
      "CREATE INDEX ix_later ON later(expires_at)", "CREATE INDEX ix_seen ON later(seen_at)",
      rows("later", "n, unixepoch('now') + n * 86400, unixepoch('now') - n * 86400 + 3600"),
      "CREATE TABLE empty(id INTEGER PRIMARY KEY, created_on DATE)",
      "CREATE TABLE kinds(id INTEGER PRIMARY KEY, name TEXT, size INTEGER)", "INSERT INTO kinds VALUES (1, 'a', 5)",
      "CREATE VIEW old AS SELECT * FROM logs", "CREATE VIRTUAL TABLE search USING fts5(body)",
    ])
  }

  /// Who refers to others comes before them: what it takes holds nothing any more.
  @Test func proposesWhatRefersToOthersFirst() async throws {
    let place = try await place([
      "CREATE TABLE a_customer(id INTEGER PRIMARY KEY, created_at TEXT, best INTEGER REFERENCES b_order(id))",
      "CREATE TABLE b_order(id INTEGER PRIMARY KEY, created_at TEXT, up INTEGER REFERENCES b_order(id))",
      "CREATE TABLE c_item(id INTEGER PRIMARY KEY, created_at TEXT, o INTEGER REFERENCES b_order(id))",
      "CREATE TABLE d_note(id INTEGER PRIMARY KEY, created_at TEXT, c INTEGER REFERENCES a_customer(id))",
      rows("a_customer", "n, datetime('now', -n || ' days'), NULL"),
      rows("b_order", "n, datetime('now', -n || ' days'), NULL"),
      rows("c_item", "n, datetime('now', -n || ' days'), n"), rows("d_note", "n, datetime('now', -n || ' days'), n"),
    ])
    _ = try await place.run("init", "--database", "app.sqlite")
    let tables = try text(place).components(separatedBy: "\n").filter { $0.contains("- table: ") }
    #expect(
      tables.map { $0.components(separatedBy: ": ")[1] } == ["c_item", "d_note", "a_customer", "b_order"])
  }

  @Test func saysWhatBecomesOfRowsThatReferToOthers() async throws {
    let place = try await place([
      "CREATE TABLE node(id INTEGER PRIMARY KEY, created_at TEXT, up INTEGER REFERENCES node ON DELETE CASCADE)",
      "CREATE TABLE leaf(id INTEGER PRIMARY KEY, n INTEGER REFERENCES node ON DELETE CASCADE)",
      "CREATE TABLE \"last leaf\"(id INTEGER PRIMARY KEY, l INTEGER REFERENCES leaf ON DELETE CASCADE)",
      "CREATE TABLE tag(id INTEGER PRIMARY KEY, n INTEGER REFERENCES node ON DELETE SET NULL)",
      "CREATE TABLE bill(id INTEGER PRIMARY KEY, l INTEGER REFERENCES leaf, n INTEGER REFERENCES node)",
      rows("node", "n, datetime('now', -n || ' days'), NULL"),
    ])
    _ = try await place.run("init", "--database", "app.sqlite")
    let lines = try text(place).components(separatedBy: "\n")
    let rule = try #require(lines.firstIndex { $0.contains("- table: node") })
    #expect(
      lines[(rule - 3)..<rule].map { String($0.dropFirst(10)) } == [
        "# what refers to its rows goes along, however young (ON DELETE CASCADE): rows of leaf, node, \"last leaf\"",
        "# what refers to its rows loses the reference (ON DELETE SET NULL): rows of tag",
        "# a row stays while one refers to it, or to what goes along with it: rows of bill",
      ])
    try place.write(uncommented(try text(place)), to: "config/upkeep.yaml")
    #expect(try await place.run("validate", "--config", "config/upkeep.yaml").status == 0)
  }

  @Test func proposesARuleForEachTableWithATimeColumn() async throws {
    let place = try await strangeDatabase()
    let before = try place.bytes("app.sqlite")
    let outcome = try await Program.run(["init", "--database", "app.sqlite"], in: place.folder)
    #expect(outcome.status == 0)
    #expect(
      outcome.errors
        == "wrote config/upkeep.yaml: 5 rules proposed in it, commented out; take those you want, then: "
        + "upkeep preview table_retention\n")
    #expect(try place.bytes("app.sqlite") == before)
    let yaml = try text(place)
    #expect(yaml.contains("  app: { sqlite: \"../app.sqlite\" }"))
    let lines = yaml.components(separatedBy: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    #expect(lines.filter { $0.hasPrefix("#       - table:") }.count == 5)
    #expect(
      lines.filter { $0.hasPrefix("#         time_column:") }.map { String($0.dropFirst(10)) } == [
        "time_column: created_on", "time_column: seen_at", "time_column: created_at", "time_column: ts",
        "time_column: \"captured: #at\"",
      ])
    #expect(lines.filter { $0.contains("; 169 older than 30 days; 109 older than 90 days") }.count == 4)
    #expect(lines.contains("#   kinds: 1"))
    #expect(try await Program.run(["validate"], in: place.folder).output == "config/upkeep.yaml: valid\n")
  }

  @Test func isValidAndWorksWhenItIsUncommented() async throws {
    let place = try await strangeDatabase()
    _ = try await Program.run(["init", "--database", "app.sqlite"], in: place.folder)
    let yaml = uncommented(try text(place))
    #expect(yaml.contains("\n  table_retention:\n    interval: 24h\n"))
    try place.write(yaml, to: "config/upkeep.yaml")
    let check = try await Program.run(["validate"], in: place.folder)
    #expect(check.output == "config/upkeep.yaml: valid\n", "\(check.errors)")
    let preview = try await Program.run(["preview", "table_retention", "--json"], in: place.folder).json()
    #expect(preview["status"] as? String == "completed", "\(preview)")
    let tables = try #require(preview["tables"] as? [[String: Any]])
    let found = Dictionary(
      tables.map { ($0["table"] as? String ?? "", $0["deleted"] as? Int ?? -1) }, uniquingKeysWith: +)
    let name = "we\"ird $${X} ${Y} 'ta\nble # : - \u{1f600}\\"
    #expect(found == ["empty": 0, "later": 109, "logs": 109, "null": 109, name: 109])
  }

  @Test func prefersAnIndexedColumnAndNamesTheIndexThatIsMissing() async throws {
    let place = try await place([
      "CREATE TABLE big(id INTEGER PRIMARY KEY, created_at TEXT, captured_at TEXT)",
      rows("big", "n, datetime('now', -n || ' minutes'), datetime('now', -n || ' minutes')", count: 1000),
      "CREATE TABLE fast(id INTEGER PRIMARY KEY, created_at TEXT, captured_at TEXT)",
      "CREATE INDEX ix_fast ON fast(captured_at)",
      rows("fast", "n, datetime('now', -n || ' minutes'), datetime('now', -n || ' minutes')", count: 1000),
    ])
    _ = try await Program.run(["init", "--database", place.path("app.sqlite")], in: place.folder)
    let yaml = try text(place)
    #expect(yaml.contains("  app: { sqlite: \"\(place.path("app.sqlite"))\" }"))
    #expect(
      yaml.contains(
        "#       # without an index each run reads the whole table once: "
          + "CREATE INDEX ix_big_created_at ON big (created_at)\n"))
    #expect(yaml.contains("- table: fast\n  #         time_column: captured_at\n"))
    #expect(yaml.components(separatedBy: "CREATE INDEX").count == 2)
  }

  @Test func writesAConfigurationForADatabaseWithoutTables() async throws {
    let place = try await place(["CREATE TABLE t(x)", "DROP TABLE t"], file: "12-empty file.db")
    let outcome = try await Program.run(["init", "--database", "12-empty file.db"], in: place.folder)
    #expect(outcome.status == 0)
    #expect(outcome.errors == "wrote config/upkeep.yaml: no table with a time column was found\n")
    #expect(try text(place).contains("  empty_file: { sqlite: \"../12-empty file.db\" }"))
    #expect(try await Program.run(["validate"], in: place.folder).status == 0)
  }

  @Test(arguments: [
    ("none.sqlite", "there is no such file"), ("text.sqlite", "this is no SQLite database, or it is damaged"),
    (".", "this is a folder, not a SQLite file"),
  ])
  func writesNothingWhereThereIsNoDatabase(file: String, problem: String) async throws {
    let place = try Workplace()
    try place.write(String(repeating: "no database ", count: 100), to: "text.sqlite")
    let outcome = try await Program.run(["init", "--database", file], in: place.folder)
    #expect(outcome.status == 1)
    #expect(outcome.errors.hasPrefix("error: database "))
    #expect(outcome.errors.contains(problem))
    #expect(try FileManager.default.contentsOfDirectory(atPath: place.folder.path) == ["text.sqlite"])
  }

  @Test func overwritesNothing() async throws {
    let place = try await strangeDatabase()
    try FileManager.default.createDirectory(atPath: place.path("config"), withIntermediateDirectories: true)
    try place.write("mine", to: "config/upkeep.yaml")
    let outcome = try await Program.run(["init", "--database", "app.sqlite"], in: place.folder)
    #expect(outcome.status == 1)
    #expect(outcome.errors.hasPrefix("error: config/upkeep.yaml: there is such a file already"))
    #expect(try text(place) == "mine")
  }
}
