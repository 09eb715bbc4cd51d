import Foundation
import UpkeepConfiguration
import UpkeepCore
import UpkeepDatabase
import UpkeepFetch

/// What the host offers to tasks: the configured databases, each opened when a task asks for it,
/// outgoing HTTP, and its own history.
struct HostResources: DatabaseResources, FetchResources, HistoryResources {
  let configured: [DatabaseConfiguration]
  let fetcher: any Fetcher = HTTPFetcher(clock: Host.systemClock, environment: ProcessInfo.processInfo.environment)
  var circuits: CircuitBoard { Self.circuits }
  /// One for the process, so that a site that refuses is left alone by the next run, too.
  private static let circuits = CircuitBoard()
  /// The history of the runs that the task is one of.
  var history: KeptHistory?
  /// What to do where a file is damaged, if there is more to say than of any database.
  var ifDamaged: String?

  func keptHistory() throws -> KeptHistory {
    if let history { return history }
    throw TaskError(
      code: "no_history", place: "run history", problem: "there is no state store here",
      fix: "this is a fault of the program, please report it")
  }

  func database(named name: String) throws -> any Database {
    guard let found = configured.first(where: { $0.name == name }) else {
      throw TaskError(
        code: "unknown_database", place: "database \(name)", problem: "there is no such database under databases:",
        fix: "add it, or name one of \(configured.map(\.name).joined(separator: ", "))")
    }
    return try Self.database(found, ifDamaged: ifDamaged)
  }

  static func database(_ configuration: DatabaseConfiguration, ifDamaged: String? = nil) throws -> any Database {
    switch configuration.engine {
    case .sqlite(let path):
      return SQLiteDatabase(
        name: configuration.name, path: path, secureDelete: configuration.secureDelete, ifDamaged: ifDamaged)
    case .postgres(let url, let passwordFile):
      let limits = ServerLimits(
        replicaLag: configuration.maxReplicaLag, logBacklog: configuration.maxWALBacklog.map { min($0, 1 << 40) << 20 },
        deadRows: configuration.maxDeadRows)
      return PostgresDatabase(
        name: configuration.name, url: url, passwordFile: passwordFile, limits: limits,
        dropsPartitions: configuration.dropsPartitions)
    }
  }
}
