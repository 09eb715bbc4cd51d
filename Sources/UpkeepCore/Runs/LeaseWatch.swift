import Synchronization

/// How long a run's right to work still holds, where that ends unless it is renewed: on a store that several hosts share.
///
/// A process that was stopped for a while asks it before each commit. It measures by the machine's own clock, which goes
/// on meanwhile, from the last renewal.
public final class LeaseWatch: Sendable {
  /// What a transaction in the store's own database asks besides; nothing where the store isn't in a database of tasks.
  public let fence: LeaseFence?
  private let timeToLive: Duration
  private let sinceRenewal: Mutex<@Sendable () -> Duration>
  private let note: @Sendable (ServerProcess) async throws -> Void

  /// Begins with a lease that was granted just now.
  ///
  /// - Parameters:
  ///   - timeToLive: How long after a renewal nobody else gets the right.
  ///   - fence: What a transaction in the store's own database asks.
  ///   - note: Keeps which processes of servers work for the run.
  public init(
    clock: any Clock<Duration>, timeToLive: Duration, fence: LeaseFence? = nil,
    note: @escaping @Sendable (ServerProcess) async throws -> Void = { _ in }
  ) {
    self.timeToLive = timeToLive
    self.fence = fence
    self.note = note
    sinceRenewal = Mutex(clock.stopwatch())
  }

  /// The lease was renewed.
  /// - Parameter sinceAsked: The time since before that was asked for.
  public func renewed(_ sinceAsked: @escaping @Sendable () -> Duration) {
    sinceRenewal.withLock { $0 = sinceAsked }
  }

  /// Whether the right still holds.
  /// - Throws: ``TaskError`` with code `lease_lapsed` where somebody else may have it by now.
  public func check() throws {
    let silence = sinceRenewal.withLock { $0 }()
    guard silence >= timeToLive else { return }
    throw Self.lapsed("wasn't renewed for \(silence.durationText), so that another host may have it")
  }

  /// A process of a server works for the run: whoever takes the right over may end it.
  /// - Throws: ``TaskError`` where that can't be kept.
  public func works(in process: ServerProcess) async throws {
    try await note(process)
  }

  /// The error of a run that must not commit any more.
  /// - Parameter what: What became of its right to work.
  public static func lapsed(_ what: String) -> TaskError {
    TaskError(
      code: "lease_lapsed", place: "this run",
      problem: "its right to work \(what); the last transaction was undone",
      fix: "see whether this machine was suspended or the state store out of reach; what is left goes next time")
  }
}

/// A look within a transaction at the lease that it works under, and a hold on it up to the commit: where the store is in
/// the same database, nobody can take the lease between the two.
public struct LeaseFence: Hashable, Sendable {
  /// The database's name under `databases:`.
  public var database: String
  /// Finds a row as long as the lease is held; its parameters are ``values``.
  public var statement: String
  /// Texts.
  public var values: [String]

  /// Creates a fence.
  public init(database: String, statement: String, values: [String]) {
    self.database = database
    self.statement = statement
    self.values = values
  }
}

/// A process of a database server that works for a run: a back end, told apart from every other one by when it began.
public struct ServerProcess: Hashable, Sendable {
  /// The database's name under `databases:`.
  public var database: String
  /// Its number (`pg_stat_activity.pid`).
  public var number: Int64
  /// When it began, as the server writes it in UTC (`pg_stat_activity.backend_start`).
  public var startedAt: String

  /// Creates a process.
  public init(database: String, number: Int64, startedAt: String) {
    self.database = database
    self.number = number
    self.startedAt = startedAt
  }
}
