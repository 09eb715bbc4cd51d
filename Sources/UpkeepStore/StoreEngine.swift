import UpkeepCore
import UpkeepDatabase

/// What differs between the engines that keep a state store.
protocol StoreEngine: Sendable {
  /// Whether there is a store.
  func hasStore(in database: any Database) async throws -> Bool

  /// Opens the store; makes it, or brings it to this version, where that has to be.
  /// - Throws: ``UpkeepCore/TaskError`` where it isn't a state store, or one of a newer version, or can't be opened.
  func open(_ database: any Database, _ clock: StoreClock) async throws -> any DatabaseSession

  /// Connects again after the connection was lost.
  func reopen(_ session: any DatabaseSession) async throws

  /// Runs `body` in one transaction, while no other process writes to the store.
  /// - Parameter durability: What its commit must survive.
  func commit(
    on session: any DatabaseSession, _ durability: Durability,
    _ body: @escaping @Sendable (any DatabaseConnection) throws -> Void
  ) async throws
}

extension StoreEngine {
  /// Closes a session that turns out not to be of use.
  func prepared(
    _ session: any DatabaseSession, _ prepare: () async throws -> Void
  ) async throws -> any DatabaseSession {
    do {
      try await prepare()
      return session
    } catch {
      await session.close()
      throw error
    }
  }
}

extension StoreSchema.Finding {
  /// The version to migrate from; nothing where the store is current.
  ///
  /// - Parameters:
  ///   - place: Where the store is.
  ///   - what: What it is kept in.
  ///   - other: What `host.state` names.
  ///   - example: One such.
  /// - Throws: ``UpkeepCore/TaskError`` where it is somebody else's, or of a newer program.
  func outdated(_ place: String, what: String, other: String, example: String = "") throws -> Int64? {
    switch self {
    case .empty: return 0
    case .ours(let version) where version < StoreSchema.version: return version
    case .ours(let version) where version > StoreSchema.version:
      throw TaskError(
        code: "newer_store", place: "state store \(place)",
        problem: "it has version \(version), and this program knows versions up to \(StoreSchema.version)",
        fix: "use the newer program that made it, or set host.state to another \(other)")
    case .ours: return nil
    case .foreign:
      throw TaskError(
        code: "foreign_store", place: "state store \(place)",
        problem: "this \(what) belongs to another program; nothing of it was changed",
        fix: "set host.state to a \(other) of its own\(example)")
    }
  }
}
