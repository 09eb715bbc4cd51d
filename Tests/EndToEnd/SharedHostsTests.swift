import Foundation
import PostgresCluster
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepTestKit

/// Several hosts with one configuration and one state store, on a server.
@Suite(.timeLimit(.minutes(40))) struct SharedHostsTests {
  /// A database for the state, and its address.
  private func database() async throws -> (database: PostgresDatabase, url: String) {
    let cluster = try PostgresCluster.shared()
    let database = try await cluster.makeDatabase("shared")
    let session = try await database.open(.read, purpose: "test")
    let name = try await session.perform { try $0.first("SELECT current_database()")?.first?.text }
    await session.close()
    return (database, cluster.url(name ?? ""))
  }

  private func execute(_ statements: String..., in database: PostgresDatabase) async throws {
    let session = try await database.open(.write(.full), purpose: "test")
    for statement in statements { _ = try await session.perform { try $0.execute(statement) } }
    await session.close()
  }

  private func count(_ table: String, in database: PostgresDatabase) async throws -> Int64 {
    let session = try await database.open(.read, purpose: "test")
    let count = try await session.perform { try $0.integer("SELECT count(*) FROM \(table)") }
    await session.close()
    return count
  }

  @Test func eachSlotHasOneOutcomeWhateverBecomesOfTheHosts() async throws {
    let slots = ProcessInfo.processInfo.environment["UPKEEP_SOAK"] == nil ? 60 : 1000
    let (database, url) = try await database()
    let place = try Workplace(
      """
      version: 1
      host: { listen: "127.0.0.1:0", state: shared, max_concurrent_runs: 8 }
      databases: { shared: { postgres: "\(url)" } }
      tasks:
        tick: { plugin: noop, interval: 1s, settings: { duration: 10ms } }
        left:
          plugin: noop
          interval: 1s
          concurrency: { exclusive_with: [right], max_wait: 5s }
          settings: { duration: 200ms }
        right: { plugin: noop, interval: 1s, settings: { duration: 100ms } }

      """)
    func start() async throws -> RunningProgram {
      let program = try place.start(["serve"])
      _ = try await program.waitForError(containing: "serving")
      return program
    }
    var hosts: [RunningProgram] = []
    for _ in 0..<3 { hosts.append(try await start()) }
    let random = SeededRandom()
    let clock = ContinuousClock()
    let elapsed = clock.stopwatch()
    // One is stopped for longer than a lease lives, while the others come and go.
    hosts[0].signal(SIGSTOP)
    let awake = Duration.seconds(35)
    var isStopped = true
    while elapsed() < .seconds(slots) {
      // Waiting for a run to end is waiting for a moment that nobody chose.
      let chosen = 1 + Int(random.next() % 2)
      for _ in 0..<(2 + Int(random.next() % 6)) {
        _ = try await hosts[chosen].waitForError(containing: " completed ")
      }
      if random.next() % 2 == 0 {
        hosts[chosen].signal(SIGKILL)
        #expect(await hosts[chosen].outcome().status == 137)
        hosts[chosen] = try await start()
      } else {
        hosts[chosen].signal(SIGSTOP)
        for _ in 0..<2 { _ = try await hosts[3 - chosen].waitForError(containing: " completed ") }
        hosts[chosen].signal(SIGCONT)
      }
      if isStopped, elapsed() > awake {
        hosts[0].signal(SIGCONT)
        isStopped = false
      }
    }
    for host in hosts {
      host.signal(SIGCONT)
      host.signal(SIGTERM)
    }
    // 1 where a run of one that was stopped at the end had lost its lease meanwhile.
    for host in hosts {
      let outcome = await host.outcome()
      #expect([0, 1].contains(outcome.status), "\(outcome.errors)")
    }
    // Whoever looks ends what the killed ones left behind.
    #expect(try await place.run("history").status == 0)
    let runs = try await RecordedRun.all(in: database)
    let others = runs.filter { !["completed", "skipped", "missed", "interrupted"].contains($0.status) }
    #expect(others.isEmpty, "\(others)")
    for task in ["tick", "left", "right"] {
      let own = runs.filter { $0.task == task && $0.slots > 0 }.sorted { $0.firstSlot < $1.firstSlot }
      let covered = own.reduce(0) { $0 + $1.slots }
      #expect(covered >= Int64(slots) - 5)
      // A slot that another host recorded may lie among those that a waiting run stands for.
      let (first, last) = (own.map(\.firstSlot).min() ?? 0, own.map(\.lastSlot).max() ?? 0)
      #expect(covered == (last - first) / 1_000_000 + 1, "\(task)")
    }
    let pair = runs.filter { $0.task != "tick" && !$0.started.isEmpty }.sorted { $0.started < $1.started }
    for (one, next) in zip(pair, pair.dropFirst()) { #expect(one.finished <= next.started, "\(one) beside \(next)") }
    #expect(pair.count { $0.status == "completed" } > slots / 4)
  }

  @Test func aHostThatWakesCommitsNothingUnderALeaseThatItHasLost() async throws {
    let (database, url) = try await database()
    try await execute(
      "CREATE TABLE log (id bigserial PRIMARY KEY, at timestamptz NOT NULL)", "CREATE INDEX ON log (at)",
      "INSERT INTO log (at) SELECT now() - interval '90 days' FROM generate_series(1, 600000)", in: database)
    let place = try Workplace(
      """
      version: 1
      host: { state: shared }
      databases: { shared: { postgres: "\(url)" } }
      tasks:
        table_retention:
          guard: none
          settings:
            database: shared
            rules: [{ table: log, time_column: at, keep: 30d }]

      """)
    // A row in the middle is locked until the run has been stopped there.
    let (locked, lock) = AsyncStream.makeStream(of: Void.self)
    let holding = Task {
      let session = try await database.open(.write(.full), purpose: "test")
      try await session.perform { connection in
        try connection.execute("BEGIN")
        _ = try connection.rows("SELECT 1 FROM log WHERE id = 300000 FOR UPDATE")
        lock.finish()
        _ = try connection.rows("SELECT pg_sleep(300)")
      }
    }
    for await _ in locked {}
    let sleeper = try place.start(["run", "table_retention", "--json"])
    var left: Int64 = 600_000
    while left == 600_000 { left = try await count("log", in: database) }
    sleeper.signal(SIGSTOP)
    holding.cancel()
    _ = try? await holding.value
    // Its last batch may still be ended by the server.
    let clock = ContinuousClock()
    let elapsed = clock.stopwatch()
    var holders = ["?"]
    while !holders.isEmpty, elapsed() < .seconds(120) {
      _ = try await place.run("history")
      holders = try await RecordedRun.all(in: database).filter { $0.status == "running" }.map(\.id)
    }
    #expect(elapsed() > .seconds(25))
    left = try await count("log", in: database)
    #expect(left > 0)
    sleeper.signal(SIGCONT)
    let outcome = await sleeper.outcome()
    #expect(outcome.status == 1, "\(outcome.output)")
    #expect(try await count("log", in: database) == left)
    let run = try #require(try await RecordedRun.all(in: database).first)
    #expect(run.status == "interrupted")
    #expect(run.reason.contains("hasn't been heard of for 30s"))
    #expect(try await place.run("run", "table_retention").status == 0)
    #expect(try await count("log", in: database) == 0)
  }

  /// What the server still does for a program that was killed holds locks, and may go on for as long as a statement may.
  @Test func whoTakesOverEndsWhatTheServerStillDoesForTheDead() async throws {
    let (database, url) = try await database()
    try await execute(
      "CREATE TABLE log (id bigserial PRIMARY KEY, at timestamptz NOT NULL)", "CREATE INDEX ON log (at)",
      "INSERT INTO log (at) SELECT now() - interval '90 days' FROM generate_series(1, 10)",
      "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(12); RETURN OLD; END $$",
      "CREATE TRIGGER slow BEFORE DELETE ON log FOR EACH ROW EXECUTE FUNCTION slow()", in: database)
    let place = try Workplace(
      """
      version: 1
      host: { state: shared }
      databases: { shared: { postgres: "\(url)" } }
      tasks:
        tick: { plugin: noop }
        table_retention:
          guard: none
          settings:
            database: shared
            rules: [{ table: log, time_column: at, keep: 30d }]

      """)
    let working = """
      pg_stat_activity WHERE application_name = 'upkeep/table_retention' AND datname = current_database()
        AND wait_event = 'PgSleep'
      """
    let dead = try place.start(["run", "table_retention"])
    while try await count(working, in: database) == 0 {}
    dead.signal(SIGKILL)
    #expect(await dead.outcome().status == 137)
    #expect(try await count(working, in: database) == 1, "the server noticed by itself")
    // Any run will do.
    #expect(try await place.run("run", "tick").status == 0)
    #expect(try await count(working, in: database) == 0)
    #expect(try await count("log", in: database) == 10)
    #expect(try await count("upkeep.backends", in: database) == 0)
    // One that nobody can end any more, since its database isn't configured, keeps nobody from anything.
    try await execute(
      "INSERT INTO upkeep.backends VALUES ('01A', 'former', 1, '2026-01-01 00:00:00+00')", in: database)
    #expect(try await place.run("run", "tick").status == 0)
    #expect(try await count("upkeep.backends", in: database) == 0)
  }

  @Test func runsOfTheCommandLineAndOfServeSeeEachOther() async throws {
    let (_, url) = try await database()
    let place = try Workplace(
      """
      version: 1
      host: { listen: "127.0.0.1:0", state: shared }
      databases: { shared: { postgres: "\(url)" } }
      tasks:
        nap: { plugin: noop, run_on_start: true, settings: { duration: 1h } }

      """)
    #expect(try await place.run("history").errors.contains("no runs"))
    let serve = try place.start(["serve"])
    _ = try await serve.waitForError(containing: "started")
    #expect(try await place.run("run", "nap").status == 5)
    #expect(try await place.run("pause", "nap", "--for", "2h", "--why", "test").status == 0)
    let listed = try await place.run("list")
    #expect(listed.output.contains("running") && listed.output.contains("paused"), "\(listed.output)")
    let history = try await place.run("history", "--json").json()
    let runs = try #require(history["runs"] as? [[String: Any]])
    let id = try #require(runs.first { $0["status"] as? String == "running" }?["run_id"] as? String)
    #expect(try await place.run("cancel", id).status == 0)
    _ = try await serve.waitForError(containing: "cancelled")
    serve.signal(SIGTERM)
    #expect(await serve.outcome().status == 0)
    #expect(try await place.run("resume", "nap").status == 0)
  }
}
