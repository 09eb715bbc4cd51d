public import UpkeepCore

/// What becomes of the slots that have come since the last one that has its record: each is covered by exactly one of
/// these records, in the order of time.
public struct CatchUp: Hashable, Sendable {
  /// One record: a run, or why there is none.
  public struct Entry: Hashable, Sendable {
    /// The first slot that it covers.
    public var first: Timestamp
    /// The last slot that it covers; where it covers one, the same as ``first``.
    public var last: Timestamp
    /// How many slots it covers.
    public var count: Int
    /// Why these slots are missed; nothing where a run is to be started for them.
    public var missed: Reason?
    /// Whether the run makes up for slots that passed, rather than coming on time for its own.
    public var isLate: Bool
  }

  /// Why slots are recorded as missed.
  public enum Reason: String, Hashable, Sendable, CaseIterable {
    /// `missed: skip`.
    case skip
    /// The newest of them is older than `grace`.
    case grace
    /// `missed: run_all`, and there are 100 newer ones.
    case limit
  }

  /// The records, in the order of time; none where no slot has come.
  public var entries: [Entry] = []

  /// The most runs that ``MissedRule/runAll`` starts.
  public static let mostRuns = 100

  /// Up to how long after its time a slot still counts as on time: longer than a loop that looks every 30 seconds needs
  /// to notice a step of the clock.
  public static let onTime = Duration.seconds(60)
}

extension Schedule {
  /// Decides about the slots since the last one that has its record.
  ///
  /// A slot that came at most ``CatchUp/onTime`` ago (or `grace`, where that is less) isn't missed: it is run under every
  /// rule. However many slots have passed, only the runs are walked.
  ///
  /// - Parameters:
  ///   - slot: The last slot that has its record (or the instant at which the schedule began).
  ///   - now: The present instant. A slot whose jitter isn't over yet hasn't come.
  ///   - missed: What happens to slots that passed.
  ///   - grace: A catch-up whose newest slot, its jitter included, is older than this is recorded as missed.
  ///   - jitter: How much later than its slot a run starts.
  public func catchUp(
    after slot: Timestamp, now: Timestamp, missed: MissedRule, grace: Duration? = nil, jitter: Jitter? = nil
  ) -> CatchUp {
    let due = come(after: slot, by: now, jitter: jitter)
    guard let first = due.first, let last = due.last else { return CatchUp() }
    let age = now - last - (jitter?.delay(of: last, in: self) ?? .zero)
    let onTime = min(CatchUp.onTime, grace ?? CatchUp.onTime)
    func entry(_ reason: CatchUp.Reason?, _ first: Timestamp, _ last: Timestamp, _ count: Int) -> CatchUp.Entry {
      let isLate = reason == nil && (last != due.last || count > 1 || age > onTime)
      return CatchUp.Entry(first: first, last: last, count: count, missed: reason, isLate: isLate)
    }
    if let grace, age > grace {
      return CatchUp(entries: [entry(.grace, first, last, due.count)])
    }
    let runs: [Timestamp]
    switch missed {
    case .runOnce:
      return CatchUp(entries: [entry(nil, first, last, due.count)])
    case .runAll:
      runs = due.newest
    case .skip:
      runs = age > onTime ? [] : [last]
    }
    var entries = runs.map { entry(nil, $0, $0, 1) }
    let rest = due.count - runs.count
    if rest > 0, let end = runs.first.map({ $0 - .microseconds(1) }) ?? due.last,
      let lastMissed = slots(after: slot, through: end, limit: 1).last
    {
      entries.insert(entry(missed == .skip ? .skip : .limit, first, lastMissed, rest), at: 0)
    }
    return CatchUp(entries: entries)
  }

  /// The slots that have come, their jitter over. Since a jitter ends before the next slot, only the newest may not.
  private func come(after slot: Timestamp, by now: Timestamp, jitter: Jitter?) -> DueSlots {
    let due = slots(after: slot, through: now, limit: CatchUp.mostRuns)
    guard let jitter, let last = due.last, last + jitter.delay(of: last, in: self) > now else { return due }
    return slots(after: slot, through: last - .microseconds(1), limit: CatchUp.mostRuns)
  }
}
