import UpkeepConfiguration
import UpkeepCore
import UpkeepDatabase
import UpkeepNotices
public import UpkeepRuns
import UpkeepStore

extension Host {
  /// The state store, which is created where there is none yet. It is opened at the first call.
  /// - Throws: ``UpkeepCore/TaskError`` where the configuration names a database that can't hold it.
  public func openStore() throws -> any StateStore {
    try store()
  }

  /// The state store where there is one: looking must not create it. Runs of dead processes are ended first.
  public func existingStore() async throws -> (any StateStore)? {
    let store = try store()
    guard try await store.isThere() else { return nil }
    try await endDeadRuns(in: store)
    return store
  }

  /// The state store where there is one, looked at and left as it is.
  func storeIfThere() async throws -> (any StateStore)? {
    let store = try store()
    return try await store.isThere() ? store : nil
  }

  /// Ends the runs of processes that are gone, and tells of them as of any other end: nobody else will.
  public func endDeadRuns(in store: any StateStore) async throws {
    let dead = try await store.reap()
    for runID in dead {
      guard let result = try await store.record(runID)?.result, result.status == .interrupted else { continue }
      notices.note(.finished(result), policy: noticePolicy, store: store)
    }
    if !dead.isEmpty { _ = await settleNotices() }
  }

  /// Removes records that are older than the configuration keeps, at most once an hour. What goes wrong is left for
  /// the next time: it is no part of what was asked for.
  public func housekeep(_ store: any StateStore) async {
    guard let store = store as? SQLStateStore else { return }
    _ = try? await store.pruneIfDue(
      now: wallClock.now(), keep: configuration.historyKeep, keepFailures: configuration.historyKeepFailures)
  }

  private func store() throws -> SQLStateStore {
    SQLStateStore(database: try stateDatabase(), inspector: inspector, wallClock: wallClock)
  }

  private func stateDatabase() throws -> any Database {
    switch configuration.state {
    case .path(let path):
      return SQLiteDatabase(name: "state", path: path, mayCreate: true, ifDamaged: SQLStateStore.ifDamaged)
    case .database(let name):
      return try HostResources(configured: configuration.databases, ifDamaged: SQLStateStore.ifDamaged)
        .database(named: name)
    }
  }
}
