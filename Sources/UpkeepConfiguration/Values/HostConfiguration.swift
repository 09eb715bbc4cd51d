public import Foundation
public import UpkeepCore

/// A whole configuration as values: everything in it has been checked.
public struct HostConfiguration: Sendable {
  /// The file, as it was given.
  public var path: String
  /// The folder of the file, absolute: where relative paths start.
  public var folder: String
  /// Where run history, leases and pauses are kept.
  public var state: StateLocation
  /// Where `serve` listens.
  public var listen: ListenAddress
  /// The zone of cron expressions where a task names none.
  public var timeZone: TimeZone
  /// How many runs may work at once.
  public var maxConcurrentRuns: Int
  /// How long a stop waits for running tasks.
  public var drainTimeout: Duration
  /// How long runs are kept.
  public var historyKeep: Duration
  /// How long runs that didn't complete are kept.
  public var historyKeepFailures: Duration
  /// How the log looks.
  public var logFormat: LogFormat
  /// The least important messages that are logged.
  public var logLevel: LogLevel
  /// Further `Host` names that `serve` answers to.
  public var allowedHosts: [String]
  /// Origins that may use the compatibility routes from a browser.
  public var allowedOrigins: [String]
  /// A file with the token of the HTTP API, absolute.
  public var tokenFile: String?
  /// Whom to tell of failures.
  public var onFailure: FailureNotice?
  /// The databases, in the order of the file.
  public var databases: [DatabaseConfiguration]
  /// The tasks, in the order of the file.
  public var tasks: [TaskConfiguration]
  /// The groups, in the order of the file.
  public var groups: [GroupConfiguration]
  /// Every value with its origin, for people; secrets masked.
  public var effective: EffectiveConfiguration

  /// The task of a name.
  public func task(_ name: String) -> TaskConfiguration? {
    tasks.first { $0.name == name }
  }

  /// The group of a name.
  public func group(_ name: String) -> GroupConfiguration? {
    groups.first { $0.name == name }
  }

  /// The database of a name.
  public func database(_ name: String) -> DatabaseConfiguration? {
    databases.first { $0.name == name }
  }

  /// The names of all tasks and groups, for suggestions.
  public var runnableNames: [String] {
    tasks.map(\.name) + groups.map(\.name)
  }
}

/// Where the host keeps its state.
public enum StateLocation: Hashable, Sendable {
  /// An SQLite file of its own, absolute.
  case path(String)
  /// A configured database.
  case database(String)
}

/// Whom to tell of failures, once per streak.
public struct FailureNotice: Hashable, Sendable {
  /// A program and its arguments; empty where there is none.
  public var command: [String]
  /// An address that gets the result as JSON. It may hold a password: never show it unmasked.
  public var webhook: String?
  /// After how many failures in a row.
  public var after: Int

  /// Creates a notice.
  public init(command: [String] = [], webhook: String? = nil, after: Int = 1) {
    self.command = command
    self.webhook = webhook
    self.after = after
  }
}

/// A database that tasks may name.
public struct DatabaseConfiguration: Hashable, Sendable {
  /// What holds the data.
  public enum Engine: Hashable, Sendable {
    /// An SQLite file, absolute.
    case sqlite(path: String)
    /// A PostgreSQL server: a URL (which may hold a password: never show it unmasked), and a file with the password.
    case postgres(url: String, passwordFile: String?)
  }

  /// Its name.
  public var name: String
  /// What holds the data.
  public var engine: Engine
  /// Rows that no task may touch.
  public var exceptions: [RowException]
  /// Whether pages that a deletion frees are overwritten.
  public var secureDelete: Bool
  /// How far a server's replicas may be behind before a purge waits for them; nothing where it never does.
  public var maxReplicaLag: Duration?
  /// How many MB of its log a server may have to keep before a purge waits; nothing where it never does.
  public var maxWALBacklog: Int?
  /// How many dead rows a table may hold before a purge waits for autovacuum; nothing where it never does.
  public var maxDeadRows: Int?
  /// Whether partitions of which every row goes are dropped.
  public var dropsPartitions: Bool
  /// Where it is configured.
  public var origin: ValueOrigin

  /// Creates a database.
  public init(
    name: String, engine: Engine, exceptions: [RowException] = [], secureDelete: Bool = false,
    maxReplicaLag: Duration? = nil, maxWALBacklog: Int? = nil, maxDeadRows: Int? = nil, dropsPartitions: Bool = false,
    origin: ValueOrigin = .standard
  ) {
    self.name = name
    self.secureDelete = secureDelete
    self.maxReplicaLag = maxReplicaLag
    self.maxWALBacklog = maxWALBacklog
    self.maxDeadRows = maxDeadRows
    self.dropsPartitions = dropsPartitions
    self.engine = engine
    self.exceptions = exceptions
    self.origin = origin
  }
}

/// A group: tasks that run in order and give one result.
public struct GroupConfiguration: Hashable, Sendable {
  /// Its name.
  public var name: String
  /// The names of its tasks.
  public var tasks: [String]

  /// Creates a group.
  public init(name: String, tasks: [String]) {
    self.name = name
    self.tasks = tasks
  }
}
