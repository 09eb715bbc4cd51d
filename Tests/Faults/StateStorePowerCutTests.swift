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
    /// The last slot of each task.
    var slots: [String: Timestamp] = [:]
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

  /// Records slots, leases, renews, pauses and releases until something fails.
  func write(rounds: Int) async -> Entries {
    var entries = Entries()
    do {
      for round in 0..<rounds {
        let (run, task) = ("01RUN\(round)", "task\(round)")
        entries.doubtful = run
        let (begin, slot) = (wallClock.now(), wallClock.now() + .seconds(60))
        let grid = TaskGrid(task: task, schedule: "interval 1m", last: begin)
        try await store.place([grid])
        entries.slots[task] = begin
        let moved = TaskGrid(task: task, schedule: "interval 1m", last: slot)
        _ = try await store.record([SlotEntry(grid: moved, previous: begin, records: [record(run, task, .queued)])])
        entries.statuses[run] = .queued
        entries.slots[task] = slot
        // That it runs needn't survive: after a power cut it doesn't.
        let started = record(run, task, .running)
        let beginning = try await store.begin(
          LeaseRequest(
            runID: run, task: task, owner: inspector.current, overlap: .skip, exclusiveWith: [], waits: false)
        ) { _ in started }
        guard case .granted = beginning.answer else { break }
        _ = try await store.renew(run, owner: inspector.current)
        entries.doubtful = task
        try await store.pause(TaskPause(task: task, until: nil, reason: "test", by: "me", since: wallClock.now()))
        entries.pauses.insert(task)
        entries.doubtful = run
        if round % 2 == 0 {
          try await store.end(record(run, task, .completed)) {}
        } else {
          try await store.save(record(run, task, .completed))
        }
        entries.statuses[run] = .completed
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
    let slots = Dictionary(try await store.grids().map { ($0.task, $0.last) }) { first, _ in first }
    let pauses = Set(try await store.pauses().map(\.task))
    for (run, status) in known.statuses where statuses[run] != status {
      // The change that failed may have reached the disk before the power went, and so may one that wasn't to survive.
      if run == known.doubtful, statuses[run] == .completed { continue }
      if status == .queued, statuses[run] == .running { continue }
      found.append("\(run) is \(statuses[run].map(\.rawValue) ?? "lost"), not \(status.rawValue)")
    }
    for key in known.pauses.symmetricDifference(pauses) where key != known.doubtful {
      found.append("the pause of \(key) is \(known.pauses.contains(key) ? "lost" : "there")")
    }
    for (task, slot) in known.slots where slots[task].map({ $0 < slot }) ?? true {
      found.append("the grid of \(task) has gone back")
    }
    // A grid that has moved has taken its record along.
    for (task, slot) in slots where slot > wallClock.now() && statuses["01RUN\(task.dropFirst(4))"] == nil {
      found.append("the slot of \(task) has no record")
    }
    let answer = try await store.request(
      LeaseRequest(
        runID: "01LAST", task: "last", owner: inspector.current, overlap: .skip, exclusiveWith: [], waits: false))
    guard case .granted = answer else { return found + ["no lease is granted: \(answer)"] }
    try await store.release("01LAST")
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
