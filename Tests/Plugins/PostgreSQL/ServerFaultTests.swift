import UpkeepPurge
import DatabaseFixture
import Foundation
import PostgresCluster
import Synchronization
import TableRetentionPlugin
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepTestKit

/// What happens while a purge of a PostgreSQL database goes on: others change the same rows, the server is started anew,
/// the run is stopped. Whatever happens, what is counted is what was committed.
struct ServerFaultTests {
  private static let rules = #"[{"table": "snapshot", "time_column": "at", "keep": "30d"}]"#

  /// Old snapshots, each with two markets, and 100 young ones.
  ///
  /// - Parameter listed: Whether bets may hold them: then they are listed first, otherwise they go in ranges of their keys.
  private func makeFixture(
    _ rows: Int = 3000, listed: Bool = true, on cluster: PostgresCluster? = nil
  ) async throws -> ServerFixture {
    let server = try await ServerFixture(
      "CREATE TABLE snapshot(id int PRIMARY KEY, at timestamptz NOT NULL)",
      "CREATE TABLE market(id int PRIMARY KEY, snapshot int NOT NULL REFERENCES snapshot ON DELETE CASCADE)",
      "CREATE INDEX market_snapshot ON market(snapshot)",
      "INSERT INTO snapshot SELECT i, '2026-01-01' FROM generate_series(1, \(rows)) i",
      "INSERT INTO snapshot SELECT i, '2026-11-19' FROM generate_series(\(rows + 1), \(rows + 100)) i",
      "INSERT INTO market SELECT i, 1 + i % \(rows + 100) FROM generate_series(0, \(2 * rows + 199)) i", on: cluster)
    guard listed else { return server }
    try await server.execute([
      "CREATE TABLE bet(id int PRIMARY KEY, snapshot int NOT NULL REFERENCES snapshot)",
      "CREATE INDEX bet_snapshot ON bet(snapshot)",
    ])
    return server
  }

  private func settings() throws -> TableRetentionSettings { try RetentionFixture.settings(Self.rules).settings }

  private func expectCounts(_ context: TaskContext, of server: ServerFixture, _ rows: Int = 3000) async throws {
    let counts = context.journal.current.counts
    #expect(
      try await server.text("SELECT \(rows + 100) - count(*) FROM snapshot") == "\(counts["snapshot_deleted"] ?? 0)")
    #expect(
      try await server.text("SELECT \(2 * rows + 200) - count(*) FROM market") == "\(counts["market_deleted"] ?? 0)")
    #expect(try await server.text("SELECT count(*) FROM snapshot WHERE id > \(rows)") == "100")
    #expect(try await server.text("SELECT count(*) FROM market WHERE snapshot > \(rows)") == "200")
    let orphans = "SELECT count(*) FROM market WHERE snapshot NOT IN (SELECT id FROM snapshot)"
    #expect(try await server.text(orphans) == "0")
  }

  /// Ten restarts, every second one a crash, before and after batches.
  @Test(arguments: [true, false]) func goesOnAfterTheServerWasStartedAnew(listed: Bool) async throws {
    let cluster = try PostgresCluster()
    let server = try await makeFixture(10_000, listed: listed, on: cluster)
    let restarts = Mutex(0)
    let clock = LookClock { look in
      let number = restarts.withLock { restarts -> Int? in
        guard look > 1, look % 3 == 0 || look % 5 == 0, restarts < 10 else { return nil }
        restarts += 1
        return restarts
      }
      if let number { try cluster.restart(crash: number % 2 == 0) }
    }
    let context = server.context(.run, clock: clock)
    try await TableRetentionTask().run(try settings(), in: context)
    #expect(clock.error == nil)
    #expect(restarts.withLock { $0 } == 10)
    #expect(context.journal.current.errors == [])
    #expect(context.journal.current.counts == ["snapshot_deleted": 10_000, "market_deleted": 20_000])
    try await expectCounts(context, of: server, 10_000)
  }

  /// The server has committed a batch, but the connection is gone before it can say so.
  @Test(arguments: [true, false])
  func knowsWhatBecameOfABatchThatNobodyConfirmed(isCommitted: Bool) async throws {
    let cluster = try PostgresCluster(["synchronous_standby_names=nobody", "synchronous_commit=local"])
    let server = try await makeFixture(on: cluster)
    // At its first commit the batch waits for a replica that there isn't, or in a trigger before it is committed.
    let wait = isCommitted ? "set_config('synchronous_commit', 'on', true)" : "pg_sleep(600)"
    try await server.execute([
      "CREATE SEQUENCE turn",
      """
      CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF nextval('turn') = 1 THEN PERFORM \(wait); END IF; RETURN NULL; END $$
      """,
      """
      CREATE CONSTRAINT TRIGGER wait AFTER DELETE ON snapshot DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
      EXECUTE FUNCTION wait()
      """,
    ])
    let context = server.context(.run)
    let settings = try settings()
    let run = Task { try await TableRetentionTask().run(settings, in: context) }
    try await server.endRunThatWaits()
    try await run.value
    #expect(context.journal.current.errors == [])
    #expect(context.journal.current.counts["snapshot_deleted"] == 3000)
    try await expectCounts(context, of: server)
  }

  @Test(arguments: [true, false]) func countsWhatWasCommittedWhenCancelled(listed: Bool) async throws {
    let server = try await makeFixture(listed: listed)
    let clock = LookClock { if $0 == 5 { withUnsafeCurrentTask { $0?.cancel() } } }
    let context = server.context(.run, clock: clock)
    let settings = try settings()
    await #expect(throws: CancellationError.self) {
      try await Task { try await TableRetentionTask().run(settings, in: context) }.value
    }
    let deleted = context.journal.current.counts["snapshot_deleted"] ?? 0
    #expect(deleted > 0 && deleted < 3000)
    try await expectCounts(context, of: server)
    try await server.work(TableRetentionTask(), settings)
    #expect(try await server.text("SELECT count(*) FROM snapshot") == "100")
  }

  @Test(arguments: [1, 2, 3, 100, 3001], [true, false])
  func keepsToItsBudget(rows: Int, listed: Bool) async throws {
    let server = try await makeFixture(listed: listed)
    let context = server.context(.run, limits: RunLimits(maxRows: rows))
    try await TableRetentionTask().run(try settings(), in: context)
    let counts = context.journal.current.counts
    let deleted = (counts["snapshot_deleted"] ?? 0) + (counts["market_deleted"] ?? 0)
    // One row with its two children goes in any case.
    #expect(deleted > 0 && deleted < rows + 3)
    #expect(context.journal.current.reason == "budget")
    try await expectCounts(context, of: server)
  }

  /// Somebody changes a doomed row, refers to one and deletes one while the batch that would take them waits for them.
  @Test(arguments: [true, false]) func leavesWhatOthersChangeMeanwhile(listed: Bool) async throws {
    let server = try await makeFixture(listed: listed)
    let rival = try await server.database.open(.write(.normal), purpose: "rival")
    let watch =
      "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'upkeep/test' AND wait_event_type = 'Lock'"
    let name = try await server.text("SELECT current_database()")
    async let changes: Void = rival.transaction(.write) { connection in
      try connection.execute("UPDATE snapshot SET at = '2026-11-20' WHERE id = 5")
      if listed { try connection.execute("INSERT INTO bet VALUES (1, 9)") }
      try connection.execute("DELETE FROM market WHERE snapshot = 12")
      try connection.execute("DELETE FROM snapshot WHERE id = 12")
      while try connection.integer("\(watch) AND datname = ?1", [.text(name)]) == 0 {
        _ = try connection.rows("SELECT pg_stat_clear_snapshot()")
      }
    }
    let locked = "SELECT count(*) FROM pg_locks WHERE relation = 'market'::regclass AND mode = 'RowExclusiveLock'"
    while try await server.text("\(locked)") == "0" {}
    let context = server.context(.run)
    try await TableRetentionTask().run(try settings(), in: context)
    try await changes
    #expect(context.journal.current.errors == [])
    let left = try await server.text("SELECT id FROM snapshot WHERE id <= 3000 ORDER BY id")
    #expect(left == (listed ? "5 9" : "5"))
    let (snapshots, markets) = listed ? (2997, 5994) : (2998, 5996)
    #expect(try await server.text("SELECT count(*) FROM market WHERE snapshot <= 3000") == "\(5998 - markets)")
    #expect(context.journal.current.counts == ["snapshot_deleted": snapshots, "market_deleted": markets])
    #expect(
      context.journal.current.tables.first { $0.table == "snapshot" }?.keptReferenced == (listed ? 1 : 0))
  }

  @Test(arguments: [true, false]) func triesAgainAfterADeadlock(listed: Bool) async throws {
    let server = try await makeFixture(listed: listed)
    let rival = try await server.database.open(.write(.normal), purpose: "rival")
    let name = try await server.text("SELECT current_database()")
    let watch =
      "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'upkeep/test' AND wait_event_type = 'Lock'"
    async let changes: Void = rival.transaction(.write) { connection in
      try connection.execute("SET LOCAL deadlock_timeout = '60s'")
      try connection.execute("SET LOCAL lock_timeout = 0")
      try connection.execute("UPDATE snapshot SET at = at WHERE id = 5")
      while try connection.integer("\(watch) AND datname = ?1", [.text(name)]) == 0 {
        _ = try connection.rows("SELECT pg_stat_clear_snapshot()")
      }
      // The purge has this row already, and waits for that one.
      try connection.execute("UPDATE market SET snapshot = snapshot WHERE snapshot = 5")
    }
    let locked = """
      SELECT count(*) FROM pg_locks WHERE relation = 'snapshot'::regclass AND mode = 'RowExclusiveLock' AND granted
      """
    while try await server.text(locked) == "0" {}
    let context = server.context(.run)
    try await TableRetentionTask().run(try settings(), in: context)
    try await changes
    #expect(context.journal.current.errors == [])
    #expect(context.journal.current.counts == ["snapshot_deleted": 3000, "market_deleted": 6000])
    try await expectCounts(context, of: server)
  }
}
