import Foundation
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepTestKit

/// What a run may still commit when its right to work ends.
@Suite struct LeasedDatabaseTests {
  private struct OneFile: DatabaseResources {
    let path = NSTemporaryDirectory() + "upkeep-leased-\(UUID().uuidString).sqlite"

    func database(named name: String) throws -> any Database {
      SQLiteDatabase(name: name, path: path, mayCreate: true)
    }
  }

  private let clock = ManualClock()
  private let file = OneFile()

  private func context(_ lease: LeaseWatch?) -> TaskContext {
    .test(task: "tidy", clock: clock, wallClock: ManualWallClock(clock), resources: file, lease: lease)
  }

  private func session(_ lease: LeaseWatch?) async throws -> any DatabaseSession {
    let session = try await context(lease).database(DatabaseName("odds")).open(.write(.normal), purpose: "test")
    _ = try await session.transaction(.write) { try $0.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)") }
    return session
  }

  private func end(_ session: any DatabaseSession) async {
    await session.close()
    for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: file.path + end) }
  }

  @Test func commitsUpToTheEndOfTheLeaseAndNotAfterIt() async throws {
    let lease = LeaseWatch(clock: clock, timeToLive: .seconds(30))
    let session = try await session(lease)
    clock.advance(by: .milliseconds(29_999))
    _ = try await session.transaction(.write) { try $0.execute("INSERT INTO t VALUES (1)") }
    let error = await #expect(throws: TaskError.self) {
      try await session.transaction(.write) { [clock] connection in
        try connection.execute("INSERT INTO t VALUES (2)")
        // It is stopped here, and wakes when the lease has ended.
        clock.advance(by: .milliseconds(1))
      }
    }
    #expect(error?.code == "lease_lapsed")
    #expect(
      error?.problem
        == "its right to work wasn't renewed for 30s, so that another host may have it; the last transaction was undone"
    )
    let late = await #expect(throws: TaskError.self) {
      _ = try await session.perform { try $0.execute("INSERT INTO t VALUES (3)") }
    }
    #expect(late?.code == "lease_lapsed")
    lease.renewed(clock.stopwatch())
    #expect(try await session.perform { try $0.rows("SELECT id FROM t") } == [[1]])
    _ = try await session.transaction(.write) { try $0.execute("INSERT INTO t VALUES (4)") }
    #expect(try await session.perform { try $0.rows("SELECT id FROM t") } == [[1], [4]])
    await end(session)
  }

  /// A renewal counts from when it was asked for: the store may have taken it long before its answer came.
  @Test func countsFromTheQuestion() async throws {
    let lease = LeaseWatch(clock: clock, timeToLive: .seconds(30))
    let sinceAsked = clock.stopwatch()
    clock.advance(by: .seconds(10))
    lease.renewed(sinceAsked)
    clock.advance(by: .seconds(20))
    #expect(throws: TaskError.self) { try lease.check() }
  }

  @Test func holdsForEverWhereLeasesDoNotLapse() async throws {
    let session = try await session(nil)
    clock.advance(by: .seconds(86_400))
    _ = try await session.transaction(.write) { try $0.execute("INSERT INTO t VALUES (1)") }
    #expect(try await session.perform { try $0.rows("SELECT id FROM t") } == [[1]])
    await end(session)
  }
}
