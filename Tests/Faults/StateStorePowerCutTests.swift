import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepRuns
import UpkeepStore
import UpkeepTestKit

/// The power is cut while the state store is made and used: what it acknowledged is there.
@Suite struct StateStorePowerCutTests {
  private static let file = "upkeep.sqlite"

  @Test func keepsEveryAcknowledgedChange() async throws {
    let rehearsal = try TemporaryFolder()
    let disk = try FaultyDisk(rehearsal)
    disk.plan(.none)
    let all = await Diary(rehearsal.file(Self.file)).write(rounds: 6)
    #expect(all.isComplete)
    let operations = disk.operations
    try await inParallel(4, Array(Soak.seeds(60, soak: 1000))) { seed in
      try await Self.cut(seed: seed, operations: operations)
    }
  }

  private static func cut(seed: UInt64, operations: Int) async throws {
    let folder = try TemporaryFolder()
    let disk = try FaultyDisk(folder)
    // Half of the cuts come while the store is made, which is the smaller part of the operations.
    let random = SeededRandom(seed: seed)
    let cut = 1 + random.below(seed % 2 == 0 ? operations : min(30, operations))
    disk.plan(.power(at: cut))
    let diary = Diary(folder.file(file))
    let known = await diary.write(rounds: 6)
    let survivors = try disk.survivors(seed: seed % 5 == 0 ? 0 : seed)
    let place: Comment = "seed \(seed), cut at \(cut) of \(operations)"
    let lost = try await Diary(survivors.file(file)).missing(from: known)
    #expect(lost == [], place)
    let again = await Diary(survivors.file(file)).write(rounds: 1)
    #expect(again.isComplete, place)
    let check = try await OddsTables.query(survivors.file(file)) { connection in
      try connection.rows("PRAGMA integrity_check").map { $0[0].text ?? "" }
    }
    #expect(check == ["ok"], place)
  }
}

/// Uses a state store and remembers what it acknowledged.
private struct Diary {
  /// What was acknowledged, and what was asked for last, which may or may not be there.
  struct Entries: Sendable {
    var statuses: [String: RunStatus] = [:]
    /// The greatest number that a lease had.
    var fencing: Int64 = 0
    var held: Set<String> = []
    var pauses: Set<String> = []
    /// The run or task that the change which failed was about.
    var doubtful: String?
    var isComplete = false
  }

  private let store: SQLStateStore
  private let inspector = StubProcessInspector()
  private let wallClock = ManualWallClock()

  init(_ path: String) {
    store = SQLStateStore(
      database: SQLiteDatabase(name: "state", path: path, mayCreate: true), inspector: inspector, wallClock: wallClock)
  }

  /// Records, leases, renews, pauses and releases until something fails.
  func write(rounds: Int) async -> Entries {
    var entries = Entries()
    do {
      for round in 0..<rounds {
        let (run, task) = ("01RUN\(round)", "task\(round)")
        entries.doubtful = run
        try await store.save(record(run, task, .running))
        entries.statuses[run] = .running
        let answer = try await store.request(
          LeaseRequest(
            runID: run, task: task, owner: inspector.current, overlap: .skip, exclusiveWith: [], waits: false))
        guard case .granted(let lease) = answer else { break }
        entries.held.insert(run)
        entries.fencing = max(entries.fencing, lease.fencing)
        _ = try await store.renew(run, owner: inspector.current)
        entries.doubtful = task
        try await store.pause(TaskPause(task: task, until: nil, reason: "test", by: "me", since: wallClock.now()))
        entries.pauses.insert(task)
        entries.doubtful = run
        try await store.save(record(run, task, .completed))
        entries.statuses[run] = .completed
        if round % 2 == 0 {
          try await store.release(run)
          entries.held.remove(run)
        }
      }
      entries.isComplete = true
    } catch {
      // The disk is dead: what was acknowledged so far is what has to be found.
    }
    await store.close()
    return entries
  }

  /// What was acknowledged and isn't there; what is there and was never asked for.
  func missing(from known: Entries) async throws -> [String] {
    var found: [String] = []
    let records = try await store.records(RunQuery(limit: 500))
    let statuses = Dictionary(records.map { ($0.result.runID, $0.result.status) }) { first, _ in first }
    let holders = Set(try await store.holders().map(\.runID))
    let pauses = Set(try await store.pauses().map(\.task))
    for (run, status) in known.statuses where statuses[run] != status {
      // The change that failed may have reached the disk before the power went.
      if run == known.doubtful, statuses[run] == .completed { continue }
      found.append("\(run) is \(statuses[run].map(\.rawValue) ?? "lost"), not \(status.rawValue)")
    }
    for (name, mine, theirs) in [("lease", known.held, holders), ("pause", known.pauses, pauses)] {
      for key in mine.symmetricDifference(theirs) where key != known.doubtful {
        found.append("the \(name) of \(key) is \(mine.contains(key) ? "lost" : "there")")
      }
    }
    // A lease granted now must have a greater number than every one before it.
    let answer = try await store.request(
      LeaseRequest(
        runID: "01LAST", task: "last", owner: inspector.current, overlap: .skip, exclusiveWith: [], waits: false))
    if case .granted(let lease) = answer, lease.fencing > known.fencing {
      try await store.release("01LAST")
    } else {
      found.append("the lease's number doesn't grow: \(answer) after \(known.fencing)")
    }
    await store.close()
    return found
  }

  private func record(_ run: String, _ task: String, _ status: RunStatus) -> RunRecord {
    var result = RunResult(
      runID: run, task: task, plugin: "fake", mode: .run, trigger: .manual, status: status, host: "box")
    result.startedAt = wallClock.now()
    result.finishedAt = status.isFinal ? wallClock.now() : nil
    return RunRecord(result: result, owner: inspector.current, createdAt: wallClock.now())
  }
}
