public import UpkeepCore

/// A run as the state store keeps it: its result document and what belongs to it.
public struct RunRecord: Hashable, Sendable {
  /// The result, live while the run works.
  public var result: RunResult
  /// The process that runs it.
  public var owner: ProcessIdentity?
  /// The run id of the group run it is a member of.
  public var groupRunID: String?
  /// When the record was made.
  public var createdAt: Timestamp

  /// Creates a record.
  public init(result: RunResult, owner: ProcessIdentity?, groupRunID: String? = nil, createdAt: Timestamp) {
    self.result = result
    self.owner = owner
    self.groupRunID = groupRunID
    self.createdAt = createdAt
  }

  /// The slots that it covers; nothing where no schedule asked for it.
  public var slots: SlotRange? {
    result.slots ?? result.scheduledAt.map { SlotRange(first: $0, last: $0, count: 1) }
  }

  /// Makes it cover these slots.
  public mutating func cover(_ slots: SlotRange?) {
    result.scheduledAt = slots?.last
    result.slots = slots.flatMap { $0.count > 1 ? $0 : nil }
  }
}

/// Which runs to list.
public struct RunQuery: Sendable {
  /// Only this task's.
  public var task: String?
  /// Only with this status.
  public var status: RunStatus?
  /// Only of this mode; nothing means runs and previews.
  public var mode: RunMode?
  /// Only members of this group run.
  public var groupRunID: String?
  /// Only runs before this run id.
  public var before: String?
  /// At most so many.
  public var limit: Int

  /// Creates a query.
  public init(
    task: String? = nil, status: RunStatus? = nil, mode: RunMode? = nil, groupRunID: String? = nil,
    before: String? = nil, limit: Int = 50
  ) {
    self.groupRunID = groupRunID
    self.task = task
    self.status = status
    self.mode = mode
    self.before = before
    self.limit = limit
  }
}

/// A pause: keeps the schedule from starting a task.
public struct TaskPause: Codable, Hashable, Sendable {
  /// The task.
  public var task: String
  /// When it ends; nothing means until somebody resumes it.
  public var until: Timestamp?
  /// Why.
  public var reason: String
  /// Who paused it.
  public var by: String
  /// When it began.
  public var since: Timestamp

  /// Creates a pause.
  public init(task: String, until: Timestamp?, reason: String, by: String, since: Timestamp) {
    self.task = task
    self.until = until
    self.reason = reason
    self.by = by
    self.since = since
  }
  /// Whether it isn't over.
  public func holds(at now: Timestamp) -> Bool {
    until.map { $0 > now } ?? true
  }
}

extension [TaskPause] {
  /// The pause of each task.
  package var byTask: [String: TaskPause] {
    Dictionary(map { ($0.task, $0) }) { first, _ in first }
  }
}
