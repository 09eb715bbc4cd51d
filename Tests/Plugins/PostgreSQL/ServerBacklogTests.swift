import DatabaseFixture
import PostgresCluster
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepTestKit

/// A purge on a server that is behind with its log, or with vacuuming.
struct ServerBacklogTests {
  @Test func waitsWhileAReplicationSlotHoldsBackMoreOfTheLogThanItMay() async throws {
    let cluster = try PostgresCluster()
    let purge = try await SlowPurge(on: cluster, ServerLimits(logBacklog: 100_000))
    try await cluster.execute("SELECT pg_create_physical_replication_slot('lame', true)", in: "postgres")
    try await purge.waits(saying: "MB of its log for the replication slot lame; max_wal_backlog_mb is 0") {
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
    let purge = try await SlowPurge(on: cluster, ServerLimits(logBacklog: 16 << 20))
    // One segment is refused, and the next is full as well.
    for _ in 0..<2 {
      try await cluster.execute("SELECT pg_logical_emit_message(false, 'x', 'y')", in: "postgres")
      try await cluster.execute("SELECT pg_switch_wal()", in: "postgres")
    }
    var failures = ""
    for _ in 0..<600 where failures.isEmpty || failures == "0" {
      try await ContinuousClock().sleep(for: .milliseconds(50))
      failures = try await purge.server.text("SELECT failed_count FROM pg_stat_archiver")
    }
    try await purge.waits(saying: "of its log for its archive; max_wal_backlog_mb is 16") {
      try await archive("true")
    }
    // Segments that the archive has got count no more.
    try await cluster.execute("SELECT pg_switch_wal()", in: "postgres")
    #expect(try await purge.server.text("SELECT last_archived_wal IS NOT NULL FROM pg_stat_archiver") == "1")
    let again = purge.server.context(.run)
    try await purge.server.execute(["INSERT INTO reading VALUES (1, '2026-01-01')"])
    try await SlowPurge.run(in: again)
    #expect(again.journal.current.counts == ["reading_deleted": 1])
  }

  @Test func waitsForAutovacuum() async throws {
    // It would come once an hour; this test comes in its place.
    let cluster = try PostgresCluster(["autovacuum=on", "autovacuum_naptime=3600"])
    let purge = try await SlowPurge(
      on: cluster, ServerLimits(deadRows: 500), options: "WITH (autovacuum_vacuum_scale_factor = 0)")
    try await purge.waits(saying: "reading has ") {
      for _ in 0..<60 where try await purge.server.text("SELECT count(*) FROM reading") != "100" {
        try await purge.server.execute(["VACUUM reading"])
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
    try await SlowPurge.run(in: context)
    #expect(context.journal.current.counts == ["reading_deleted": 8000])
    #expect(
      context.journal.current.warnings.filter { $0.contains("vacuum") } == [
        "autovacuum doesn't come to reading_1, so the purge doesn't wait for it; it has more dead rows than "
          + "max_dead_rows: run VACUUM"
      ])
  }
}
