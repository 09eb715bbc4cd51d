import Synchronization
import UpkeepDatabase

/// Brings the write-ahead log of a database into its file while a purge goes on, on a connection of its own.
///
/// It works beside the batches, since a checkpoint takes no lock that a writer wants. From its first checkpoint on it
/// keeps the right to make one: an application whose commit finds a thousand frames in the log would make one itself,
/// within that commit.
final class LogKeeper: Sendable {
  /// How often it asks for the right to checkpoint while somebody else makes a checkpoint.
  private static let tries = 100
  /// What lies between two of them.
  private static let glance = Duration.microseconds(300)

  private let session: any DatabaseSession
  private let clock: any Clock<Duration>
  private let work = Mutex<Task<Void, any Error>?>(nil)

  /// Takes over a session for writing.
  init(_ session: any DatabaseSession, clock: any Clock<Duration>) {
    self.session = session
    self.clock = clock
  }

  /// Begins a checkpoint in the background, where none is under way.
  func begin() {
    work.withLock { work in
      guard work == nil else { return }
      work = Task { [self] in
        defer { self.work.withLock { $0 = nil } }
        _ = try await run("PRAGMA wal_checkpoint(PASSIVE)")
      }
    }
  }

  /// Brings the log into the file as far as readers allow; takes no lock that a writer wants.
  func checkpoint() async throws {
    try await settle()
    _ = try await run("PRAGMA wal_checkpoint(PASSIVE)")
  }

  /// Brings the rest of the log into the file so that the next write begins it anew, if nobody is in the way now.
  ///
  /// This holds the write lock, so it comes right after ``checkpoint()``, when little is left.
  /// - Returns: False where a reader still needs the log.
  func beginNewLog() async throws -> Bool {
    try await settle()
    _ = try await session.perform { _ = try $0.rows("PRAGMA busy_timeout = 3") }
    return try await run("PRAGMA wal_checkpoint(RESTART)")
  }

  /// Waits for what is under way, gives everybody the right to checkpoint again, and closes the connection.
  func close() async {
    // A task of its own: the right must be given back even when the run was cancelled.
    await Task {
      try? await settle()
      _ = try? await session.reserveCheckpoints(false)
      await session.close()
    }.value
  }

  private func settle() async throws {
    try await work.withLock { $0 }?.value
  }

  /// - Returns: Whether nothing was in the way.
  private func run(_ statement: String) async throws -> Bool {
    // An application that has begun to checkpoint within each of its commits would keep the right for as long as the log
    // is large: it is taken between two of them.
    for _ in 0..<Self.tries {
      if try await session.reserveCheckpoints(true) { break }
      try await clock.sleep(for: Self.glance)
    }
    return try await session.perform { try $0.first(statement)?[0].integer } == 0
  }
}
