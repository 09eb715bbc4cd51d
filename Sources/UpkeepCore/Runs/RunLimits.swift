/// Why a run that did what it could ends before all is done. It isn't a failure: the next run goes on from there.
public enum StopReason: String, Codable, Sendable, CaseIterable {
  /// Its budget is used up.
  case budget
  /// Its window is over.
  case window

  /// The reason for people, as progress shows it.
  public var message: String {
    switch self {
    case .budget: "Stopped: its budget is used up"
    case .window: "Stopped: its window is over"
    }
  }
}

/// How much one run may do. A task asks ``TaskContext/limitReached()`` between its batches.
public struct RunLimits: Hashable, Sendable {
  /// Rows deleted, those that go with others included; nothing means without end.
  public var maxRows: Int?
  /// Time spent working, a preview before the run not included; nothing means without end.
  public var maxDuration: Duration?
  /// The first instant at which it must not go on; nothing means that the time of day doesn't matter.
  public var windowEnd: Timestamp?

  /// Creates limits; the default is none.
  public init(maxRows: Int? = nil, maxDuration: Duration? = nil, windowEnd: Timestamp? = nil) {
    self.maxRows = maxRows
    self.maxDuration = maxDuration
    self.windowEnd = windowEnd
  }

  /// Which limit is reached; the budget goes before the window.
  ///
  /// - Parameters:
  ///   - rows: Rows deleted so far.
  ///   - elapsed: Time spent so far.
  ///   - now: The present instant.
  public func reached(deleted rows: Int, after elapsed: Duration, at now: Timestamp) -> StopReason? {
    if let maxRows, rows >= maxRows { return .budget }
    if let maxDuration, elapsed >= maxDuration { return .budget }
    if let windowEnd, now >= windowEnd { return .window }
    return nil
  }
}

extension TaskContext {
  /// Which of the run's limits is reached; nothing where it may go on.
  ///
  /// A task asks before each batch, where there is one left to do. When a limit is reached it ends its work with
  /// ``stop(for:)`` and without an error.
  public func limitReached() -> StopReason? {
    guard limits != RunLimits() else { return nil }
    return limits.reached(deleted: deletedRows, after: elapsed(), at: wallClock.now())
  }

  /// How many rows the run may still delete; nothing means without end.
  public var rowsLeft: Int? {
    limits.maxRows.map { max(0, $0 - deletedRows) }
  }

  /// Says that the run ends early, and what it leaves undone: by table, what the forecast found and the run didn't
  /// delete. Without a forecast nobody knows how much that is, and the list is empty.
  public func stop(for reason: StopReason) {
    let forecast = forecast?.tables ?? []
    journal.update { contents in
      let done = Dictionary(contents.tables.map { ($0.table, $0.deleted) }) { first, _ in first }
      let left = forecast.map { ($0.table, $0.deleted - (done[$0.table] ?? 0)) }.filter { $0.1 > 0 }
      contents.reason = reason.rawValue
      contents.remaining = Dictionary(left) { first, _ in first }
    }
  }

  private var deletedRows: Int {
    journal.current.tables.reduce(0) { $0 + $1.deleted }
  }
}
