/// Records of runs that are old enough to go, or that went.
public struct OldRuns: Hashable, Sendable {
  /// How many.
  public var count: Int
  /// How many records there are in all, those of running runs included.
  public var total: Int
  /// When the first of the old ones ended.
  public var oldest: Timestamp?
  /// When the last of them ended.
  public var newest: Timestamp?

  /// Creates a summary.
  public init(count: Int = 0, total: Int = 0, oldest: Timestamp? = nil, newest: Timestamp? = nil) {
    self.count = count
    self.total = total
    self.oldest = oldest
    self.newest = newest
  }
}

/// The host's history of runs, as far as old records go from it.
///
/// Only final records are ever old: that of a running run stays, whatever its age. Those of runs that ended well, were
/// cancelled, skipped or missed have one limit, all others have another; both compare strictly.
///
/// Every call throws ``TaskError`` where the history can't be read or written.
public protocol RunHistory: Sendable {
  /// Counts the old records, and changes nothing.
  func oldRuns(finishedBefore: Timestamp, failuresBefore: Timestamp) async throws -> OldRuns
  /// Removes up to `limit` old records, the oldest first, in one transaction.
  func prune(finishedBefore: Timestamp, failuresBefore: Timestamp, limit: Int) async throws -> OldRuns
  /// All records there are, by the time at which they were made.
  func allRuns() async throws -> OldRuns
}

extension RunHistory {
  /// Removes all old records, 500 in a transaction.
  /// - Returns: How many records were removed.
  @discardableResult
  public func prune(finishedBefore: Timestamp, failuresBefore: Timestamp) async throws -> Int {
    let batch = 500
    var removed = 0
    while true {
      try Task.checkCancellation()
      let pruned = try await prune(finishedBefore: finishedBefore, failuresBefore: failuresBefore, limit: batch)
      removed += pruned.count
      if pruned.count < batch { return removed }
    }
  }
}

/// The host's history with how long its records are kept.
public struct KeptHistory: Sendable {
  /// The history.
  public var history: any RunHistory
  /// How long records are kept.
  public var keep: Duration
  /// How long those of runs that didn't end well are kept.
  public var keepFailures: Duration

  /// Puts them together.
  public init(_ history: any RunHistory, keep: Duration, keepFailures: Duration) {
    self.history = history
    self.keep = keep
    self.keepFailures = keepFailures
  }
}

/// Offers the host's own history to a task.
public protocol HistoryResources: TaskResources {
  /// The history.
  /// - Throws: ``TaskError`` where the host has none.
  func keptHistory() throws -> KeptHistory
}

extension TaskContext {
  /// The host's own history.
  /// - Throws: ``TaskError`` where the host has none.
  public func keptHistory() throws -> KeptHistory {
    guard let resources = resources as? any HistoryResources else {
      throw TaskError(
        code: "no_history", place: "run history", problem: "the host offers no history",
        fix: "run the task in a host whose resources conform to HistoryResources")
    }
    return try resources.keptHistory()
  }
}
