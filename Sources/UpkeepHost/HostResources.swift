import UpkeepConfiguration
import UpkeepCore
import UpkeepDatabase
import UpkeepFetch

/// What the host offers to tasks: the configured databases, each opened when a task asks for it, and outgoing HTTP.
struct HostResources: DatabaseResources, FetchResources {
  let configured: [DatabaseConfiguration]
  let fetcher: any Fetcher = HTTPFetcher(clock: Host.systemClock)

  func database(named name: String) throws -> any Database {
    guard let found = configured.first(where: { $0.name == name }) else {
      throw TaskError(
        code: "unknown_database", place: "database \(name)", problem: "there is no such database under databases:",
        fix: "add it, or name one of \(configured.map(\.name).joined(separator: ", "))")
    }
    return try Self.database(found)
  }

  static func database(_ configuration: DatabaseConfiguration) throws -> any Database {
    switch configuration.engine {
    case .sqlite(let path):
      return SQLiteDatabase(name: configuration.name, path: path)
    case .postgres:
      throw TaskError(
        code: "engine_unavailable", place: "database \(configuration.name)",
        problem: "this build has no PostgreSQL driver", fix: "use an SQLite database")
    }
  }
}
