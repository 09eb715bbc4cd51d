import Foundation
import PostgresCluster
import Testing
import UpkeepDatabase

/// The program with databases of a PostgreSQL server.
@Suite struct PostgresTests {
  private func text(_ database: PostgresDatabase, _ sql: String) async throws -> String {
    let session = try await database.open(.read, purpose: "test")
    let row = try await session.perform { try $0.first(sql) }
    await session.close()
    return row?.first?.text ?? ""
  }

  @Test func fillsAnEmptyDatabaseAndWorksOnIt() async throws {
    let cluster = try PostgresCluster.shared()
    let database = try await cluster.makeDatabase()
    let url = cluster.url(try await text(database, "SELECT current_database()"))
    let place = try Workplace()
    let demo = try await Program.run(["demo", "demo", "--scale", "0.02", "--postgres", url], in: place.folder)
    #expect(demo.status == 0, "\(demo.errors)")
    for task in ["odds_retention", "stale_jobs", "job_history", "download_log", "stuck_plans"] {
      #expect(demo.output.contains("\(task): preview completed in "))
      #expect(demo.output.contains("\(task): completed in "))
    }
    let live = try await Program.run(
      ["validate", "--live", "--config", "demo/upkeep.yaml"], in: place.folder)
    #expect(live.status == 0, "\(live.output)")
    #expect(live.output.contains("database odds: opens, 24 tables, PostgreSQL "))
    #expect(live.output.contains("CREATE INDEX CONCURRENTLY ix_odds_snapshots_default_scrape_run_id"))
    let again = try await Program.run(["demo", "other", "--scale", "0.001", "--postgres", url], in: place.folder)
    #expect(again.status == 1)
    #expect(again.errors.contains("it has a table sports already; name an empty database"))
    #expect(
      try await text(database, "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()") == "test")
  }

  /// A service file that only the environment names, and a user who may not delete.
  @Test func saysWhatAUserMayNotDo() async throws {
    let cluster = try PostgresCluster.shared()
    let database = try await cluster.makeDatabase()
    let owner = try await database.open(.write(.normal), purpose: "test")
    let name = try await owner.perform { connection in
      for statement in [
        "DO $$ BEGIN CREATE ROLE looker LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$",
        "CREATE TABLE logs(id int PRIMARY KEY, at timestamptz)", "INSERT INTO logs VALUES (1, '2020-01-01')",
        "GRANT SELECT ON logs TO looker",
      ] { try connection.execute(statement) }
      return try connection.first("SELECT current_database()")?[0].text ?? ""
    }
    let place = try Workplace()
    let host = try #require(URLComponents(string: cluster.url(name))?.queryItems?.first { $0.name == "host" }?.value)
    try "[logs]\nhost=\(host)\nuser=looker\ndbname=\(name)\n".write(
      to: place.folder.appending(path: "services"), atomically: false, encoding: .utf8)
    try """
    version: 1
    databases:
      app: { postgres: "postgresql://?service=logs" }
    tasks:
      table_retention:
        settings: { database: app, rules: [{ table: logs, time_column: at, keep: 30d }] }

    """.write(to: place.folder.appending(path: "upkeep.yaml"), atomically: false, encoding: .utf8)
    let environment = ["PGSERVICEFILE": place.folder.appending(path: "services").path, "UPKEEP_CONFIG": "upkeep.yaml"]
    let live = try await Program.run(["validate", "--live"], in: place.folder, environment: environment)
    #expect(
      live.output.contains(
        "user looker has no right to DELETE from logs; for a task that works on them: GRANT DELETE ON logs TO looker;"),
      "\(live.output)\(live.errors)")
    let run = try await Program.run(
      ["run", "table_retention", "--override-guard"], in: place.folder, environment: environment)
    #expect(run.status == 3)
    #expect(
      (run.output + run.errors).contains("have the owner say: GRANT SELECT, DELETE ON logs TO looker;"),
      "\(run.output)\(run.errors)")
    #expect(try await owner.perform { try $0.integer("SELECT count(*) FROM logs") } == 1)
  }

  /// Whatever a killed run has done is whole, and the next one goes on from there.
  @Test func leavesNothingHalfDoneWhenKilled() async throws {
    let cluster = try PostgresCluster.shared()
    let database = try await cluster.makeDatabase()
    let url = cluster.url(try await text(database, "SELECT current_database()"))
    let place = try Workplace()
    let demo = try await Program.run(
      ["demo", "demo", "--scale", "0.02", "--only", "--postgres", url], in: place.folder)
    try #require(demo.status == 0, "\(demo.errors)")
    let other = try await database.open(.write(.normal), purpose: "test")
    // Each batch takes long enough to be killed in.
    try await other.perform { connection in
      for statement in [
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END $$",
        "CREATE TRIGGER slow AFTER DELETE ON market_odds FOR EACH STATEMENT EXECUTE FUNCTION slow()",
      ] { try connection.execute(statement) }
    }
    let count = "SELECT count(*) FROM odds_snapshots"
    let all = try await other.perform { try $0.integer(count) }
    let run = try RunningProgram(
      ["run", "odds_retention", "--config", "demo/upkeep.yaml", "--override-guard"], in: place.folder)
    let others = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'upkeep/odds_retention' AND datname = "
    while try await other.perform({ try $0.integer(count) }) == all {}
    kill(run.pid, SIGKILL)
    #expect(await run.outcome().status == 137)
    while try await other.perform({ try $0.integer("\(others) current_database()") }) > 0 {}
    let orphans = """
      SELECT count(*) FROM market_odds m WHERE NOT EXISTS (SELECT 1 FROM odds_snapshots s WHERE s.id = m.snapshot_id)
      """
    let left = try await other.perform { try $0.integer(count) }
    #expect(left < all)
    #expect(try await other.perform { try $0.integer(orphans) } == 0)
    try await other.perform { _ = try $0.execute("DROP TRIGGER slow ON market_odds") }
    for sentence in ["odds_retention: completed in ", "odds_retention: nothing to delete"] {
      let next = try await Program.run(
        ["run", "odds_retention", "--config", "demo/upkeep.yaml", "--override-guard"], in: place.folder)
      #expect(next.status == 0)
      #expect((next.output + next.errors).contains(sentence))
    }
    #expect(try await other.perform { try $0.integer(orphans) } == 0)
    #expect(try await other.perform { try $0.integer(count) } < left)
    await other.close()
  }
}
