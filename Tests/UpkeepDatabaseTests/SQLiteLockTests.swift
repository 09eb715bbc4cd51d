import Foundation
import Testing
import UpkeepCore
import UpkeepTestKit

@testable import UpkeepDatabase

/// Waiting for the lock of another connection to a SQLite file.
@Suite(.timeLimit(.minutes(1))) struct SQLiteLockTests {
  private static let text = "waiting for a lock on database odds"

  private struct OneFile: DatabaseResources {
    let database: SQLiteDatabase
    func database(named name: String) throws -> any Database { database }
  }

  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  /// A file whose locks are waited for without an end, and told of at once.
  private func database() async throws -> SQLiteDatabase {
    var database = SQLiteDatabase(
      name: "odds", path: "\(folder.path)/odds.sqlite", mayCreate: true, busyTimeout: .seconds(3600))
    database.patience = .zero
    let session = try await database.open(.write(.normal), purpose: "test")
    try await session.perform { _ = try $0.execute("CREATE TABLE t(a)") }
    await session.close()
    return database
  }

  /// Keeps everybody out of the file until the session is closed.
  private func lock(_ database: SQLiteDatabase) async throws -> any DatabaseSession {
    let session = try await database.open(.write(.normal), purpose: "application")
    try await session.perform { connection in
      _ = try connection.rows("PRAGMA locking_mode = EXCLUSIVE")
      try connection.execute("INSERT INTO t VALUES (1)")
    }
    return session
  }

  @Test func endsWithTheTaskThatOpens() async throws {
    let database = try await database()
    let (told, tell) = AsyncStream.makeStream(of: Bool.self)
    let holder = try await lock(database)
    let opening = Task { _ = try await database.telling { tell.yield($0) }.open(.read, purpose: "test") }
    var waits = told.makeAsyncIterator()
    #expect(await waits.next() == true)
    opening.cancel()
    await #expect(throws: CancellationError.self) { try await opening.value }
    #expect(await waits.next() == false)
    await holder.close()
  }

  @Test func endsWithTheTaskThatReadsOrWrites() async throws {
    let database = try await database()
    let (told, tell) = AsyncStream.makeStream(of: Bool.self)
    let session = try await database.telling { tell.yield($0) }.open(.write(.normal), purpose: "test")
    let holder = try await lock(database)
    var waits = told.makeAsyncIterator()
    for kind in [TransactionKind.read, .write] {
      let working = Task { try await session.transaction(kind) { try $0.integer("SELECT count(*) FROM t") } }
      #expect(await waits.next() == true)
      working.cancel()
      await #expect(throws: CancellationError.self) { try await working.value }
      #expect(await waits.next() == false)
    }
    await holder.close()
    #expect(try await session.perform { try $0.integer("SELECT count(*) FROM t") } == 1)
    await session.close()
  }

  /// It is said in the progress of the run, which then says again what it said before.
  @Test func isSaidWhileItLasts() async throws {
    let database = try await database()
    let context = TaskContext.test(resources: OneFile(database: database))
    context.report(0.5, "counting")
    let session = try await context.database(DatabaseName("odds")).open(.read, purpose: "test")
    let holder = try await lock(database)
    let reading = Task {
      try await session.perform { connection in
        let count = try connection.integer("SELECT count(*) FROM t")
        return (count, context.journal.current.progress, try connection.integer("SELECT 2"))
      }
    }
    while context.journal.current.progress.message != Self.text { await Task.yield() }
    #expect(context.journal.current.progress.percent == 50)
    await holder.close()
    let (count, progress, _) = try await reading.value
    #expect(count == 1 && progress.message == Self.text)
    #expect(context.journal.current.progress.message == "counting")
    await session.close()
  }

  @Test func isNotSaidOfAShortOne() {
    let wait = SQLiteLockWait(timeout: .seconds(10), patience: .seconds(1)) { _ in Issue.record("told") }
    // SQLite's first twelve sleeps take 328 ms.
    for tries in 0..<12 { #expect(wait.goesOn(afterTries: tries)) }
    wait.isOver()
  }

  /// As long as SQLite's own: the last try comes when the time is up.
  @Test(arguments: [(0, true), (11, true), (12, true), (13, false)])
  func endsWithItsTime(_ tries: Int, _ expected: Bool) {
    let wait = SQLiteLockWait(timeout: .milliseconds(330), patience: .seconds(1), tell: nil)
    #expect(wait.goesOn(afterTries: tries) == expected)
  }
}
