import UpkeepPurge
import DatabaseFixture
import TableRetentionPlugin
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepTestKit

/// Rules for any tables of a PostgreSQL database: what goes, and what must survive.
struct ServerRetentionTests {
  private func work(
    _ server: ServerFixture, _ rules: String, except exceptions: [RowException] = []
  ) async throws -> RunJournal.Contents {
    let (settings, problems) = try RetentionFixture.settings(rules)
    try #require(problems.map(\.message) == [])
    return try await server.work(TableRetentionTask(), settings, except: exceptions)
  }

  /// One row exactly at the cutoff, one a microsecond before it, one without a time, two that lie in no year.
  @Test(arguments: ["timestamptz", "timestamp"])
  func keepsARowExactlyAtTheCutoff(type: String) async throws {
    let server = try await ServerFixture(
      "CREATE TABLE logs(id int PRIMARY KEY, at \(type))",
      """
      INSERT INTO logs VALUES (1, '2026-10-21 12:00:00+00'), (2, '2026-10-21 11:59:59.999999+00'), (3, NULL),
        (4, 'infinity'), (5, '-infinity'), (6, '2026-10-22 00:00:00+00')
      """)
    let done = try await work(server, #"[{"table": "logs", "time_column": "at", "keep": "30d"}]"#)
    #expect(done.counts == ["logs_deleted": 1])
    #expect(try await server.text("SELECT id FROM logs ORDER BY id") == "1 3 4 5 6")
    #expect(done.tables[0].oldest == Timestamp(text: "2026-10-21T11:59:59.999999Z"))
  }

  @Test func comparesDaysAndNumbersAsInstants() async throws {
    let server = try await ServerFixture(
      "CREATE TABLE days(id int PRIMARY KEY, day date)", "CREATE TABLE seconds(id int PRIMARY KEY, at bigint)",
      "INSERT INTO days VALUES (1, '2026-10-21'), (2, '2026-10-22'), (3, '2026-10-20')",
      // 2026-10-21 12:00:00, a second before, and what is no time.
      "INSERT INTO seconds VALUES (1, 1792584000), (2, 1792583999), (3, 0), (4, -1)",
      "INSERT INTO seconds SELECT i, 1795176000 FROM generate_series(5, 60) i")
    let done = try await work(
      server,
      """
      [{"table": "days", "time_column": "day", "keep": "30d"},
       {"table": "seconds", "time_column": "at", "keep": "30d", "time_format": "unix_seconds"}]
      """)
    #expect(done.counts == ["days_deleted": 2, "seconds_deleted": 1])
    #expect(try await server.text("SELECT id FROM days") == "2")
    #expect(try await server.text("SELECT id FROM seconds WHERE id < 5 ORDER BY id") == "1 3 4")
    #expect(
      done.warnings == [
        "seconds: 2 rows have no time in at that can be read; they are kept: as unix_seconds it is a number such as "
          + "1795176000"
      ])
  }

  /// A tree of tables: what cascades goes along, what doesn't keeps, what may be unlinked is.
  @Test func followsForeignKeys() async throws {
    let server = try await ServerFixture(
      "CREATE SCHEMA other", "CREATE TABLE batch(id int PRIMARY KEY, at timestamptz NOT NULL)",
      "CREATE TABLE item(id int PRIMARY KEY, batch int NOT NULL REFERENCES batch ON DELETE CASCADE)",
      "CREATE TABLE part(id int PRIMARY KEY, item int NOT NULL REFERENCES item ON DELETE CASCADE)",
      "CREATE TABLE note(id int PRIMARY KEY, batch int REFERENCES batch ON DELETE SET NULL)",
      "CREATE TABLE other.bill(id int PRIMARY KEY, item int NOT NULL REFERENCES item)",
      "INSERT INTO batch SELECT i, '2026-01-01' FROM generate_series(1, 20) i",
      "INSERT INTO batch VALUES (21, '2026-11-19')",
      "INSERT INTO item SELECT i, 1 + i % 21 FROM generate_series(0, 209) i",
      "INSERT INTO part SELECT i, i % 210 FROM generate_series(0, 419) i",
      "INSERT INTO note SELECT i, i FROM generate_series(1, 21) i", "INSERT INTO other.bill VALUES (1, 4), (2, 25)")
    let done = try await work(server, #"[{"table": "batch", "time_column": "at", "keep": "30d"}]"#)
    #expect(
      done.counts == ["batch_deleted": 19, "item_deleted": 190, "part_deleted": 380, "note_unlinked": 19])
    #expect(done.tables.first { $0.table == "batch" }?.keptReferenced == 1)
    #expect(done.tables.first { $0.table == "batch" }?.referencedBy == ["bill"])
    #expect(try await server.text("SELECT id FROM batch ORDER BY id") == "5 21")
    #expect(try await server.text("SELECT count(*) FROM item") == "20")
    #expect(try await server.text("SELECT count(*) FROM part") == "40")
    #expect(try await server.text("SELECT id FROM note WHERE batch IS NOT NULL ORDER BY id") == "5 21")
  }

  /// What goes along with one rule's rows isn't counted a second time where another rule is about it.
  @Test func countsOnceWhatTwoRulesTake() async throws {
    let server = try await ServerFixture(
      "CREATE TABLE job(id int PRIMARY KEY, at timestamptz NOT NULL)",
      "CREATE TABLE log(id int PRIMARY KEY, job int REFERENCES job ON DELETE CASCADE, at timestamptz NOT NULL)",
      "CREATE TABLE bill(id int PRIMARY KEY, job int NOT NULL REFERENCES job)",
      "CREATE INDEX ON log(job)", "CREATE INDEX ON bill(job)",
      "INSERT INTO job VALUES (1, '2026-01-01'), (2, '2026-01-01'), (3, '2026-11-19')",
      "INSERT INTO bill VALUES (1, 2)",
      // Of each job one old and one young; of none one old.
      "INSERT INTO log SELECT i, i, '2026-01-01' FROM generate_series(1, 3) i",
      "INSERT INTO log SELECT 10 + i, i, '2026-11-19' FROM generate_series(1, 3) i",
      "INSERT INTO log VALUES (20, NULL, '2026-01-01')")
    let done = try await work(
      server,
      """
      [{"table": "job", "time_column": "at", "keep": "30d"}, {"table": "log", "time_column": "at", "keep": "30d"}]
      """)
    #expect(done.counts == ["job_deleted": 1, "log_deleted": 5])
    #expect(try await server.text("SELECT id FROM log ORDER BY id") == "12 13")
    #expect(try await server.text("SELECT id FROM job ORDER BY id") == "2 3")
  }

  @Test func keepsTheNewestOfEachGroup() async throws {
    let server = try await ServerFixture(
      "CREATE TABLE reading(id bigserial PRIMARY KEY, device text, at timestamp NOT NULL, value float)",
      """
      INSERT INTO reading(device, at, value) SELECT CASE WHEN i % 3 = 0 THEN NULL ELSE 'd' || i % 3 END,
        timestamp '2026-01-01' + i * interval '1 hour', i FROM generate_series(1, 300) i
      """)
    let done = try await work(
      server,
      #"[{"table": "reading", "time_column": "at", "keep": "30d", "keep_last": 10, "per": "device", "where": "value > 3"}]"#
    )
    #expect(done.counts == ["reading_deleted": 267])
    #expect(try await server.text("SELECT count(*) FROM reading WHERE value <= 3") == "3")
    #expect(try await server.text("SELECT min(value)::int FROM reading WHERE value > 3") == "271")
  }

  @Test func leavesExceptedRowsAndWhatTheyBelongTo() async throws {
    let server = try await ServerFixture(
      "CREATE TABLE job(id int PRIMARY KEY, at timestamptz)",
      "CREATE TABLE log(id int PRIMARY KEY, job int REFERENCES job ON DELETE CASCADE, held boolean)",
      "INSERT INTO job SELECT i, '2026-01-01' FROM generate_series(1, 10) i",
      "INSERT INTO log SELECT i, 1 + i % 10, i = 4 FROM generate_series(1, 30) i")
    let done = try await work(
      server, #"[{"table": "job", "time_column": "at", "keep": "30d"}]"#,
      except: [
        RowException(table: "job", rows: .keys([.integer(2)])), RowException(table: "log", rows: .matching("held")),
      ])
    #expect(done.counts == ["job_deleted": 8, "log_deleted": 24])
    #expect(done.tables.first { $0.table == "job" }?.keptExcepted == 2)
    #expect(try await server.text("SELECT id FROM job ORDER BY id") == "2 5")
    #expect(try await server.text("SELECT count(*) FROM log") == "6")
  }

  /// A table that nothing tells by name in a test: all tables that a rule can't be carried out on.
  @Test(arguments: [
    ("logs_old", "unsupported_table", "this is a partition; name the partitioned table that it belongs to"),
    ("bare", "unsupported_table", "it has neither a primary key nor a unique index on columns that are NOT NULL"),
    ("words", "unsupported_time", "at is of type text; on PostgreSQL times are read from columns of a type for times"),
    ("tree", "unsupported_references", "refers to each other in a ring, or in several ways"),
    ("base", "unsupported_table", "other tables inherit from it, whose rows would go with its own"),
    ("shown", "unsupported_table", "this is a view; name the table that its rows lie in"),
  ])
  func refusesWhatItCannotPurge(table: String, code: String, problem: String) async throws {
    let server = try await ServerFixture(
      "CREATE TABLE logs(id int, at timestamptz NOT NULL) PARTITION BY RANGE (at)",
      "CREATE TABLE logs_old PARTITION OF logs DEFAULT", "CREATE TABLE bare(at timestamptz)",
      "CREATE TABLE words(id int PRIMARY KEY, at text)",
      "CREATE TABLE tree(id int PRIMARY KEY, at timestamptz, up int REFERENCES tree ON DELETE CASCADE)",
      "CREATE TABLE base(id int PRIMARY KEY, at timestamptz)", "CREATE TABLE derived() INHERITS (base)",
      "CREATE VIEW shown AS SELECT * FROM words")
    let rules = """
      [{"table": "\(table)", "time_column": "at", "keep": "30d", "time_format": "text"}]
      """
    let (settings, _) = try RetentionFixture.settings(rules)
    let context = server.context(.preview)
    try await TableRetentionTask().preview(settings, in: context)
    let error = try #require(context.journal.current.errors.first)
    // A partition and a view are no tables of the catalogue, so the rule itself says that there is none.
    #expect(error.code == code || (error.code == "missing_table" && ["logs_old", "base", "shown"].contains(table)))
    if error.code == code { #expect(error.message.contains(problem)) }
  }

  @Test func refusesAnExpressionThatMeansNothing() async throws {
    let server = try await ServerFixture("CREATE TABLE logs(id int PRIMARY KEY, level text)")
    let (settings, _) = try RetentionFixture.settings(#"[{"table": "logs", "where": "levle = 'x'"}]"#)
    let context = server.context(.preview)
    try await TableRetentionTask().preview(settings, in: context)
    #expect(context.journal.current.errors.map(\.code) == ["bad_expression"])
    #expect(context.journal.current.errors[0].message.contains(#"column "levle" does not exist"#))
  }
}
