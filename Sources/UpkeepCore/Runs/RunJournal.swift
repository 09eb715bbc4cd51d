import Synchronization

/// What a run says of itself while it works: counts, tables, details, warnings, errors and progress.
///
/// Counts are added when they are true, that is after the commit, so that a run which fails, times out or is
/// cancelled still reports what it did. Once closed, a journal takes nothing more: what a task that ignores its
/// cancellation does later isn't part of the report.
public final class RunJournal: Sendable {
  /// The present contents of a journal.
  public struct Contents: Sendable {
    /// Progress; its percentage never falls.
    public var progress = RunProgress()
    /// Counts by name.
    public var counts: [String: Int] = [:]
    /// Results by table, in the order of their first mention.
    public var tables: [TableResult] = []
    /// More to know.
    public var details: [JSONValue] = []
    /// What somebody should know; each text once.
    public var warnings: [String] = []
    /// What went wrong.
    public var errors: [RunError] = []
    /// What was left undone.
    public var remaining: [String: Int]?
    /// Why a run that did what it could ended early, such as `budget`.
    public var reason: String?
    /// Grows with each change.
    public var revision = 0
    /// Whether the journal takes nothing more.
    public internal(set) var isClosed = false
  }

  private let contents = Mutex(Contents())
  private let limit: Int

  /// Creates an empty journal that keeps at most `limit` details, warnings and errors each.
  public init(limit: Int = 1000) {
    self.limit = limit
  }

  /// The present contents.
  public var current: Contents {
    contents.withLock { $0 }
  }

  /// Changes the contents, unless the journal is closed.
  public func update(_ change: @Sendable (inout Contents) -> Void) {
    contents.withLock { contents in
      guard !contents.isClosed else { return }
      let percent = contents.progress.percent
      change(&contents)
      contents.progress.percent = min(100, max(percent, contents.progress.percent))
      if contents.progress.percent.isNaN { contents.progress.percent = percent }
      if contents.details.count > limit { contents.details.removeLast(contents.details.count - limit) }
      if contents.warnings.count > limit { contents.warnings.removeLast(contents.warnings.count - limit) }
      if contents.errors.count > limit { contents.errors.removeLast(contents.errors.count - limit) }
      contents.revision += 1
    }
  }

  /// Closes the journal and returns its contents.
  public func close() -> Contents {
    contents.withLock { contents in
      contents.isClosed = true
      return contents
    }
  }
}
