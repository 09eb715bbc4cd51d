import DatabaseFixture
import Testing
import UpkeepCore

/// Rules with conditions, on tables of any name, with what refers to their rows.
@Suite struct RetentionRuleTests {
  /// The engine's own aliases, names that need quotes, and words of SQL.
  static let names = [
    "t", "T", "c", "d", "p", "y", "t0", "upkeep_one", "temp", "order", "Größe", "we\"ird 'name", "a b", "seq", "rid",
    "upkeep_last", "upkeep_peer",
  ]

  static let columns = ["at", "seq", "rid", "up", "order", "a \"b\" c", "upkeep_key_0"]

  static let cases =
    names.map { ($0, "upkeep_key_0") } + columns.map { ("t", $0) } + [("upkeep_peer", "at"), ("rid", "rid")]

  @Test(arguments: cases)
  func takesTablesAndColumnsOfAnyName(table: String, column: String) async throws {
    func quoted(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }
    func escaped(_ text: String) -> String { text.replacing("\"", with: "\\\"") }
    let (name, time) = (quoted(table), quoted(column))
    let fixture = try await RetentionFixture(
      "CREATE TABLE \(name)(id INTEGER PRIMARY KEY, \(time) TEXT, kind TEXT)",
      """
      INSERT INTO \(name) VALUES (1, '2020-01-01', 'x'), (2, '2020-01-02', 'y'), (3, '2020-01-03', 'x'),
        (4, '2020-01-04', 'x'), (5, '2026-11-19', 'x'), (6, '2020-01-01', NULL)
      """)
    let qualified = escaped("\(name).kind = 'x' AND \(time) < '2999'")
    let run = try await fixture.run(
      """
      [{"table": "\(escaped(table))", "time_column": "\(escaped(column))", "keep": "14d", "where": "\(qualified)",
        "keep_last": 2, "per": "kind"}]
      """)
    #expect(run.errors == [])
    #expect(run.counts == ["\(table)_deleted": 2])
    #expect(try await fixture.text("SELECT id FROM \(name)") == "2 4 5 6")
  }

  @Test func deletesOnlyRowsForWhichTheConditionIsTrue() async throws {
    let fixture = try await RetentionFixture(
      "CREATE TABLE job(id INTEGER PRIMARY KEY, state TEXT, user_id INTEGER)",
      "CREATE TABLE hold(job_id INTEGER)", "INSERT INTO hold VALUES (2)",
      "INSERT INTO job VALUES (1, 'done', 1), (2, 'done', 1), (3, 'open', 1), (4, NULL, 1), (5, 'done', 2)")
    let run = try await fixture.run(
      """
      [{"table": "job", "where": "state = 'done' AND id NOT IN (SELECT job_id FROM hold) AND job.user_id = 1"}]
      """)
    #expect(run.counts == ["job_deleted": 1])
    #expect(try await fixture.text("SELECT id FROM job") == "2 3 4 5")
  }

  @Test(arguments: [
    ("no_such = 1", "no such column: no_such"), ("\"state\" = 'x' AND \"done\" = 'x'", "no such column: done"),
    ("(1, 2)", "row value misused"), ("state = 'a', state = 'b'", "row value misused"),
    ("state = (SELECT", "near"), ("count(*) > 1", "misuse of aggregate"), ("other.id = 1", "no such column: other.id"),
    ("1", "it names no column, so it says the same of every row"),
    ("1 = 1 OR NULL", "it names no column, so it says the same of every row"),
    ("abs(random()) > 5", "it names no column, so it says the same of every row"),
    ("'state' <> 'x'", "it names no column, so it says the same of every row"),
  ])
  func refusesAConditionThatIsNone(text: String, problem: String) async throws {
    let fixture = try await RetentionFixture(
      "CREATE TABLE job(id INTEGER PRIMARY KEY, state TEXT)", "CREATE TABLE other(id)",
      "INSERT INTO job VALUES (1, 'x')")
    let escaped = text.replacing("\"", with: "\\\"")
    if SQLExpression.problem(in: text) != nil { return }
    let run = try await fixture.run("[{\"table\": \"job\", \"where\": \"\(escaped)\"}]")
    let message = try #require(run.errors.first?.message)
    #expect(message.hasPrefix("rules.0 (table job): where: "))
    #expect(message.contains(problem))
    #expect(try await fixture.text("SELECT count(*) FROM job") == "1")
  }

  @Test func followsTheForeignKeysOfTheSchema() async throws {
    let fixture = try await RetentionFixture(
      "CREATE TABLE post(id INTEGER PRIMARY KEY, at INTEGER)", "CREATE INDEX ix_at ON post(at)",
      "CREATE TABLE comment(id INTEGER PRIMARY KEY, post_id INTEGER REFERENCES post(id) ON DELETE CASCADE)",
      "CREATE TABLE vote(id INTEGER PRIMARY KEY, comment_id INTEGER REFERENCES comment(id) ON DELETE CASCADE)",
      "CREATE TABLE note(id INTEGER PRIMARY KEY, post_id INTEGER REFERENCES post(id) ON DELETE SET NULL)",
      "CREATE TABLE bill(id INTEGER PRIMARY KEY, post_id INTEGER REFERENCES post(id))",
      "INSERT INTO post VALUES (1, 1700000000), (2, 1700000000), (3, 1795175999), (4, 1700000000)",
      "INSERT INTO comment VALUES (11, 1), (12, 1), (21, 2), (31, 3)",
      "INSERT INTO vote VALUES (111, 11), (211, 21), (311, 31)",
      "INSERT INTO note VALUES (1, 1), (2, 2), (3, 3)", "INSERT INTO bill VALUES (1, 2)")
    let run = try await fixture.run(#"[{"table": "post", "time_column": "at", "keep": "14d"}]"#)
    #expect(run.counts == ["post_deleted": 2, "comment_deleted": 2, "vote_deleted": 1, "note_unlinked": 1])
    #expect(run.tables.first { $0.table == "post" }?.keptReferenced == 1)
    #expect(try await fixture.text("SELECT id FROM post") == "2 3")
    #expect(try await fixture.text("SELECT id FROM comment") == "21 31")
    #expect(try await fixture.text("SELECT id FROM vote") == "211 311")
    #expect(try await fixture.text("SELECT ifnull(post_id, '-') FROM note ORDER BY id") == "- 2 3")
  }

  @Test func leavesExceptedRowsAlone() async throws {
    let fixture = try await RetentionFixture(
      "CREATE TABLE log(id INTEGER PRIMARY KEY, at TEXT, who TEXT)",
      "INSERT INTO log VALUES (1, '2020-01-01', 'a'), (2, '2020-01-01', 'b'), (3, '2020-01-02', 'a')")
    let held = RowException(table: "log", rows: .matching("who = 'b'"))
    let run = try await fixture.run(
      #"[{"table": "log", "time_column": "at", "keep": "1d", "keep_rows": 1}]"#, exceptions: [held])
    #expect(run.tables.map(\.keptExcepted) == [1])
    #expect(try await fixture.text("SELECT id FROM log") == "2 3")
  }

  @Test func doesTheOtherRulesWhereOneCannotBeCarriedOut() async throws {
    let fixture = try await RetentionFixture(
      "CREATE TABLE log(id INTEGER PRIMARY KEY, at TEXT)", "INSERT INTO log VALUES (1, '2020-01-01')",
      "CREATE VIEW old AS SELECT * FROM log")
    let run = try await fixture.run(
      """
      [{"table": "logs", "time_column": "at", "keep": "1d"}, {"table": "old", "time_column": "at", "keep": "1d"},
       {"table": "log", "time_column": "att", "keep": "1d"}, {"table": "log", "keep_last": 1, "per": "who"},
       {"table": "log", "time_column": "AT", "keep": "1d"}]
      """)
    #expect(
      run.errors.map(\.message) == [
        "rules.0 (table logs): there is no such table in the database; did you mean log?",
        "rules.1 (table old): there is no such table in the database; check the name, and that the task's database is "
          + "the right one",
        "rules.2 (table log): time_column: the table has no column att; did you mean at?",
        "rules.3 (table log): per: the table has no column who; name one of id, at",
      ])
    #expect(run.errors.map(\.step) == ["logs", "old", "log (rules.2)", "log (rules.3)"])
    #expect(run.counts == ["log_deleted": 1])
  }

  @Test(arguments: [
    (#"[]"#, "rules: expected at least one rule, found none"),
    (#"[{"time_column": "at", "keep": "1d"}]"#, "rules.0: table is missing; the table"),
    (
      #"[{"table": "log"}]"#,
      "rules.0: table: expected keep, keep_last, keep_rows or where beside it: such a rule would take every row"
    ),
    (#"[{"table": "log", "keep": "1d"}]"#, "rules.0: keep: expected time_column beside it"),
    (
      #"[{"table": "log", "time_column": "at"}]"#,
      "rules.0: time_column: expected keep, keep_last or keep_rows beside it: alone it says nothing"
    ),
    (
      #"[{"table": "log", "time_column": "at", "where": "a = 1"}]"#,
      "rules.0: time_column: expected keep, keep_last or keep_rows beside it: alone it says nothing"
    ),
    (
      #"[{"table": "log", "time_format": "text", "keep_rows": 5}]"#,
      "rules.0: time_format: expected time_column beside it"
    ),
    (#"[{"table": "log", "per": "who", "keep_rows": 5}]"#, "rules.0: per: expected keep_last beside it"),
    (
      #"[{"table": "log", "time_column": "at", "keep": 30}]"#,
      "rules.0: keep: 30 has no unit; write 30s, 30m, 30h or 30d"
    ),
    (#"[{"table": "log", "time_column": "at", "keep": "0s"}]"#, "rules.0: keep: expected at least 1s, found 0s"),
    (#"[{"table": "log", "time_column": "at", "keep": "-1d"}]"#, "rules.0: keep: "),
    (#"[{"table": "log", "keep_last": 0}]"#, "rules.0: keep_last: expected at least 1, found 0"),
    (#"[{"table": "log", "keep_rows": -1}]"#, "rules.0: keep_rows: expected at least 1, found -1"),
    (#"[{"table": "log", "where": "a = 1; DROP TABLE log"}]"#, "rules.0: where: expected one expression, found ;"),
    (
      #"[{"table": "log", "where": "a = 1) OR (1 = 1"}]"#,
      "rules.0: where: a parenthesis is closed that was never opened"
    ),
    (
      #"[{"table": "log", "where": "a = 1 -- x"}]"#, "rules.0: where: expected an expression without comments, found --"
    ),
    (#"[{"table": "log", "where": "a = ?1"}]"#, "rules.0: where: expected an expression without parameters, found ?"),
    (
      #"[{"table": "log", "time_column": "at", "keep": "1d", "time_format": "unix"}]"#,
      "rules.0: time_format: expected one of auto, text, "
    ),
    (#"[{"table": "log", "keep_lats": 1}]"#, "rules.0: unknown key keep_lats"),
  ])
  func refusesARuleThatIsNone(rules: String, message: String) throws {
    let problems = try RetentionFixture.settings(rules).problems
    let first = try #require(problems.first)
    #expect(first.message.hasPrefix(message), "\(first.message)")
    if case .file = first.origin {} else { Issue.record("no place for \(first.message)") }
  }
}
