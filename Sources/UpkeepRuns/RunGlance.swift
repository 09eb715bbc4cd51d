public import UpkeepCore

/// As much of a run as a strip or a timeline shows: reading it costs a fraction of what its whole record does.
public struct RunGlance: Hashable, Sendable {
  /// The run.
  public var runID: String
  /// The task.
  public var task: String
  /// How it ended, or stands.
  public var status: RunStatus
  /// When it was recorded first.
  public var createdAt: Timestamp
  /// Its slot.
  public var scheduledAt: Timestamp?
  /// When it started.
  public var startedAt: Timestamp?
  /// When it ended.
  public var finishedAt: Timestamp?
  /// How long it took.
  public var durationMilliseconds: Int?

  /// Describes a run.
  public init(
    runID: String, task: String, status: RunStatus, createdAt: Timestamp, scheduledAt: Timestamp?,
    startedAt: Timestamp?, finishedAt: Timestamp?, durationMilliseconds: Int?
  ) {
    self.runID = runID
    self.task = task
    self.status = status
    self.createdAt = createdAt
    self.scheduledAt = scheduledAt
    self.startedAt = startedAt
    self.finishedAt = finishedAt
    self.durationMilliseconds = durationMilliseconds
  }

  /// What a record shows at a glance.
  public init(_ record: RunRecord) {
    let result = record.result
    self.init(
      runID: result.runID, task: result.task, status: result.status, createdAt: record.createdAt,
      scheduledAt: result.scheduledAt, startedAt: result.startedAt, finishedAt: result.finishedAt,
      durationMilliseconds: result.durationMilliseconds)
  }
}

extension RunStore {
  /// Runs at a glance, newest first, from their whole records.
  public func glances(_ query: RunQuery) async throws -> [RunGlance] {
    try await records(query).map { RunGlance($0) }
  }
}
