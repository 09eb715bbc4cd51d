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
  /// Whether several hosts keep their state here, each serving.
  nonisolated let isShared: Bool
  let inspector: any ProcessInspector
  let clock: StoreClock
  private let engine: any StoreEngine
  let owners: OwnerTexts
  private var opening: Task<any DatabaseSession, any Error>?
  private var waiting: [GroupedWrite] = []
  private var isWriting = false
  private var waitingForDisk: [CheckedContinuation<Void, any Error>] = []
  private var isSyncing = false
  /// The newest final run of each task, as it was read last.
  var finalResults: [String: RunResult] = [:]
  /// How tasks stood at the last look, and the log at that moment: as long as nobody commits, they stand so still.
  var lastStanding: (log: LogState, standing: TaskStanding)?
  /// Runs that were ended for their dead processes, and that nobody has been told of.
  var unreported: [String] = []
  /// Commits since somebody began to wait for the disk.
  private var commitsWaiting = 0
  /// How many may wait for the disk, and how many commits they wait for to join them, while the store is busy.
  private static let (mostWaiting, mostCommits) = (32, 16)

  /// What to do where the file of a store is damaged.
  public static let ifDamaged =
    "run history, pauses and the last slot of each schedule are kept in this file: if host.state is right, stop serve and "
    + "put a back-up in its place, or move it away (with its -wal and -shm) and begin anew without them"

  /// Whether a lease ends by itself: where hosts share the store.
  public nonisolated var leasesLapse: Bool { isShared }

  /// Describes a store; nothing is opened yet.
  ///
  /// - Parameters:
  ///   - database: Where it is: a file of its own, or a server's database, which several hosts may share.
  ///   - inspector: Says which processes live.
  ///   - wallClock: The time of day. One that can be is adjusted to the server's, where there is one.
  ///   - usesServersTime: Whether a server's clock decides; tests that move the time by hand say no.
  public init(
    database: any Database, inspector: any ProcessInspector, wallClock: any WallClock, usesServersTime: Bool = true
  ) {
    self.database = database
    isShared = database.engine == .postgres
    self.inspector = isShared ? RenewalInspector(inspector) : inspector
    let wallClock = wallClock as? AdjustedWallClock ?? AdjustedWallClock(wallClock)
    clock = StoreClock(wallClock: wallClock, isServers: isShared && usesServersTime)
    engine = isShared ? PostgresStoreEngine() : SQLiteStoreEngine()
    owners = OwnerTexts(current: inspector.current)
  }

  /// Whether there is a store already: looking doesn't make one.
  /// - Throws: ``UpkeepCore/TaskError`` where a server can't be asked.
  public func isThere() async throws -> Bool {
    if opening != nil { return true }
    return try await engine.hasStore(in: database)
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
      await group.commit(on: session, by: engine)
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
    let session = try await session()
    do {
      return try await session.transaction(.read, body)
    } catch let error as TaskError where error.code == "connection_lost" {
      try await engine.reopen(session)
      return try await session.transaction(.read, body)
    }
  }

  func session() async throws -> any DatabaseSession {
    if let opening { return try await opening.value }
    let task = Task { [engine, database, clock] in try await engine.open(database, clock) }
    opening = task
    do {
      return try await task.value
    } catch {
      opening = nil
      throw error
    }
  }
}
