import DatabaseFixture
import Testing
import UpkeepCore

/// A time column in every form: a row exactly at the cutoff stays, one that is a unit older goes.
@Suite struct RetentionTimeTests {
  struct Form: Sendable, CustomTestStringConvertible {
    var name: String
    var type: String
    var atCutoff: [String]
    var older: [String]
    var now = RetentionFixture.now
    var testDescription: String { "\(name) in a column of type \(type)" }
  }

  /// 14 days before now: 2026-11-06 12:00:00, 1793966400 s.
  static let forms = [
    Form(
      name: "text", type: "TEXT",
      atCutoff: ["'2026-11-06 12:00:00'", "'2026-11-06T12:00:00Z'", "'2026-11-06T14:00:00+02:00'"],
      older: ["'2026-11-06 11:59:59.999999'", "'2026-11-06T11:59:59Z'", "'2026-11-06T13:59:59.9+02:00'"]),
    Form(
      name: "text", type: "DATETIME", atCutoff: ["'2026-11-06 12:00:00.000000'"], older: ["'2026-11-06 11:59:59'"]),
    Form(
      name: "unix_seconds", type: "INTEGER", atCutoff: ["1793966400", "1793966400.0"],
      older: ["1793966399", "1793966399.999999"]),
    Form(name: "unix_seconds", type: "", atCutoff: ["1793966400", "1793966400.25"], older: ["1793966399.5"]),
    Form(name: "unix_seconds", type: "TIMESTAMP", atCutoff: ["'1793966400'"], older: ["'1793966399'"]),
    Form(
      name: "unix_seconds", type: "REAL", atCutoff: ["1793968496.789123"], older: ["1793968496.789122", "1793968496"],
      now: RetentionFixture.now + .microseconds(2_096_789_123)),
    Form(name: "unix_milliseconds", type: "BIGINT", atCutoff: ["1793966400000"], older: ["1793966399999"]),
    Form(
      name: "unix_milliseconds", type: "INTEGER", atCutoff: ["1793966400001"], older: ["1793966400000"],
      now: RetentionFixture.now + .microseconds(1)),
    Form(name: "unix_microseconds", type: "INTEGER", atCutoff: ["1793966400000000"], older: ["1793966399999999"]),
    Form(
      name: "unix_nanoseconds", type: "INTEGER", atCutoff: ["1793966400000000000"], older: ["1793966399999999999"]),
    Form(
      name: "julian_day", type: "REAL", atCutoff: ["julianday('2026-11-06 12:00:00')"],
      older: ["julianday('2026-11-06 11:59:59.999')"]),
    Form(
      name: "julian_day", type: "REAL", atCutoff: ["julianday('2026-11-06 12:34:56.789')"],
      older: ["julianday('2026-11-06 12:34:56.788')"], now: RetentionFixture.now + .milliseconds(2_096_789)),
  ]

  @Test(arguments: forms, [true, false])
  func keepsARowAtTheCutoffAndDeletesAnOlderOne(form: Form, hasIndex: Bool) async throws {
    for format in ["auto", form.name] {
      let fixture = try await RetentionFixture("CREATE TABLE log(id INTEGER PRIMARY KEY, at \(form.type), kind TEXT)")
      if hasIndex { try await fixture.execute(["CREATE INDEX ix_at ON log(at)"]) }
      for (index, value) in form.atCutoff.enumerated() {
        try await fixture.execute(["INSERT INTO log VALUES (\(index + 1), \(value), 'stays')"])
      }
      for (index, value) in form.older.enumerated() {
        try await fixture.execute(["INSERT INTO log VALUES (\(index + 101), \(value), 'goes')"])
      }
      try await fixture.execute(["INSERT INTO log VALUES (99, NULL, 'stays')"])
      let run = try await fixture.run(
        #"[{"table": "log", "time_column": "at", "time_format": "\#(format)", "keep": "14d"}]"#, now: form.now)
      #expect(run.errors == [])
      #expect(run.warnings == [])
      #expect(run.counts == ["log_deleted": form.older.count])
      #expect(try await fixture.text("SELECT DISTINCT kind FROM log") == "stays")
      #expect(try await fixture.text("SELECT count(*) FROM log") == "\(form.atCutoff.count + 1)")
      let oldest = try #require(run.tables.first?.oldest)
      #expect(oldest < form.now - .seconds(14 * 86_400))
      #expect(oldest > form.now - .seconds(15 * 86_400))
    }
  }

  @Test(arguments: [
    ("unix_seconds", "1793966399", ["0", "-5", "1793966399000", "2461350.5", "'x'", "x'00'", "99999999"]),
    ("unix_milliseconds", "1793966399999", ["0", "1793966399", "1793966399999000", "'2020-01-01'"]),
    ("unix_microseconds", "1793966399999999", ["0", "1793966399", "1793966399999"]),
    ("unix_nanoseconds", "1793966399999999999", ["0", "1793966399999"]),
    ("julian_day", "2461350.5", ["0.0", "1793966399.0", "'2020-01-01'"]),
    ("text", "'2026-11-06 11:59:59'", ["0", "1793966399", "'yesterday'", "''", "x'00'"]),
  ])
  func keepsAndCountsWhatCannotBeRead(format: String, old: String, strays: [String]) async throws {
    let fixture = try await RetentionFixture("CREATE TABLE log(id INTEGER PRIMARY KEY, at)")
    for stray in strays { try await fixture.execute(["INSERT INTO log(at) VALUES (\(stray))"]) }
    try await fixture.execute(["INSERT INTO log VALUES (1000, \(old))", "INSERT INTO log VALUES (1001, NULL)"])
    let run = try await fixture.run(
      #"[{"table": "log", "time_column": "at", "time_format": "\#(format)", "keep": "14d"}]"#)
    #expect(run.counts == ["log_deleted": 1])
    #expect(try await fixture.text("SELECT count(*) FROM log") == "\(strays.count + 1)")
    let warning = try #require(run.warnings.first)
    #expect(warning.hasPrefix("log: \(strays.count) rows have no "))
    #expect(warning.contains(" in at that can be read; they are kept: "))
  }

  @Test func detectsTheFormOfMostValuesAndKeepsTheRest() async throws {
    let fixture = try await RetentionFixture("CREATE TABLE log(id INTEGER PRIMARY KEY, at INTEGER)")
    for number in 1...30 {
      try await fixture.execute(["INSERT INTO log VALUES (\(number), \(1_700_000_000 + number))"])
    }
    try await fixture.execute(["INSERT INTO log VALUES (40, 1700000000000), (41, 0), (42, '2020-01-01 00:00:00')"])
    let run = try await fixture.run(#"[{"table": "log", "time_column": "at", "keep": "14d"}]"#)
    #expect(try await fixture.text("SELECT id FROM log") == "40 41 42")
    #expect(
      run.warnings == [
        "log: 3 rows have no time in at that can be read; they are kept: as unix_seconds it is a number such as "
          + "1795176000"
      ])
  }

  @Test(arguments: [
    (
      ["1700000000", "1700000001", "'2020-01-01'"],
      "rules.0 (table log): time_column: at holds times in several forms: of 6 values 4 are unix_seconds such as "
        + "1700000000, 2 are text such as '2020-01-01'; write time_format: unix_seconds or time_format: text into the "
        + "rule; rows in another form are kept then"
    ),
    (
      ["20201231", "20210101"],
      "rules.0 (table log): time_column: at doesn't hold times: 0 of 4 values can be read, and 20201231 can't; name "
        + "another time_column, or say with time_format how it holds times: text, unix_seconds, unix_milliseconds, "
        + "unix_microseconds, unix_nanoseconds, julian_day"
    ),
    (
      ["2461350"],
      "rules.0 (table log): time_column: at doesn't hold times: 0 of 2 values can be read, and 2461350 can't; name "
        + "another time_column, or say with time_format how it holds times: text, unix_seconds, unix_milliseconds, "
        + "unix_microseconds, unix_nanoseconds, julian_day"
    ),
  ])
  func saysWhatToWriteWhereTheFormIsNotClear(values: [String], message: String) async throws {
    let fixture = try await RetentionFixture("CREATE TABLE log(id INTEGER PRIMARY KEY, at)")
    for value in values { try await fixture.execute(["INSERT INTO log(at) VALUES (\(value))"]) }
    let run = try await fixture.run(#"[{"table": "log", "time_column": "at", "keep": "14d"}]"#)
    #expect(run.errors.map(\.message) == [message])
    #expect(try await fixture.text("SELECT count(*) FROM log") == "\(values.count)")
  }

  @Test(arguments: ["", "(1, NULL), (2, NULL)"])
  func findsNothingInAColumnWithoutValues(rows: String) async throws {
    let fixture = try await RetentionFixture("CREATE TABLE log(id INTEGER PRIMARY KEY, at)")
    if !rows.isEmpty { try await fixture.execute(["INSERT INTO log VALUES \(rows)"]) }
    let run = try await fixture.run(#"[{"table": "log", "time_column": "at", "keep": "1s", "keep_last": 1}]"#)
    #expect(run.counts == ["log_deleted": 0])
    #expect(run.errors == [])
    #expect(run.warnings == [])
  }
}
