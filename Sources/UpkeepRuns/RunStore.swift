public import UpkeepCore

/// Keeps the history of runs. Each call is one durable transaction.
///
/// Every call throws ``UpkeepCore/TaskError`` where the store can't be read or written.
public protocol RunStore: RunHistory {
  /// Adds a record, or replaces the one with the same run id unless that one is final already.
  func save(_ record: RunRecord) async throws
  /// The record of a run.
  func record(_ runID: String) async throws -> RunRecord?
  /// Records, newest first.
  func records(_ query: RunQuery) async throws -> [RunRecord]
  /// The same runs at a glance, newest first.
  func glances(_ query: RunQuery) async throws -> [RunGlance]
  /// How many records there are, whatever the query's limit is.
  func count(_ query: RunQuery) async throws -> Int
  /// The newest final run (no previews) of each task that has one.
  func lastRuns() async throws -> [String: RunResult]
}

/// The right to run, held by one process.
public struct Lease: Hashable, Sendable {
  /// The run that holds it.
  public var runID: String
  /// The task.
  public var task: String
  /// Grows with every lease ever granted: who holds a lower number than the present holder has lost its right.
  public var fencing: Int64

  /// Creates a lease.
  public init(runID: String, task: String, fencing: Int64) {
    self.runID = runID
    self.task = task
    self.fencing = fencing
  }
}

/// What a run asks for before it starts.
public struct LeaseRequest: Hashable, Sendable {
  /// The run.
  public var runID: String
  /// Its task.
  public var task: String
  /// The process that asks.
  public var owner: ProcessIdentity
  /// What happens while the same task runs.
  public var overlap: OverlapRule
  /// Tasks that must not run at the same time.
  public var exclusiveWith: [String]
  /// Whether it takes a place in the queue where a rule stands in its way.
  public var waits: Bool
  /// How many runs of all processes may work at once; nothing means any number.
  public var limit: Int?

  /// Creates a request.
  public init(
    runID: String, task: String, owner: ProcessIdentity, overlap: OverlapRule, exclusiveWith: [String], waits: Bool,
    limit: Int? = nil
  ) {
    self.runID = runID
    self.task = task
    self.owner = owner
    self.overlap = overlap
    self.exclusiveWith = exclusiveWith
    self.waits = waits
    self.limit = limit
  }
}

/// Who stands in the way of a run.
public struct LeaseHolder: Hashable, Sendable {
  /// The run.
  public var runID: String
  /// Its task.
  public var task: String
  /// Its process.
  public var owner: ProcessIdentity
  /// Whether it waits itself, before us in the queue.
  public var isWaiting: Bool

  /// Creates an entry.
  public init(runID: String, task: String, owner: ProcessIdentity, isWaiting: Bool) {
    self.runID = runID
    self.task = task
    self.owner = owner
    self.isWaiting = isWaiting
  }
}

/// The answer to a request for a lease.
public enum LeaseAnswer: Hashable, Sendable {
  /// The run may start.
  case granted(Lease)
  /// Somebody stands in the way. Where the request waits it has its place in the queue, in first-come order, and is
  /// asked again; its owner must renew it like a lease.
  case blocked(by: [LeaseHolder])
  /// As many runs work as may. Where the request waits it has its place in the queue as well.
  case full
}

/// What a renewal found.
public enum LeaseRenewal: Hashable, Sendable {
  /// It is held on.
  case held
  /// It is held on, and somebody asked that the run stop.
  case cancelRequested(by: String)
  /// Somebody else has declared this holder dead: it must stop at once and commit nothing more.
  case lost
}

/// Who runs what, across processes. Each call is one durable transaction.
///
/// A holder whose process is provably gone, or that hasn't renewed within the time to live, is dead: `request` and
/// `reap` end its run as interrupted.
public protocol LeaseStore: Sendable {
  /// Asks for the right to run.
  func request(_ request: LeaseRequest) async throws -> LeaseAnswer
  /// Says that a holder (or one in the queue) still lives.
  func renew(_ runID: String, owner: ProcessIdentity) async throws -> LeaseRenewal
  /// Gives a lease, or a place in the queue, back.
  func release(_ runID: String) async throws
  /// Asks that a run stop, whichever process runs it.
  /// - Returns: False where no such run waits or runs.
  func requestCancel(_ runID: String, by: String) async throws -> Bool
  /// Ends the runs of dead holders as interrupted, and frees what they held.
  /// - Returns: The run ids, those included that a request of this process has put aside since the last call: who asks
  ///   is to tell of them.
  func reap() async throws -> [String]
  /// Who runs or waits now.
  func holders() async throws -> [LeaseHolder]
  /// Whether a lease ends by itself where its holder doesn't renew it, even though the process is there: it may have
  /// been stopped, and who holds it looks before each commit. Only where hosts share a store.
  var leasesLapse: Bool { get }
  /// What a transaction in the store's own database asks to hold on to a lease up to its commit; nothing where tasks have
  /// no business in that database.
  func fence(of lease: Lease) -> LeaseFence?
  /// Notes that a process of a server works for a run that holds a lease, for whoever has to take that over.
  func note(_ process: ServerProcess, of runID: String) async throws
  /// Forgets processes that a ``RunBeginning`` told of: they have ended.
  func forget(_ processes: [ServerProcess]) async throws
}

extension LeaseStore {
  /// False: a process that is there holds what it has.
  public var leasesLapse: Bool { false }
  /// Nothing.
  public func fence(of lease: Lease) -> LeaseFence? { nil }
  /// Nothing: where leases don't lapse, nobody takes one over from a process that still works.
  public func note(_ process: ServerProcess, of runID: String) async throws {}
  /// Nothing: none was noted.
  public func forget(_ processes: [ServerProcess]) async throws {}
}

/// The two ends of a run, in one step each.
public protocol RunLifeStore: RunStore, LeaseStore {
  /// Asks for the right to run, and saves the record of the start together with it.
  ///
  /// - Parameters:
  ///   - request: What is asked.
  ///   - started: Makes the record of a run that begins at an instant.
  func begin(
    _ request: LeaseRequest, started: @escaping @Sendable (Timestamp) -> RunRecord
  ) async throws -> RunBeginning
  /// Saves the last record of a run and gives back its lease, or its place in the queue. It returns when the record
  /// survives a power cut.
  ///
  /// - Parameters:
  ///   - record: The last record.
  ///   - released: Called as soon as the lease is free and everybody finds the record, which may be earlier.
  func end(_ record: RunRecord, released: @escaping @Sendable () -> Void) async throws
}

/// What came of asking for the right to run.
public struct RunBeginning: Sendable {
  /// The answer.
  public var answer: LeaseAnswer
  /// The record of the start, where the right was granted.
  public var record: RunRecord?
  /// Processes of servers that work for runs which have lost their leases: they are to be ended before this run begins.
  public var orphans: [ServerProcess]

  /// Creates a beginning.
  public init(_ answer: LeaseAnswer, record: RunRecord? = nil, orphans: [ServerProcess] = []) {
    self.answer = answer
    self.record = record
    self.orphans = orphans
  }
}

/// Keeps pauses.
public protocol PauseStore: Sendable {
  /// The pauses in force.
  func pauses() async throws -> [TaskPause]
  /// Pauses a task, in place of an earlier pause.
  func pause(_ pause: TaskPause) async throws
  /// Ends a pause.
  /// - Returns: False where the task wasn't paused.
  func resume(_ task: String) async throws -> Bool
}

/// Remembers which streaks of failures somebody was told of.
public protocol NoticeStore: Sendable {
  /// Marks the present streak of a task's failures as told, for one caller of all processes.
  ///
  /// - Parameters:
  ///   - task: The task.
  ///   - now: The instant.
  ///   - since: When the streak can have begun at the earliest: a mark from before is of another one.
  /// - Returns: Whether it wasn't marked yet.
  func claimNotice(_ task: String, at now: Timestamp, since: Timestamp?) async throws -> Bool
  /// Takes the mark away.
  /// - Returns: Whether there was one.
  func takeNotice(_ task: String) async throws -> Bool
}

/// All that the host keeps between its runs.
public protocol StateStore: RunLifeStore, PauseStore, NoticeStore, SlotStore, ServeStore {
  /// How the tasks stand, in one look.
  func standing() async throws -> TaskStanding
}

extension StateStore {
  /// Three looks, one after the other.
  public func standing() async throws -> TaskStanding {
    TaskStanding(lastRuns: try await lastRuns(), pauses: try await pauses(), holders: try await holders())
  }
}

/// How the tasks stand, as a store knows it.
public struct TaskStanding: Sendable {
  /// The newest final run of each task.
  public var lastRuns: [String: RunResult]
  /// The pauses in force.
  public var pauses: [TaskPause]
  /// Who runs or waits now.
  public var holders: [LeaseHolder]

  /// Creates a standing.
  public init(lastRuns: [String: RunResult], pauses: [TaskPause], holders: [LeaseHolder]) {
    self.lastRuns = lastRuns
    self.pauses = pauses
    self.holders = holders
  }
}
