import Foundation
public import UpkeepCore
public import UpkeepDatabase
public import UpkeepRuns

/// Keeps the host's state in a database: runs, slots, leases, pauses.
///
/// Each call is atomic, and calls that come together share a transaction, which takes the right to write at its
/// beginning, so that any number of processes can ask at once. What has to survive a power cut (records, slots, pauses)
/// waits for the disk. Who runs what doesn't have to: a power cut takes all holders along, in WAL mode what is lost is
/// the newest part of the log, whole transactions in order, and the next durable commit brings all before it along. The
/// database is opened at the first call. Kill the process at any instant: what is in the store is what was committed,
/// and the dead process's runs are ended as interrupted by the next one that asks.
public actor SQLStateStore: StateStore {
  /// The database.
  public nonisolated let database: any Database
  let inspector: any ProcessInspector
  let wallClock: any WallClock
  let owners: OwnerTexts
  private var opening: Task<any DatabaseSession, any Error>?
  private var waiting: [GroupedWrite] = []
  private var isWriting = false
  private var waitingForDisk: [CheckedContinuation<Void, any Error>] = []
  private var isSyncing = false
  /// Commits since somebody began to wait for the disk.
  private var commitsWaiting = 0
  /// How many may wait for the disk, and how many commits they wait for to join them, while the store is busy.
  private static let (mostWaiting, mostCommits) = (32, 16)

  /// Describes a store; nothing is opened yet.
  public init(database: any Database, inspector: any ProcessInspector, wallClock: any WallClock) {
    self.database = database
    self.inspector = inspector
    self.wallClock = wallClock
    owners = OwnerTexts(current: inspector.current)
  }

  /// Opens the store now, so that what is wrong with it shows early.
  /// - Throws: ``UpkeepCore/TaskError`` where it isn't a state store, or one of a newer version, or can't be opened.
  public func open() async throws {
    _ = try await session()
  }

  /// Closes the store. A later call opens it again.
  public func close() async {
    let session = try? await opening?.value
    opening = nil
    await session?.close()
  }

  /// Runs `body` within a transaction for writing, together with other writes that wait.
  /// - Parameter durability: Whether its commit must survive a power cut; that of a process it survives anyway.
  func write<Value: Sendable>(
    _ durability: Durability = .full, _ body: @escaping @Sendable (any DatabaseConnection) throws -> Value
  ) async throws -> Value {
    let session = try await session()
    try Task.checkCancellation()
    let outcome = WriteOutcome<Value>()
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      waiting.append(
        GroupedWrite(
          durability: durability, perform: { outcome.set(try body($0)) }, end: { continuation.resume(with: $0) }))
      guard !isWriting else { return }
      isWriting = true
      Task { await commitWaiting(on: session) }
    }
    return try outcome.get()
  }

  private func commitWaiting(on session: any DatabaseSession) async {
    while !waiting.isEmpty {
      let group = WriteGroup(writes: waiting)
      waiting = []
      await group.commit(on: session)
      commitsWaiting += 1
      syncIfDue(on: session)
    }
    isWriting = false
    syncIfDue(on: session)
  }

  /// Waits until all that is committed survives a power cut, together with others that wait for that; writes go on
  /// meanwhile.
  func untilDurable() async throws {
    let session = try await session()
    try await withCheckedThrowingContinuation { continuation in
      if waitingForDisk.isEmpty { commitsWaiting = 0 }
      waitingForDisk.append(continuation)
      syncIfDue(on: session)
    }
  }

  /// Begins to wait for the disk: at once where nothing is being written, or else when it is worth it.
  private func syncIfDue(on session: any DatabaseSession) {
    let isDue = !isWriting || waitingForDisk.count >= Self.mostWaiting || commitsWaiting >= Self.mostCommits
    guard isDue, !isSyncing, !waitingForDisk.isEmpty else { return }
    isSyncing = true
    Task { await syncWaiting(on: session) }
  }

  private func syncWaiting(on session: any DatabaseSession) async {
    let group = waitingForDisk
    waitingForDisk = []
    do {
      try await session.makeDurable()
      for continuation in group { continuation.resume() }
    } catch {
      for continuation in group { continuation.resume(throwing: error) }
    }
    isSyncing = false
    syncIfDue(on: session)
  }

  /// Runs `body` in one transaction for reading.
  func read<Value: Sendable>(
    _ body: @escaping @Sendable (any DatabaseConnection) throws -> Value
  ) async throws -> Value {
    try await session().transaction(.read, body)
  }

  private func session() async throws -> any DatabaseSession {
    if let opening { return try await opening.value }
    let task = Task { [database, now = wallClock.now()] in try await Self.openStore(database, at: now) }
    opening = task
    do {
      return try await task.value
    } catch {
      opening = nil
      throw error
    }
  }

  private static func openStore(_ database: any Database, at now: Timestamp) async throws -> any DatabaseSession {
    guard database.engine == .sqlite else {
      throw TaskError(
        code: "store_engine", place: "state store \(database.place)",
        problem: "the state can't be kept in PostgreSQL yet", fix: "set host.state to a path")
    }
    let folder = (database.place as NSString).deletingLastPathComponent
    guard folder.isEmpty || FileManager.default.fileExists(atPath: folder) else {
      throw TaskError(
        code: "no_state_folder", place: "state store \(database.place)", problem: "there is no folder \(folder)",
        fix: "create it (mkdir -p \(folder)), or set host.state to another path")
    }
    let session = try await database.open(.write(.full), purpose: "upkeep/state")
    do {
      try await prepare(session, place: database.place, at: now)
    } catch {
      await session.close()
      throw error
    }
    return session
  }

  private static func prepare(_ session: any DatabaseSession, place: String, at now: Timestamp) async throws {
    let finding = try await session.transaction(.read) { try StoreSchema.inspect($0) }
    if finding == .ours(version: StoreSchema.version) { return }
    if finding == .empty {
      // Another process may be creating the same store; then the mode is set by it, and nothing depends on it.
      _ = try? await session.perform { try $0.rows("PRAGMA journal_mode = WAL") }
    }
    try await session.transaction(.write) { connection in
      switch try StoreSchema.inspect(connection) {
      case .empty:
        try StoreSchema.migrate(connection, from: 0, at: now)
      case .ours(let version) where version < StoreSchema.version:
        try StoreSchema.migrate(connection, from: version, at: now)
      case .ours(let version) where version > StoreSchema.version:
        throw TaskError(
          code: "newer_store", place: "state store \(place)",
          problem: "it has version \(version), and this program knows versions up to \(StoreSchema.version)",
          fix: "use the newer program that made it, or set host.state to another path")
      case .ours:
        break
      case .foreign:
        throw TaskError(
          code: "foreign_store", place: "state store \(place)",
          problem: "this database belongs to another program; nothing of it was changed",
          fix: "set host.state to a path of its own, such as var/upkeep.sqlite")
      }
    }
  }
}
