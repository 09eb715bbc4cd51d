import PostgresCluster
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepRuns
import UpkeepStore
import UpkeepTestKit

/// What becomes of a run's work on servers when another host takes its lease over.
@Suite struct TakeoverTests {
  private struct OneDatabase: DatabaseResources {
    let database: PostgresDatabase

    func database(named name: String) throws -> any Database { database }
  }

  private let fixture: StoreFixture
  private let database: PostgresDatabase
  private let store: SQLStateStore
  private let other = StubProcessInspector.process(pid: 99, host: "b")

  init() async throws {
    fixture = try StoreFixture()
    database = try await PostgresCluster.shared().makeDatabase("odds")
    store = fixture.server(database)
  }

  private func begin(
    _ runID: String, task: String = "tidy", owner: ProcessIdentity? = nil
  ) async throws -> RunBeginning {
    let record = fixture.record(runID, task: task, owner: owner)
    try await store.save(record)
    return try await store.begin(fixture.request(runID, task: task, owner: owner)) { _ in record }
  }

  /// A session of a run's task, under its lease.
  private func session(_ lease: Lease, purpose: String) async throws -> any DatabaseSession {
    let watch = LeaseWatch(
      clock: ContinuousClock(), timeToLive: LeaseQueue.timeToLive, fence: store.fence(of: lease)
    ) { [store] in try await store.note($0, of: lease.runID) }
    let context = TaskContext.test(
      task: "tidy", clock: fixture.clock, wallClock: fixture.wallClock, resources: OneDatabase(database: database),
      lease: watch)
    let session = try await context.database(DatabaseName("odds")).open(.write(.full), purpose: purpose)
    _ = try await session.perform { try $0.execute("CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)") }
    return session
  }

  private func rows() async throws -> [[DatabaseValue]] {
    let session = try await database.open(.read, purpose: "test")
    let rows = try await session.perform { try $0.rows("SELECT id FROM t ORDER BY id") }
    await session.close()
    return rows
  }

  private func process(_ number: Int64) -> ServerProcess {
    ServerProcess(database: "odds", number: number, startedAt: "2026-11-20 12:00:00.123456+00")
  }

  @Test func tellsWhoTakesOverWhatStillWorksForTheDead() async throws {
    #expect(try await begin("01A", owner: other).answer.lease != nil)
    for number: Int64 in [7, 8, 7] { try await store.note(process(number), of: "01A") }
    // Of a run that ended, and of one that never had a lease, nothing is left.
    #expect(try await store.request(fixture.request("01X", task: "else")).lease != nil)
    try await store.note(process(9), of: "01X")
    try await store.release("01X")
    try await store.note(process(10), of: "01Y")
    fixture.clock.advance(by: .seconds(29))
    #expect(try await begin("01B").orphans == [])
    fixture.clock.advance(by: .seconds(2))
    let beginning = try await begin("01B")
    #expect(beginning.answer.lease != nil)
    #expect(beginning.orphans.sorted { $0.number < $1.number } == [process(7), process(8)])
    // Whoever comes next is told as well, until somebody has ended them.
    try await store.note(process(11), of: "01A")
    try await store.forget([process(7)])
    #expect(try await begin("01C", task: "else").orphans == [process(8)])
    try await store.forget([process(8)])
    try await store.note(process(12), of: "01B")
    try await store.end(fixture.record("01B", status: .completed)) {}
    #expect(try await begin("01D", task: "third").orphans == [])
  }

  @Test func notesEachConnectionThatWritesForARun() async throws {
    let lease = try #require(try await begin("01A", owner: other).answer.lease)
    let session = try await session(lease, purpose: "upkeep/tidy")
    let first = try await session.perform { try $0.integer("SELECT pg_backend_pid()") }
    try await session.reconnect()
    let second = try await session.perform { try $0.integer("SELECT pg_backend_pid()") }
    fixture.clock.advance(by: .seconds(31))
    let orphans = try await begin("01B").orphans
    #expect(Set(orphans.map(\.number)) == [first, second])
    #expect(Set(orphans.map(\.database)) == ["odds"])
    // What is noted finds the process, and no later one of the same number.
    let started = try await session.perform { connection in
      try connection.first("SELECT backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()")?.first?.text
    }
    #expect(orphans.first { $0.number == second }?.startedAt == started)
    await session.close()
  }

  @Test func aTransactionWhoseLeaseIsTakenOverIsUndone() async throws {
    let lease = try #require(try await begin("01A", owner: other).answer.lease)
    let session = try await session(lease, purpose: "upkeep/tidy")
    _ = try await session.transaction(.write) { try $0.execute("INSERT INTO t VALUES (1)") }
    fixture.clock.advance(by: .seconds(31))
    #expect(try await begin("01B").answer.lease != nil)
    let error = await #expect(throws: TaskError.self) {
      _ = try await session.transaction(.write) { try $0.execute("INSERT INTO t VALUES (2)") }
    }
    #expect(error?.code == "lease_lapsed")
    #expect(error?.problem == "its right to work has been taken over; the last transaction was undone")
    #expect(try await rows() == [[1]])
    await session.close()
  }

  /// The batches of one snapshot, too: the row of the lease has changed since.
  @Test(arguments: ["READ COMMITTED", "REPEATABLE READ"])
  func renewalsDoNotGetInTheWay(of isolation: String) async throws {
    let lease = try #require(try await begin("01A", owner: other).answer.lease)
    let session = try await session(lease, purpose: "upkeep/tidy")
    let renewing = Task<Int, any Error> { [store, other] in
      var renewals = 0
      while !Task.isCancelled {
        let renewal = try await store.renew("01A", owner: other)
        #expect(renewal == .held)
        renewals += 1
      }
      return renewals
    }
    _ = try await session.transaction(.write) { connection in
      try connection.execute("SET TRANSACTION ISOLATION LEVEL \(isolation)")
      try connection.execute("INSERT INTO t VALUES (1)")
      // A statement of its own, so that the snapshot is older than the renewals that follow.
      _ = try connection.rows("SELECT pg_sleep(0.3)")
    }
    renewing.cancel()
    let renewals = try await renewing.value
    #expect(renewals > 1)
    #expect(try await rows() == [[1]])
    await session.close()
  }

  /// The moment between the look and the commit: who wants the lease waits for the commit.
  @Test func nobodyTakesALeaseBetweenTheLookAndTheCommit() async throws {
    let lease = try #require(try await begin("01A", owner: other).answer.lease)
    let session = try await session(lease, purpose: "upkeep/slow")
    _ = try await session.perform { connection in
      try connection.execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$")
      try connection.execute(
        "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
          + "EXECUTE FUNCTION slow()")
    }
    fixture.clock.advance(by: .seconds(31))
    let committing = Task {
      _ = try await session.transaction(.write) { try $0.execute("INSERT INTO t VALUES (1)") }
    }
    let watching = try await database.open(.read, purpose: "test")
    var commits: Int64 = 0
    while commits == 0 {
      commits = try await watching.perform { connection in
        try connection.integer(
          """
          SELECT count(*) FROM pg_stat_activity
          WHERE application_name = 'upkeep/slow' AND query = 'COMMIT' AND wait_event = 'PgSleep'
          """)
      }
    }
    #expect(try await begin("01B").answer.lease != nil)
    #expect(try await rows() == [[1]])
    try await committing.value
    await watching.close()
    await session.close()
  }
}
