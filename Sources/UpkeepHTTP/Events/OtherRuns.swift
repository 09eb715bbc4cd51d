import UpkeepCore
import UpkeepRuns

/// Tells those who listen to everything of runs that other processes make: this one hears nothing of them, so their
/// records are looked at once a second, while somebody listens.
struct OtherRuns {
  private static let lookInterval = Duration.seconds(1)
  /// How many of the newest records are looked at.
  private static let newest = 50

  private let runs: any RunStore
  private let events: EventLog
  private let clock: any Clock<Duration>
  /// The newest run that was there when somebody began to listen; nothing while nobody does.
  private var baseline: String?
  /// Runs that were seen once: one of this process is told of by itself before the next look.
  private var candidates: Set<String> = []
  /// Runs of others that go on, as they were told of last.
  private var going: [String: RunResult] = [:]
  /// Runs of others whose end is told.
  private var over: Set<String> = []

  init(runs: any RunStore, events: EventLog, clock: any Clock<Duration>) {
    (self.runs, self.events, self.clock) = (runs, events, clock)
  }

  /// Works until its task is cancelled.
  static func tell(_ runs: any RunStore, to events: EventLog, clock: any Clock<Duration>) async {
    var others = OtherRuns(runs: runs, events: events, clock: clock)
    while (try? await clock.sleep(for: lookInterval)) != nil {
      // A store that can't be read for a while is no reason to stop.
      try? await others.look()
    }
  }

  /// Looks once.
  mutating func look() async throws {
    guard events.listenerCount > 0 || !going.isEmpty else {
      (baseline, candidates, over) = (nil, [], [])
      return
    }
    let records = try await runs.records(RunQuery(limit: Self.newest)).map(\.result)
    guard let known = baseline else {
      baseline = records.first?.runID ?? ""
      for result in records where !result.status.isFinal { candidates.insert(result.runID) }
      return
    }
    for result in records.reversed() where !over.contains(result.runID) { see(result, isNew: result.runID > known) }
    // One that goes on for long is no longer among the newest.
    for (runID, _) in going where !records.contains(where: { $0.runID == runID }) {
      guard let result = try await runs.record(runID)?.result else { continue }
      see(result, isNew: true)
    }
    over.formIntersection(records.map(\.runID))
    candidates.formIntersection(records.map(\.runID))
  }

  private mutating func see(_ result: RunResult, isNew: Bool) {
    let runID = result.runID
    if let told = going[runID] {
      if result.status.isFinal {
        end(result)
      } else if result != told {
        going[runID] = result
        events.record(told.status == .queued && result.status == .running ? .started(result) : .progress(result))
      }
      return
    }
    if events.knows(runID) {
      over.insert(runID)
    } else if candidates.remove(runID) != nil {
      events.record(.started(result))
      if result.status.isFinal { end(result) } else { going[runID] = result }
    } else if isNew {
      candidates.insert(runID)
    }
  }

  private mutating func end(_ result: RunResult) {
    going[result.runID] = nil
    over.insert(result.runID)
    events.record(.finished(result))
  }
}
