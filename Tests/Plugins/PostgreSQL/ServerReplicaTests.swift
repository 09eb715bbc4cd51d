import UpkeepPurge
import DatabaseFixture
import PostgresCluster
import Synchronization
import TableRetentionPlugin
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepTestKit

/// A purge beside a replica.
struct ServerReplicaTests {
  private static let rules = #"[{"table": "reading", "time_column": "at", "keep": "30d"}]"#

  /// Each row takes a while, so that a purge outlasts several looks at the replica.
  private func fixture(on cluster: PostgresCluster) async throws -> ServerFixture {
    try await ServerFixture(
      "CREATE TABLE reading(id int PRIMARY KEY, at timestamptz NOT NULL)",
      "CREATE INDEX ix_reading_at ON reading(at)",
      "INSERT INTO reading SELECT i, '2026-01-01' FROM generate_series(1, 6000) i",
      "INSERT INTO reading SELECT i, '2026-11-19' FROM generate_series(6001, 6100) i",
      "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
        + "$$ BEGIN PERFORM pg_sleep(0.0005); RETURN OLD; END $$",
      "CREATE TRIGGER slow BEFORE DELETE ON reading FOR EACH ROW EXECUTE FUNCTION slow()",
      on: cluster, limits: ServerLimits(replicaLag: .milliseconds(500)))
  }

  @Test func waitsForAReplicaThatIsBehindAndSaysSo() async throws {
    let primary = try PostgresCluster()
    let server = try await fixture(on: primary)
    let replica = try PostgresCluster(replicaOf: primary)
    try await replica.execute("SELECT pg_wal_replay_pause()", in: "postgres")
    let context = server.context(.run)
    let run = Task {
      try await TableRetentionTask().run(try RetentionFixture.settings(Self.rules).settings, in: context)
    }
    var waited = false
    for _ in 0..<600 where !waited {
      try await ContinuousClock().sleep(for: .milliseconds(50))
      waited = context.journal.current.progress.message.hasPrefix("waiting: a replica is ")
    }
    #expect(waited)
    let left = try await server.text("SELECT count(*) FROM reading")
    #expect(Int(left) ?? 0 > 100, "the purge was over before it could wait")
    // Two more looks, each of which reports that it waits.
    let reports = context.journal.current.revision
    for _ in 0..<600 where context.journal.current.revision < reports + 2 {
      try await ContinuousClock().sleep(for: .milliseconds(50))
    }
    #expect(context.journal.current.revision >= reports + 2)
    #expect(try await server.text("SELECT count(*) FROM reading") == left)
    try await replica.execute("SELECT pg_wal_replay_resume()", in: "postgres")
    try await run.value
    #expect(context.journal.current.counts == ["reading_deleted": 6000])
    #expect(context.journal.current.warnings == [])
    #expect(try await server.text("SELECT min(id) || ' ' || count(*) FROM reading") == "6001 100")
  }

  @Test func saysThatItMayNotLookAtReplicas() async throws {
    let primary = try PostgresCluster()
    let server = try await fixture(on: primary)
    let replica = try PostgresCluster(replicaOf: primary)
    try await server.execute(["CREATE ROLE blind LOGIN", "GRANT SELECT, DELETE ON reading TO blind"])
    let name = try await server.text("SELECT current_database()")
    let blind = PostgresDatabase(
      name: "odds", url: primary.url(name, user: "blind"), limits: ServerLimits(replicaLag: .milliseconds(500)))
    let context = server.context(.run, database: blind)
    try await TableRetentionTask().run(try RetentionFixture.settings(Self.rules).settings, in: context)
    #expect(context.journal.current.counts == ["reading_deleted": 6000])
    #expect(context.journal.current.warnings.contains { $0.contains("GRANT pg_monitor") })
    withExtendedLifetime(replica) {}
  }
}
