import DatabaseFixture
import Foundation
import OddsRetentionPlugin
import PostgresCluster
import Synchronization
import TableRetentionPlugin
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo
import UpkeepPurge
import UpkeepTestKit

/// Partitions that go as wholes, and all that keeps one from it. The cutoff is 2026-10-21 12:00:00 UTC.
struct ServerPartitionTests {
  private static let rules = #"[{"table": "logs", "time_column": "at", "keep": "30d"}]"#
  /// Three months, the cutoff's own cut at it, and one partition for what they don't cover.
  private static let bounds = [
    ("logs_1", "FROM (MINVALUE) TO ('2026-09-01 00:00+00')"),
    ("logs_2", "FROM ('2026-09-01 00:00+00') TO ('2026-10-01 00:00+00')"),
    ("logs_3", "FROM ('2026-10-01 00:00+00') TO ('2026-10-21 12:00+00')"),
    ("logs_4", "FROM ('2026-10-21 12:00+00') TO ('2026-11-01 00:00+00')"),
  ]
  private static let fill = """
    INSERT INTO logs SELECT i, timestamptz '2026-08-22 12:00+00' + i * interval '1 hour'
      FROM generate_series(0, 1599) i
    """

  private func fixture(
    drops: Bool = true, on cluster: PostgresCluster? = nil, _ statements: String...
  ) async throws -> ServerFixture {
    let server = try await ServerFixture(
      "CREATE TABLE logs(id int NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
      "CREATE INDEX logs_at ON logs(at)", on: cluster, dropsPartitions: drops)
    try await server.execute(
      Self.bounds.map { "CREATE TABLE \($0) PARTITION OF logs FOR VALUES \($1)" }
        + ["CREATE TABLE logs_rest PARTITION OF logs DEFAULT", Self.fill] + statements)
    return server
  }

  private func settings(_ rules: String = rules) throws -> TableRetentionSettings {
    let (settings, problems) = try RetentionFixture.settings(rules)
    try #require(problems.map(\.message) == [])
    return settings
  }

  private func run(_ server: ServerFixture, limits: RunLimits = RunLimits()) async throws -> RunJournal.Contents {
    let context = server.context(.run, limits: limits)
    try await TableRetentionTask().run(try settings(), in: context)
    return context.journal.current
  }

  private func partitions(_ server: ServerFixture, of table: String = "logs") async throws -> String {
    try await server.text(
      "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = '\(table)'::regclass ORDER BY 1")
  }

  /// The names of the partitions that a result says were dropped, and their rows.
  private func dropped(_ result: RunJournal.Contents) -> [String] {
    result.details.compactMap { detail in
      guard case .object(let values) = detail, values["kind"] == .string("partition_dropped"),
        case .integer(let rows)? = values["rows"], case .string(let name)? = values["partition"],
        case .integer(let bytes)? = values["bytes"], bytes > 0
      else { return nil }
      return "\(name) \(rows)"
    }
  }

  /// Of 1,600 rows, an hour apart, 1,440 lie before the cutoff.
  private func expectYoung(_ server: ServerFixture) async throws {
    #expect(try await server.text("SELECT count(*) || ' ' || min(id) FROM logs") == "160 1440")
  }

  @Test func dropsWhatEndsAtTheCutoff() async throws {
    let server = try await fixture()
    let done = try await server.work(TableRetentionTask(), settings())
    #expect(done.counts == ["logs_deleted": 1440])
    #expect(done.tables[0].oldest == Timestamp(text: "2026-08-22T12:00:00Z"))
    #expect(done.tables[0].newest == Timestamp(text: "2026-10-21T11:00:00Z"))
    #expect(dropped(done) == ["logs_1 228", "logs_2 720", "logs_3 492"])
    #expect(done.warnings == [])
    #expect(try await partitions(server) == "logs_4 logs_rest")
    try await expectYoung(server)
  }

  @Test func emptiesWhatEndsAMicrosecondLater() async throws {
    let server = try await fixture()
    try await server.execute([
      "DROP TABLE logs_3, logs_4",
      """
      CREATE TABLE logs_3 PARTITION OF logs
        FOR VALUES FROM ('2026-10-01 00:00+00') TO ('2026-10-21 12:00:00.000001+00')
      """,
      "INSERT INTO logs VALUES (1, '2026-10-21 12:00+00'), (2, '2026-10-21 11:59:59.999999+00')",
    ])
    let done = try await server.work(TableRetentionTask(), settings())
    #expect(done.counts == ["logs_deleted": 949])
    #expect(dropped(done) == ["logs_1 228", "logs_2 720"])
    #expect(try await partitions(server) == "logs_3 logs_rest")
    #expect(try await server.text("SELECT id FROM logs") == "1")
  }

  @Test func saysBeforehandWhatItDrops() async throws {
    let server = try await fixture()
    let context = server.context(.preview)
    try await TableRetentionTask().preview(try settings(), in: context)
    let foreseen = context.journal.current
    #expect(dropped(foreseen) == ["logs_1 228", "logs_2 720", "logs_3 492"])
    #expect(foreseen.tables[0].total == 1600)
    #expect(try await partitions(server) == "logs_1 logs_2 logs_3 logs_4 logs_rest")
    #expect(dropped(try await run(server)) == dropped(foreseen))
  }

  @Test func dropsNothingUnlessItIsWanted() async throws {
    let server = try await fixture(drops: false)
    let done = try await server.work(TableRetentionTask(), settings())
    #expect(done.counts == ["logs_deleted": 1440])
    #expect(dropped(done) == [])
    #expect(try await partitions(server) == "logs_1 logs_2 logs_3 logs_4 logs_rest")
    try await expectYoung(server)
  }

  @Test(arguments: [
    ("timestamp", "'2026-10-21 12:00'", "'2026-10-21 12:00:00.000001'"), ("date", "'2026-10-21'", "'2026-10-22'"),
    ("bigint", "1792584000", "1792584010"),
  ])
  func readsTheBoundsOfOtherTypes(type: String, whole: String, later: String) async throws {
    let server = try await ServerFixture(
      "CREATE TABLE logs(id int NOT NULL, at \(type) NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
      "CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM (MINVALUE) TO (\(whole))",
      "CREATE TABLE logs_2 PARTITION OF logs FOR VALUES FROM (\(whole)) TO (\(later))",
      "CREATE TABLE logs_3 PARTITION OF logs FOR VALUES FROM (\(later)) TO (MAXVALUE)",
      type == "bigint"
        ? "INSERT INTO logs SELECT i, 1792584000 - i FROM generate_series(-1000, 500) i"
        : "INSERT INTO logs SELECT i, timestamp '2026-10-21 12:00' - i * interval '1 day' "
          + "FROM generate_series(-20, 30) i",
      dropsPartitions: true)
    let rules = #"[{"table": "logs", "time_column": "at", "keep": "30d", "time_format": "#
    let done = try await server.work(
      TableRetentionTask(), settings("\(rules)\"\(type == "bigint" ? "unix_seconds" : "auto")\"}]"))
    #expect(dropped(done).map { $0.prefix(6) } == ["logs_1"])
    #expect(try await partitions(server) == "logs_2 logs_3")
    let first = type == "bigint" ? "1792584000" : type == "date" ? "2026-10-22" : "2026-10-21 12:00:00"
    #expect(try await server.text("SELECT min(at)::text FROM logs") == first)
  }

  /// The months of a server whose zone is thirteen hours ahead begin in the evening of the day before.
  @Test func readsBoundsOfAnotherZone() async throws {
    let server = try await ServerFixture(
      "SET TIME ZONE 'Pacific/Auckland'",
      "CREATE TABLE logs(id int NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
      "CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2026-10-01') TO ('2026-10-22 01:00:00')",
      "CREATE TABLE logs_2 PARTITION OF logs FOR VALUES FROM ('2026-10-22 01:00:00') TO ('2026-10-22 02:00:00')",
      "INSERT INTO logs VALUES (1, '2026-10-22 00:59:59'), (2, '2026-10-22 01:00:00'), (3, '2026-10-22 01:59:59')",
      dropsPartitions: true)
    let done = try await server.work(TableRetentionTask(), settings())
    #expect(dropped(done) == ["logs_1 1"])
    #expect(try await server.text("SELECT id FROM logs ORDER BY id") == "2 3")
  }

  @Test func dropsAnEmptyPartitionAndOneThatIsPartitionedAgain() async throws {
    let server = try await ServerFixture(
      """
      CREATE TABLE logs(id int NOT NULL, kind text NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (id, kind, at))
        PARTITION BY RANGE (at)
      """,
      "CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
      """
      CREATE TABLE logs_2 PARTITION OF logs FOR VALUES FROM ('2026-02-01') TO ('2026-10-01') PARTITION BY LIST (kind)
      """,
      "CREATE TABLE logs_2_a PARTITION OF logs_2 FOR VALUES IN ('a')",
      "CREATE TABLE logs_2_b PARTITION OF logs_2 FOR VALUES IN ('b')",
      "CREATE TABLE logs_3 PARTITION OF logs FOR VALUES FROM ('2026-10-01') TO ('2027-01-01')",
      """
      INSERT INTO logs SELECT i, CASE WHEN i % 3 = 0 THEN 'a' ELSE 'b' END,
        timestamptz '2026-02-02 00:00+00' + i * interval '1 hour' FROM generate_series(1, 7000) i
      """, dropsPartitions: true)
    let done = try await server.work(TableRetentionTask(), settings())
    #expect(dropped(done).map { $0.split(separator: " ")[0] } == ["logs_1", "logs_2"])
    #expect(try await partitions(server) == "logs_3")
    let left = "SELECT count(*) FROM pg_class WHERE relname LIKE 'logs\\_2%' AND relkind IN ('r', 'p')"
    #expect(try await server.text(left) == "0")
    #expect(try await server.text("SELECT min(at)::text FROM logs") == "2026-10-21 12:00:00+00")
  }

  /// Two rules for a table: what one takes the other doesn't count, whichever comes first.
  @Test(arguments: [true, false])
  func countsEachRowOnce(isWholeFirst: Bool) async throws {
    let server = try await fixture()
    let (all, even) = (
      #"{"table": "logs", "time_column": "at", "keep": "30d"}"#,
      #"{"table": "logs", "time_column": "at", "keep": "45d", "where": "id % 2 = 0"}"#
    )
    let rules = isWholeFirst ? "[\(all), \(even)]" : "[\(even), \(all)]"
    let done = try await server.work(TableRetentionTask(), settings(rules))
    #expect(done.counts == ["logs_deleted": 1440])
    let whole = ["logs_1 228", "logs_2 720", "logs_3 492"]
    #expect(dropped(done) == (isWholeFirst ? whole : ["logs_1 114", "logs_2 360", "logs_3 426"]))
    try await expectYoung(server)
  }

  /// What would notice that a row is deleted, and not that its table is dropped; each with the warning that it leads to.
  @Test(arguments: [
    (
      ["CREATE TABLE note(log int, at timestamptz, FOREIGN KEY (log, at) REFERENCES logs_2)"],
      "logs_2: emptied by batches instead of dropped, since a foreign key refers to it"
    ),
    (
      [
        "CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$",
        "CREATE TRIGGER see BEFORE DELETE ON logs_2 FOR EACH ROW EXECUTE FUNCTION see()",
      ], "logs_2: emptied by batches instead of dropped, since it has triggers for DELETE"
    ),
    (
      ["CREATE TABLE gone(id int)", "CREATE RULE see AS ON DELETE TO logs_2 DO ALSO INSERT INTO gone VALUES (OLD.id)"],
      "logs_2: emptied by batches instead of dropped, since it has rules for DELETE"
    ),
    (
      ["CREATE PUBLICATION news FOR TABLE logs_2"],
      "logs_2: emptied by batches instead of dropped, since it is published, and subscribers would keep its rows"
    ),
    (
      ["CREATE VIEW september AS SELECT * FROM logs_2"],
      "logs_2: emptied by batches instead of dropped, since a view or a function needs it"
    ),
    (
      ["CREATE FUNCTION kind(logs_2) RETURNS int LANGUAGE sql AS 'SELECT 1'"],
      "logs_2: emptied by batches instead of dropped, since cannot drop table logs_2 because other objects depend on it; "
        + "function kind(logs_2) depends on type logs_2"
    ),
  ])
  func emptiesAPartitionThatSomethingDependsOn(statements: [String], warning: String) async throws {
    let server = try await fixture()
    try await server.execute(statements)
    let done = try await server.work(TableRetentionTask(), settings())
    #expect(done.counts == ["logs_deleted": 1440])
    #expect(dropped(done) == ["logs_1 228", "logs_3 492"])
    #expect(done.warnings == [warning])
    #expect(try await partitions(server) == "logs_2 logs_4 logs_rest")
    try await expectYoung(server)
  }

  @Test(arguments: [
    #", "where": "id <> 7""#, #", "keep_last": 1"#, #", "keep_rows": 1"#,
  ])
  func dropsNothingWhereARuleAsksForMoreThanAge(more: String) async throws {
    let server = try await fixture()
    let done = try await server.work(
      TableRetentionTask(), settings(#"[{"table": "logs", "time_column": "at", "keep": "30d"\#(more)}]"#))
    #expect(dropped(done) == [])
    #expect(try await partitions(server) == "logs_1 logs_2 logs_3 logs_4 logs_rest")
  }

  @Test func dropsNothingOfATableWithExceptionsOrThatOthersReferTo() async throws {
    let server = try await fixture()
    let done = try await server.work(
      TableRetentionTask(), settings(), except: [RowException(table: "logs", rows: .matching("id = 7"))])
    #expect(done.counts == ["logs_deleted": 1439])
    #expect(dropped(done) == [])
    let other = try await fixture()
    try await other.execute([
      "CREATE TABLE note(id int PRIMARY KEY, log int, at timestamptz, FOREIGN KEY (log, at) REFERENCES logs)",
      "INSERT INTO note SELECT 1, id, at FROM logs WHERE id = 7",
    ])
    let kept = try await other.work(TableRetentionTask(), settings())
    #expect(kept.counts == ["logs_deleted": 1439])
    #expect(dropped(kept) == [])
    #expect(try await partitions(other) == "logs_1 logs_2 logs_3 logs_4 logs_rest")
  }

  /// `-infinity` is no time: its row stays, and with it its partition.
  @Test func keepsAPartitionWithARowThatStays() async throws {
    let server = try await fixture("INSERT INTO logs VALUES (5000, '-infinity')")
    let done = try await server.work(TableRetentionTask(), settings())
    #expect(done.counts == ["logs_deleted": 1440])
    #expect(dropped(done) == ["logs_2 720", "logs_3 492"])
    #expect(try await server.text("SELECT tableoid::regclass::text FROM logs WHERE id = 5000") == "logs_1")
  }

  @Test func dropsNoMoreThanItsBudget() async throws {
    let server = try await fixture()
    let done = try await run(server, limits: RunLimits(maxRows: 500))
    #expect(done.counts == ["logs_deleted": 500])
    #expect(done.reason == "budget")
    #expect(dropped(done) == ["logs_1 228"])
    #expect(dropped(try await run(server)).first?.hasPrefix("logs_2 ") == true)
    try await expectYoung(server)
  }

  @Test func saysWhoseMemberItMustBe() async throws {
    let cluster = try PostgresCluster()
    let server = try await fixture(on: cluster)
    try await server.execute(["CREATE ROLE sweeper LOGIN", "GRANT SELECT, DELETE ON logs TO sweeper"])
    let name = try await server.text("SELECT current_database()")
    let sweeper = PostgresDatabase(name: "odds", url: cluster.url(name, user: "sweeper"), dropsPartitions: true)
    let context = server.context(.run, database: sweeper)
    try await TableRetentionTask().run(try settings(), in: context)
    #expect(context.journal.current.counts == ["logs_deleted": 1440])
    #expect(
      context.journal.current.warnings == [
        "logs_1 and 2 more of logs: emptied by batches instead of dropped, since the user doesn't own it: GRANT upkeep TO "
          + "sweeper"
      ])
    #expect(try await partitions(server) == "logs_1 logs_2 logs_3 logs_4 logs_rest")
    try await expectYoung(server)
  }

  /// Somebody reads the table, in a transaction that goes on: the drop gives up, again and again, while others read on
  /// behind it, and what it would have dropped is emptied.
  @Test func givesUpWhereOthersReadAllTheTime() async throws {
    let server = try await fixture()
    let reader = try await server.database.open(.read, purpose: "reader")
    let others = try await server.database.open(.read, purpose: "others")
    // Nobody waits for longer than the drop itself does, which is a tenth of this.
    _ = try await others.perform { try $0.execute("SET lock_timeout = '1s'") }
    let context = server.context(.run, clock: LookClock { _ in })
    let hasGivenUp: @Sendable () -> Bool = {
      context.journal.current.warnings.contains { $0.contains("all the time") }
    }
    let isEnough = DispatchSemaphore(value: 0)
    async let reading: Void = reader.transaction(.read) { connection in
      _ = try connection.integer("SELECT count(*) FROM logs")
      isEnough.wait()
    }
    // The reader ends even where the test fails.
    defer { isEnough.signal() }
    try await awaitLock(server)
    let settings = try settings()
    async let run: Void = TableRetentionTask().run(settings, in: context)
    while !hasGivenUp() { _ = try await others.perform { try $0.integer("SELECT count(*) FROM logs") } }
    isEnough.signal()
    try await reading
    try await run
    let done = context.journal.current
    #expect(done.counts == ["logs_deleted": 1440])
    #expect(dropped(done) == [])
    #expect(
      done.warnings == [
        "logs_1: emptied by batches instead of dropped, since others use logs all the time (another session kept its lock "
          + "for too long (canceling statement due to lock timeout)); the next run tries again"
      ])
    try await expectYoung(server)
  }

  private func awaitLock(_ server: ServerFixture) async throws {
    while try await server.text("SELECT count(*) FROM pg_locks WHERE relation = 'logs_1'::regclass") == "0" {}
  }

  @Test func waitsForSomebodyWhoReadsForAMoment() async throws {
    let server = try await fixture()
    let reader = try await server.database.open(.read, purpose: "reader")
    let context = server.context(.run)
    let settings = try settings()
    async let reading: Void = reader.transaction(.read) { connection in
      _ = try connection.integer("SELECT count(*) FROM logs")
      while !context.journal.current.progress.message.hasPrefix("waiting: others use logs_1") {
        _ = try connection.integer("SELECT 1")
      }
    }
    try await awaitLock(server)
    try await TableRetentionTask().run(settings, in: context)
    try await reading
    #expect(dropped(context.journal.current) == ["logs_1 228", "logs_2 720", "logs_3 492"])
    #expect(context.journal.current.warnings == [])
    try await expectYoung(server)
  }

  /// Somebody goes on writing old rows into a partition so large that it is counted in parts. None of those writes waits
  /// for the 3 s after which it would fail.
  @Test func countsWhatOthersWriteMeanwhile() async throws {
    let server = try await ServerFixture(
      """
      CREATE TABLE logs(id serial NOT NULL, at timestamptz NOT NULL, note text, PRIMARY KEY (id, at))
        PARTITION BY RANGE (at)
      """,
      "CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM (MINVALUE) TO ('2026-10-01')",
      "CREATE TABLE logs_rest PARTITION OF logs DEFAULT",
      "INSERT INTO logs(at, note) SELECT '2026-01-01', repeat('x', 600) FROM generate_series(1, 60000) i",
      dropsPartitions: true)
    let writer = try await server.database.open(.write(.normal), purpose: "writer")
    let context = server.context(.run)
    let settings = try settings()
    let isOver = Atomic(false)
    async let run: Void = {
      defer { isOver.store(true, ordering: .sequentiallyConsistent) }
      try await TableRetentionTask().run(settings, in: context)
    }()
    var written = 0
    while !isOver.load(ordering: .sequentiallyConsistent) {
      written += try await writer.perform { try $0.execute("INSERT INTO logs(at) VALUES ('2026-02-01')") }
    }
    try await run
    let left = try #require(Int(try await server.text("SELECT count(*) FROM logs")))
    #expect(context.journal.current.errors == [])
    #expect(context.journal.current.counts == ["logs_deleted": 60_000 + written - left])
    #expect(dropped(context.journal.current).count == 1, "\(context.journal.current.warnings)")
  }

  /// The connection ends between the drop and its commit, or after the commit and before the server can say so.
  @Test(arguments: [true, false])
  func leavesAllOfAPartitionOrNothing(isCommitted: Bool) async throws {
    let cluster = try PostgresCluster(["synchronous_standby_names=nobody", "synchronous_commit=local"])
    let server = try await fixture(on: cluster)
    let wait = isCommitted ? "set_config('synchronous_commit', 'on', true)" : "pg_sleep(600)"
    try await server.execute([
      "CREATE SEQUENCE turn",
      """
      CREATE FUNCTION wait() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        IF current_query() LIKE 'DROP TABLE logs%' AND nextval('turn') = 2 THEN PERFORM \(wait); END IF; END $$
      """, "CREATE EVENT TRIGGER wait ON sql_drop EXECUTE FUNCTION wait()",
    ])
    let context = server.context(.run)
    let settings = try settings()
    let run = Task { try await TableRetentionTask().run(settings, in: context) }
    try await server.endRunThatWaits()
    try await run.value
    #expect(context.journal.current.errors == [])
    #expect(context.journal.current.counts == ["logs_deleted": 1440])
    #expect(dropped(context.journal.current) == ["logs_1 228", "logs_2 720", "logs_3 492"])
    try await expectYoung(server)
  }

  @Test func stopsBetweenPartitionsWhenCancelled() async throws {
    let server = try await fixture()
    try await server.execute([
      "CREATE FUNCTION wait() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN "
        + "IF current_query() = 'DROP TABLE logs_2' THEN PERFORM pg_sleep(600); END IF; END $$",
      "CREATE EVENT TRIGGER wait ON sql_drop EXECUTE FUNCTION wait()",
    ])
    let context = server.context(.run)
    let settings = try settings()
    let run = Task { try await TableRetentionTask().run(settings, in: context) }
    let name = try await server.text("SELECT current_database()")
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = '\(name)'"
    while try await server.text(waits) == "0" {}
    run.cancel()
    await #expect(throws: CancellationError.self) { try await run.value }
    #expect(context.journal.current.counts == ["logs_deleted": 228])
    #expect(dropped(context.journal.current) == ["logs_1 228"])
    #expect(try await partitions(server) == "logs_2 logs_3 logs_4 logs_rest")
    #expect(try await server.text("SELECT count(*) FROM logs") == "1372")
  }

  @Test func dropsMonthsOfTheOddsHistory() async throws {
    let file = try await OddsFixture(snapshots: 3000)
    let server = try await ServerFixture(.odds(now: OddsFixture.now), of: file.database.path, dropsPartitions: true)
    let settings = file.settings(19, 19)
    let rows = try await server.text("SELECT count(*) FROM market_odds_history_2026_10")
    let expected = try await file.run(settings)
    let done = try await server.work(OddsRetentionTask(), settings)
    #expect(done.counts == expected.counts)
    #expect(done.tables.map(\.oldest) == expected.tables.map(\.oldest))
    #expect(
      dropped(done) == [
        "market_odds_history_2026_08 0", "market_odds_history_2026_09 0", "market_odds_history_2026_10 \(rows)",
      ])
    #expect(
      try await partitions(server, of: "market_odds_history")
        == "market_odds_history_2026_11 market_odds_history_2026_12")
    #expect(try await partitions(server, of: "odds_snapshots") == "odds_snapshots_default")
  }
}
