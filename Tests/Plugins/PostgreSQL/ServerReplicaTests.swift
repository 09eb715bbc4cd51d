import DatabaseFixture
import PostgresCluster
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepTestKit

/// A purge beside a replica.
struct ServerReplicaTests {
  private let limits = ServerLimits(replicaLag: .milliseconds(500))

  @Test func waitsForAReplicaThatIsBehindAndSaysSo() async throws {
    let primary = try PostgresCluster()
    let purge = try await SlowPurge(on: primary, limits)
    let replica = try PostgresCluster(replicaOf: primary)
    try await replica.execute("SELECT pg_wal_replay_pause()", in: "postgres")
    try await purge.waits(saying: "waiting: a replica is ") {
      try await replica.execute("SELECT pg_wal_replay_resume()", in: "postgres")
    }
  }

  @Test func saysThatItMayNotLookAtReplicas() async throws {
    let primary = try PostgresCluster()
    let server = try await SlowPurge(on: primary, limits).server
    let replica = try PostgresCluster(replicaOf: primary)
    try await server.execute(["CREATE ROLE blind LOGIN", "GRANT SELECT, DELETE ON reading TO blind"])
    let name = try await server.text("SELECT current_database()")
    let blind = PostgresDatabase(
      name: "odds", url: primary.url(name, user: "blind"), limits: limits)
    let context = server.context(.run, database: blind)
    try await SlowPurge.run(in: context)
    #expect(context.journal.current.counts == ["reading_deleted": 6000])
    #expect(context.journal.current.warnings.contains { $0.contains("GRANT pg_monitor") })
    withExtendedLifetime(replica) {}
  }
}
