import DatabaseFixture
import Dispatch
import Synchronization
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepTestKit

@testable import UpkeepPurge

/// What a purge waits for between its batches.
struct PauseTests {
  private func walk<Value: Sendable>(
    _ body: (inout BatchWalk, PurgeFixture) async throws -> Value
  ) async throws -> Value {
    let fixture = try await PurgeFixture("CREATE TABLE event(id INTEGER PRIMARY KEY, at TEXT)")
    let context = fixture.context(.run)
    return try await Purge.with(fixture.database, for: .deletion, in: context) { purge in
      var walk = BatchWalk(purge: purge, context: context)
      walk.lastCommits = purge.session.logState()?.commits
      return try await body(&walk, fixture)
    }
  }

  /// Begins a transaction that writes, and ends it when it is told to.
  private func writer(_ fixture: PurgeFixture, _ done: DispatchSemaphore) async throws -> Task<Void, any Error> {
    let session = try await fixture.database.open(.write(.normal), purpose: "test")
    let begun = AsyncStream<Void>.makeStream()
    let writing = Task {
      try await session.transaction(.write) { connection in
        _ = try connection.execute("INSERT INTO event(at) VALUES ('2026-11-20')")
        begun.continuation.yield()
        done.wait()
      }
      await session.close()
    }
    for await _ in begun.stream { break }
    return writing
  }

  /// Its time is over, but somebody's commit is under way: who has waited for the lock has its turn to the end.
  @Test func lastUntilWhoIsWritingHasCommitted() async throws {
    try await walk { walk, fixture in
      let done = DispatchSemaphore(value: 0)
      let writing = try await writer(fixture, done)
      // The pause's time is over from the fourth look on, and stands still then.
      let looks = Mutex(0)
      try await walk.yield(.milliseconds(5)) {
        let look = looks.withLock { looks in
          looks += 1
          return looks
        }
        if look == 20 { done.signal() }
        return look < 4 ? .zero : .milliseconds(6)
      }
      #expect(looks.withLock { $0 } >= 20)
      try await writing.value
      #expect(try await fixture.text("SELECT count(*) FROM event") == "1")
    }
  }

  /// Who has waited may have more to commit: a pause isn't over with the first commit, but when no more follows for a lull.
  @Test func lastForALullAfterACommit() async throws {
    try await walk { walk, fixture in
      let other = try await fixture.database.open(.write(.normal), purpose: "test")
      try await other.perform { _ = try $0.execute("INSERT INTO event(at) VALUES ('2026-11-20')") }
      let lull = BatchGovernor.lulls.lowerBound
      // The commit is seen at the second look; the pause itself would last much longer.
      let times: [Duration] = [
        .zero, .milliseconds(1), .milliseconds(1) + lull - .nanoseconds(1), .milliseconds(1) + lull,
      ]
      let looks = Mutex(0)
      try await walk.yield(.seconds(5)) {
        looks.withLock { looks in
          looks += 1
          return times[min(looks, times.count) - 1]
        }
      }
      #expect(looks.withLock { $0 } == times.count)
      await other.close()
    }
  }

  /// A worker that finds nothing to do takes the lock as well, and waits for it, but commits nothing.
  @Test func noticeWhoeverTakesTheLockAndChangesNothing() async throws {
    for isThere in [false, true] {
      try await walk { walk, fixture in
        let other = try await fixture.database.open(.write(.normal), purpose: "test")
        // Nobody has written for long.
        walk.governor.note(version: 1, after: .zero)
        walk.governor.note(version: 1, after: .seconds(10))
        #expect(!walk.governor.othersWrite)
        let (begun, done) = (AsyncStream<Void>.makeStream(), DispatchSemaphore(value: 0))
        let working = Task {
          guard isThere else { return }
          try await other.transaction(.write) { connection in
            _ = try connection.execute("UPDATE event SET at = 'now' WHERE id < 0")
            begun.continuation.yield()
            done.wait()
          }
        }
        if isThere { for await _ in begun.stream { break } }
        let looks = Mutex(0)
        try await walk.yield(.milliseconds(5)) {
          let look = looks.withLock { looks in
            looks += 1
            return looks
          }
          if look == 3 { done.signal() }
          return .milliseconds(look)
        }
        try await working.value
        #expect(walk.governor.othersWrite == isThere)
        await other.close()
      }
    }
  }

  @Test(.timeLimit(.minutes(1))) func endAtLastWhoeverIsWriting() async throws {
    try await walk { walk, fixture in
      let done = DispatchSemaphore(value: 0)
      let writing = try await writer(fixture, done)
      try await walk.yield(.milliseconds(5)) { .milliseconds(5) + BatchGovernor.courtesy }
      done.signal()
      try await writing.value
    }
  }

  @Test(.timeLimit(.minutes(1))) func lastWhileTheDiskIsNearlyFull() async throws {
    let fixture = try await PurgeFixture("CREATE TABLE event(id INTEGER PRIMARY KEY, at TEXT)")
    // The file is small, so that a megabyte is enough.
    let database = CrampedDatabase(fixture.database, free: [0, 1_048_575, 1_048_576])
    let journal = RunJournal()
    let context = TaskContext.test(
      mode: .run, now: PurgeFixture.now,
      clock: HookClock {
        #expect(
          journal.current.progress.message == "waiting: only 0 MB of the disk are free; 1 MB are wanted, at least")
      }, journal: journal)
    try await Purge.with(database, for: .deletion, in: context) { purge in
      var walk = BatchWalk(purge: purge, context: context)
      try await walk.yield(.zero) { .zero }
    }
    #expect(database.looks.withLock { $0 } == 3)
  }

  /// An application that checkpoints within each of its commits has the right nearly always: it is taken when it is free.
  @Test func theLogsKeeperTakesTheRightToCheckpointWhenItIsFree() async throws {
    try await walk { walk, fixture in
      let other = try await fixture.database.open(.write(.normal), purpose: "test")
      try await other.perform { _ = try $0.execute("INSERT INTO event(at) VALUES ('2026-11-20')") }
      #expect(try await other.reserveCheckpoints(true))
      let clock = HookClock { _ = try await other.reserveCheckpoints(false) }
      let keeper = LogKeeper(try await fixture.database.open(.write(.normal), purpose: "test"), clock: clock)
      try await keeper.checkpoint()
      #expect(other.logState()?.backlog == 0)
      #expect(try await other.reserveCheckpoints(true) == false, "it keeps it")
      await keeper.close()
      #expect(try await other.reserveCheckpoints(true))
      await other.close()
    }
  }

  /// Told to stop while somebody else has the lock, a run still tries to leave its record, but not for as long as a batch
  /// would wait: here that is an hour.
  @Test(.timeLimit(.minutes(1))) func aCancelledRunWaitsForNobodyWithItsBookkeeping() async throws {
    let fixture = try await PurgeFixture("CREATE TABLE event(id INTEGER PRIMARY KEY, at TEXT)")
    let database = SQLiteDatabase(name: "odds", path: fixture.database.path, busyTimeout: .seconds(3600))
    let done = DispatchSemaphore(value: 0)
    let writing = try await writer(fixture, done)
    let context = fixture.context(.run)
    let run = Task {
      try await Purge.with(database, for: .deletion, in: context) { purge in
        withUnsafeCurrentTask { $0?.cancel() }
        try await purge.record { _ = try $0.execute("INSERT INTO event(at) VALUES ('2026-11-21')") }
      }
    }
    await #expect(throws: (any Error).self) { try await run.value }
    done.signal()
    try await writing.value
    #expect(try await fixture.text("SELECT group_concat(at) FROM event") == "2026-11-20")
  }
}

/// A database on a disk that has so much space left, look after look.
private final class CrampedDatabase: Database {
  private let inner: any Database
  private let free: [Int]
  let looks = Mutex(0)

  init(_ inner: any Database, free: [Int]) {
    self.inner = inner
    self.free = free
  }

  var name: String { inner.name }
  var engine: DatabaseEngine { inner.engine }
  var place: String { inner.place }
  var limits: ServerLimits { inner.limits }
  var dropsPartitions: Bool { inner.dropsPartitions }

  func open(_ mode: SessionMode, purpose: String) async throws -> any DatabaseSession {
    try await inner.open(mode, purpose: purpose)
  }

  func fileSize() -> Int? { inner.fileSize() }

  func freeDisk() -> Int? {
    looks.withLock { looks in
      looks += 1
      return free[min(looks, free.count) - 1]
    }
  }
}
