import DatabaseFixture
import Foundation
import PostgresCluster
import TableRetentionPlugin
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepPurge
import UpkeepTestKit

/// A purge on a server that is behind with its log, or with vacuuming.
struct ServerBacklogTests {
  private static let rules = #"[{"table": "reading", "time_column": "at", "keep": "30d"}]"#

  /// Each row takes a while, so that a purge outlasts several looks.
  private func fixture(on cluster: PostgresCluster, _ limits: ServerLimits, more: String = "") async throws
    -> ServerFixture
  {
    try await ServerFixture(
      "CREATE TABLE reading(id int PRIMARY KEY, at timestamptz NOT NULL) \(more)",
      "CREATE INDEX ix_reading_at ON reading(at)",
      "INSERT INTO reading SELECT i, '2026-01-01' FROM generate_series(1, 6000) i",
      "INSERT INTO reading SELECT i, '2026-11-19' FROM generate_series(6001, 6100) i",
      "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
        + "$$ BEGIN PERFORM pg_sleep(0.0005); RETURN OLD; END $$",
      "CREATE TRIGGER slow BEFORE DELETE ON reading FOR EACH ROW EXECUTE FUNCTION slow()",
      on: cluster, limits: limits)
  }

  /// Runs until the purge waits with this message, sees that it does, lets it go on, and sees what is left.
  private func work(_ server: ServerFixture, waiting message: String, release: @Sendable () async throws -> Void)
    async throws
  {
    let context = server.context(.run)
    let run = Task {
      try await TableRetentionTask().run(try RetentionFixture.settings(Self.rules).settings, in: context)
    }
    var said = ""
    for _ in 0..<600 where !said.hasPrefix("waiting: ") {
      try await ContinuousClock().sleep(for: .milliseconds(50))
      said = context.journal.current.progress.message
    }
    #expect(said.contains(message), "\(said)")
    let left = try await server.text("SELECT count(*) FROM reading")
    #expect(Int(left) ?? 0 > 100, "the purge was over before it could wait")
    // Two more looks, each of which reports that it waits.
    let reports = context.journal.current.revision
    for _ in 0..<600 where context.journal.current.revision < reports + 2 {
      try await ContinuousClock().sleep(for: .milliseconds(50))
    }
    #expect(try await server.text("SELECT count(*) FROM reading") == left)
    try await release()
    try await run.value
    #expect(context.journal.current.counts == ["reading_deleted": 6000])
    #expect(context.journal.current.warnings == [])
    #expect(try await server.text("SELECT min(id) || ' ' || count(*) FROM reading") == "6001 100")
  }

  @Test func waitsWhileAReplicationSlotHoldsBackMoreOfTheLogThanItMay() async throws {
    let cluster = try PostgresCluster()
    let server = try await fixture(on: cluster, ServerLimits(logBacklog: 100_000))
    try await cluster.execute("SELECT pg_create_physical_replication_slot('lame', true)", in: "postgres")
    try await work(server, waiting: "MB of its log for the replication slot lame; max_wal_backlog_mb is 0") {
      try await cluster.execute("SELECT pg_drop_replication_slot('lame')", in: "postgres")
    }
  }

  @Test func waitsWhileTheArchiveRefusesTheLog() async throws {
    let cluster = try PostgresCluster(["archive_mode=on"])
    let archive: @Sendable (String) async throws -> Void = { command in
      try await cluster.execute("ALTER SYSTEM SET archive_command = '\(command)'", in: "postgres")
      try await cluster.execute("SELECT pg_reload_conf()", in: "postgres")
    }
    try await archive("false")
    let server = try await fixture(on: cluster, ServerLimits(logBacklog: 16 << 20))
    // One segment is refused, and the next is full as well.
    for _ in 0..<2 {
      try await cluster.execute("SELECT pg_logical_emit_message(false, 'x', 'y')", in: "postgres")
      try await cluster.execute("SELECT pg_switch_wal()", in: "postgres")
    }
    var failures = ""
    for _ in 0..<600 where failures.isEmpty || failures == "0" {
      try await ContinuousClock().sleep(for: .milliseconds(50))
      failures = try await server.text("SELECT failed_count FROM pg_stat_archiver")
    }
    try await work(server, waiting: "of its log for its archive; max_wal_backlog_mb is 16") {
      try await archive("true")
    }
    // Segments that the archive has got count no more.
    try await cluster.execute("SELECT pg_switch_wal()", in: "postgres")
    #expect(try await server.text("SELECT last_archived_wal IS NOT NULL FROM pg_stat_archiver") == "1")
    let again = server.context(.run)
    try await server.execute(["INSERT INTO reading VALUES (1, '2026-01-01')"])
    try await TableRetentionTask().run(try RetentionFixture.settings(Self.rules).settings, in: again)
    #expect(again.journal.current.counts == ["reading_deleted": 1])
  }

  @Test func waitsForAutovacuum() async throws {
    // It would come once an hour; this test comes in its place.
    let cluster = try PostgresCluster(["autovacuum=on", "autovacuum_naptime=3600"])
    let server = try await fixture(
      on: cluster, ServerLimits(deadRows: 500), more: "WITH (autovacuum_vacuum_scale_factor = 0)")
    try await work(server, waiting: "reading has ") {
      for _ in 0..<60 where try await server.text("SELECT count(*) FROM reading") != "100" {
        try await server.execute(["VACUUM reading"])
        try await ContinuousClock().sleep(for: .milliseconds(200))
      }
    }
  }

  /// Partitions are vacuumed each for itself, and their threshold may be above the limit.
  @Test func waitsNeitherForATableThatAutovacuumLeavesAloneNorBelowItsThreshold() async throws {
    let cluster = try PostgresCluster(["autovacuum=on", "autovacuum_naptime=3600"])
    let server = try await ServerFixture(
      "CREATE TABLE reading(id int, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
      "CREATE TABLE reading_1 PARTITION OF reading FOR VALUES FROM ('2026-01-01') TO ('2026-02-01') "
        + "WITH (autovacuum_enabled = off)",
      "CREATE TABLE reading_2 PARTITION OF reading FOR VALUES FROM ('2026-02-01') TO ('2026-03-01') "
        + "WITH (autovacuum_vacuum_threshold = 1000000)",
      "INSERT INTO reading SELECT i, '2026-01-01' FROM generate_series(1, 6000) i",
      "INSERT INTO reading SELECT i, '2026-02-01' FROM generate_series(1, 6000) i",
      "DELETE FROM reading WHERE id <= 2000", on: cluster, limits: ServerLimits(deadRows: 500))
    var dead = ""
    for _ in 0..<600 where dead != "2000 2000" {
      try await ContinuousClock().sleep(for: .milliseconds(50))
      dead = try await server.text(
        "SELECT string_agg(n_dead_tup::text, ' ') FROM pg_stat_user_tables WHERE relname LIKE 'reading%' AND n_dead_tup > 0"
      )
    }
    #expect(dead == "2000 2000")
    let context = server.context(.run)
    try await TableRetentionTask().run(try RetentionFixture.settings(Self.rules).settings, in: context)
    #expect(context.journal.current.counts == ["reading_deleted": 8000])
    #expect(
      context.journal.current.warnings.filter { $0.contains("vacuum") } == [
        "autovacuum doesn't come to reading_1, so the purge doesn't wait for it; it has more dead rows than "
          + "max_dead_rows: run VACUUM"
      ])
  }
}
