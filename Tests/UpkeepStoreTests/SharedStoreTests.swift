import PostgresCluster
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepRuns
import UpkeepStore
import UpkeepTestKit

/// A store on a server that several hosts share.
@Suite struct SharedStoreTests {
  /// A host with clocks of its own.
  private struct Box {
    let fixture: StoreFixture
    let inspector: StubProcessInspector
    let wallClock: AdjustedWallClock
    let store: SQLStateStore

    init(_ name: String, on database: PostgresDatabase, usesServersTime: Bool = false) throws {
      fixture = try StoreFixture()
      inspector = StubProcessInspector(host: name)
      wallClock = AdjustedWallClock(fixture.wallClock)
      store = SQLStateStore(
        database: database, inspector: inspector, wallClock: wallClock,
        usesServersTime: usesServersTime)
    }
  }

  private func database() async throws -> PostgresDatabase {
    try await PostgresCluster.shared().makeDatabase("state")
  }

  private func value(_ sql: String, in database: PostgresDatabase) async throws -> DatabaseValue? {
    let session = try await database.open(.read, purpose: "test")
    let row = try await session.perform { try $0.first(sql) }
    await session.close()
    return row?.first
  }

  @Test func keepsItsTablesApartFromThoseOfTheDatabase() async throws {
    let database = try await database()
    let session = try await database.open(.write(.full), purpose: "test")
    try await session.perform { connection in
      try connection.execute("CREATE TABLE runs (id int PRIMARY KEY)")
      try connection.execute("INSERT INTO runs VALUES (1)")
    }
    await session.close()
    let box = try Box("a", on: database)
    #expect(try await !box.store.isThere())
    try await box.store.save(box.fixture.record("01A", owner: box.inspector.current))
    #expect(try await box.store.isThere())
    #expect(try await value("SELECT count(*) FROM public.runs", in: database) == 1)
    #expect(try await value("SELECT count(*) FROM upkeep.runs", in: database) == 1)
    #expect(try await value("SELECT max(version) FROM upkeep.schema", in: database) == 4)
  }

  @Test func leavesASchemaOfAnotherProgramAlone() async throws {
    let database = try await database()
    let session = try await database.open(.write(.full), purpose: "test")
    try await session.perform { connection in
      try connection.execute("CREATE SCHEMA upkeep")
      try connection.execute("CREATE TABLE upkeep.invoices (id int)")
    }
    await session.close()
    let error = await #expect(throws: TaskError.self) { try await Box("a", on: database).store.open() }
    #expect(error?.code == "foreign_store")
    #expect(
      error?.description.hasSuffix(
        ": this schema upkeep belongs to another program; nothing of it was changed; set host.state to a database of its "
          + "own") ?? false, "\(error?.description ?? "")")
    #expect(try await value("SELECT count(*) FROM pg_tables WHERE schemaname = 'upkeep'", in: database) == 1)
  }

  @Test func refusesAStoreOfANewerProgram() async throws {
    let database = try await database()
    try await Box("a", on: database).store.open()
    let session = try await database.open(.write(.full), purpose: "test")
    _ = try await session.perform { try $0.execute("INSERT INTO upkeep.schema VALUES (99, 0)") }
    await session.close()
    let error = await #expect(throws: TaskError.self) { try await Box("b", on: database).store.open() }
    #expect(error?.code == "newer_store")
    #expect(error?.problem == "it has version 99, and this program knows versions up to 4")
  }

  @Test func isMadeOnceByManyThatBeginTogether() async throws {
    let database = try await database()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<6 {
        let box = try Box("box-\(number)", on: database)
        group.addTask {
          try await box.store.place([
            TaskGrid(task: "t\(number)", schedule: "1s", last: Timestamp(microseconds: 0))
          ])
        }
      }
      try await group.waitForAll()
    }
    #expect(try await value("SELECT count(*) FROM upkeep.grids", in: database) == 6)
    #expect(try await value("SELECT count(*) FROM upkeep.schema", in: database) == 4)
  }

  @Test func aSlotBelongsToOneHost() async throws {
    let database = try await database()
    let boxes = try (0..<3).map { try Box("box-\($0)", on: database) }
    func grid(_ slot: Int) -> TaskGrid {
      TaskGrid(task: "tidy", schedule: "1s", last: Timestamp(microseconds: Int64(slot) * 1_000_000))
    }
    try await boxes[0].store.place([grid(0)])
    for slot in 1...20 {
      let outcomes = try await withThrowingTaskGroup(of: SlotOutcome.self) { group in
        for (number, box) in boxes.enumerated() {
          let record = box.fixture.record(
            "01S\(slot + 10)\(number)", status: .queued, owner: box.inspector.current)
          let entry = SlotEntry(grid: grid(slot), previous: grid(slot - 1).last, records: [record])
          group.addTask { try await box.store.record([entry])[0] }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(outcomes.count { $0 == .recorded } == 1)
      #expect(outcomes.count { $0 == .taken(grid(slot)) } == 2)
    }
    #expect(try await value("SELECT count(*) FROM upkeep.runs", in: database) == 20)
  }

  /// Where the connection was lost while it committed.
  @Test func aSlotThatIsAskedForAgainIsItsOwn() async throws {
    let box = try Box("a", on: try await database())
    let (first, second) = (Timestamp(microseconds: 0), Timestamp(microseconds: 1_000_000))
    try await box.store.place([TaskGrid(task: "tidy", schedule: "1s", last: first)])
    let entry = SlotEntry(
      grid: TaskGrid(task: "tidy", schedule: "1s", last: second), previous: first,
      records: [box.fixture.record("01A", status: .queued, owner: box.inspector.current)])
    #expect(try await box.store.record([entry]) == [.recorded])
    #expect(try await box.store.record([entry]) == [.recorded])
  }

  @Test func severalServe() async throws {
    let database = try await database()
    for name in ["a", "b", "c"] {
      let box = try Box(name, on: database)
      let holder = ServeHolder(
        owner: box.inspector.current, address: "\(name):8787", since: box.fixture.wallClock.now())
      #expect(try await box.store.claimServe(holder) == nil)
    }
    #expect(try await value("SELECT count(*) FROM upkeep.serves", in: database) == 3)
  }

  /// It was stopped: it is there, and yet nobody can tell whether it will ever go on.
  @Test func aHolderOfTheSameMachineThatStaysSilentLosesItsLease() async throws {
    let box = try Box("a", on: try await database())
    let other = StubProcessInspector.process(pid: 99, host: "a")
    #expect(box.store.leasesLapse)
    try await box.store.save(box.fixture.record("01A", owner: other))
    _ = try await box.store.request(box.fixture.request("01A", owner: other))
    box.fixture.clock.advance(by: .seconds(30))
    let request = box.fixture.request("01B", owner: box.inspector.current)
    #expect(try await box.store.request(request).blockers == ["01A"])
    box.fixture.clock.advance(by: .milliseconds(1))
    #expect(try await box.store.request(request).lease != nil)
    #expect(try await box.store.renew("01A", owner: other) == .lost)
    #expect(
      try await box.store.record("01A")?.result.reason == "its process (pid 99 on a) hasn't been heard of for 30s")
  }

  /// A host whose clock is wrong by days would take every lease, or never let one go.
  @Test func theServersClockDecides() async throws {
    let database = try await database()
    let (early, late) = (
      try Box("early", on: database, usesServersTime: true), try Box("late", on: database, usesServersTime: true)
    )
    late.fixture.clock.advance(by: .seconds(864_000))
    let request = early.fixture.request("01A", owner: early.inspector.current)
    try await early.store.save(early.fixture.record("01A", owner: early.inspector.current))
    #expect(try await early.store.request(request).lease != nil)
    #expect(
      try await late.store.request(late.fixture.request("01B", owner: late.inspector.current)).blockers == ["01A"])
    #expect(try await late.store.reap() == [])
    // Whatever else is done by that host's clock goes by the server's from now on.
    let difference = late.wallClock.now() - SystemWallClock().now()
    #expect(abs(difference.microseconds) < 60_000_000)
  }

  @Test func goesOnAfterTheConnectionWasLost() async throws {
    let database = try await database()
    let box = try Box("a", on: database)
    let owner = box.inspector.current
    try await box.store.save(box.fixture.record("01A", owner: owner))
    for number in 0..<3 {
      let session = try await database.open(.write(.full), purpose: "test")
      try await session.perform { connection in
        _ = try connection.rows(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'upkeep/state' AND datname = "
            + "current_database()")
      }
      await session.close()
      if number == 0 {
        #expect(try await box.store.record("01A")?.result.status == .running)
      } else {
        try await box.store.save(box.fixture.record("01B\(number)", owner: owner))
      }
    }
    #expect(try await box.store.records(RunQuery(limit: 10)).map(\.result.runID) == ["01B2", "01B1", "01A"])
  }
}
