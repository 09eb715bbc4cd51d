public import UpkeepCore

/// How far a task's slots are recorded: later slots follow from here.
public struct TaskGrid: Hashable, Sendable {
  /// The task.
  public var task: String
  /// What its schedule was, as text that differs where schedules do. Where it changes, the slots that the new one would
  /// have had in the past are none.
  public var schedule: String
  /// The last slot that has its record, or the instant at which the schedule began.
  public var last: Timestamp

  /// Creates a grid.
  public init(task: String, schedule: String, last: Timestamp) {
    self.task = task
    self.schedule = schedule
    self.last = last
  }
}

/// The records of one task's slots that have come, to be made in one step with the move of its grid.
public struct SlotEntry: Sendable {
  /// Where the grid stands afterwards.
  public var grid: TaskGrid
  /// Where it must stand before: otherwise somebody else has recorded these slots.
  public var previous: Timestamp
  /// The records, in the order of time: each is a run that is queued, or says why there is none.
  public var records: [RunRecord]
  /// The run that takes these slots into its own record, if it still waits; then `records` aren't made.
  public var joins: String?

  /// Creates an entry.
  public init(grid: TaskGrid, previous: Timestamp, records: [RunRecord], joins: String? = nil) {
    self.grid = grid
    self.previous = previous
    self.records = records
    self.joins = joins
  }

  /// All slots of the entry.
  public var slots: SlotRange? {
    let ranges = records.compactMap(\.slots)
    guard let first = ranges.first else { return nil }
    return ranges.dropFirst().reduce(first) { $0.joined(by: $1) }
  }
}

/// What became of an entry.
public enum SlotOutcome: Hashable, Sendable {
  /// Its records are made.
  case recorded
  /// A waiting run has taken its slots.
  case joined
  /// Nothing: the grid stands elsewhere, since another process recorded these slots.
  case taken(TaskGrid?)
}

/// Keeps the slots: none is lost, and none is recorded twice.
public protocol SlotStore: Sendable {
  /// How far the slots of each task are recorded.
  func grids() async throws -> [TaskGrid]
  /// Sets grids without a record: at the first `serve`, and where a schedule changes.
  func place(_ grids: [TaskGrid]) async throws
  /// Makes the records of slots and moves their grids, all in one durable transaction.
  /// - Returns: What became of each entry, in their order.
  func record(_ entries: [SlotEntry]) async throws -> [SlotOutcome]
}

/// The `serve` that works on a state store.
public struct ServeHolder: Codable, Hashable, Sendable {
  /// Its process.
  public var owner: ProcessIdentity
  /// Where it listens.
  public var address: String
  /// When it began.
  public var since: Timestamp

  /// Creates a holder.
  public init(owner: ProcessIdentity, address: String, since: Timestamp) {
    self.owner = owner
    self.address = address
    self.since = since
  }
}

/// Sees to it that one `serve` works on a store.
public protocol ServeStore: Sendable {
  /// Takes the place of the one that serves, where nobody alive holds it.
  /// - Returns: Who holds it; nothing where it was taken.
  func claimServe(_ holder: ServeHolder) async throws -> ServeHolder?
  /// Says that a process lives which serves, and with it all its runs.
  func renewServe(_ owner: ProcessIdentity) async throws
  /// Gives the place back.
  func releaseServe(_ owner: ProcessIdentity) async throws
  /// Who serves now.
  func servingNow() async throws -> ServeHolder?
}
