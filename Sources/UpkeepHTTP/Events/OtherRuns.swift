import UpkeepCore
import UpkeepRuns

/// Tells those who listen to everything of runs that other processes make: this one hears nothing of them, so their
/// records are looked at once a second, while somebody listens. Whose run it is stands in its record.
struct OtherRuns {
  private static let lookInterval = Duration.seconds(1)
  /// How many of the newest records are looked at.
  private static let newest = 50

  private let runs: any RunStore
  private let events: EventLog
  private let owner: ProcessIdentity?
  /// The newest run that was there when somebody began to listen; nothing while nobody does.
  private var baseline: String?
  /// Runs of others that go on, as they were told of last.
  private var going: [String: RunResult] = [:]
  /// Runs of others whose end is told.
  private var over: Set<String> = []

  /// Takes note of nothing yet.
  ///
  /// - Parameter owner: This process, whose runs are told of by themselves.
  init(runs: any RunStore, events: EventLog, owner: ProcessIdentity?) {
    (self.runs, self.events, self.owner) = (runs, events, owner)
  }

  /// Works until its task is cancelled.
  static func tell(
    _ runs: any RunStore, to events: EventLog, owner: ProcessIdentity?, clock: any Clock<Duration>
  ) async {
    // A host that nobody listens to isn't woken for this.
    for await _ in events.arrivals {
      var others = OtherRuns(runs: runs, events: events, owner: owner)
      while others.isNeeded {
        // A store that can't be read for a while is no reason to stop.
        try? await others.look()
        guard (try? await clock.sleep(for: lookInterval)) != nil else { return }
      }
    }
  }

  /// Whether somebody listens, or a run that was told of isn't over.
  private var isNeeded: Bool { events.listenerCount > 0 || !going.isEmpty }

  /// Looks once.
  mutating func look() async throws {
    let records = try await runs.records(RunQuery(limit: Self.newest)).filter { $0.owner != nil && $0.owner != owner }
      .map(\.result)
    let known = baseline ?? records.first?.runID ?? ""
    baseline = known
    for result in records.reversed() where !over.contains(result.runID) { see(result, isNew: result.runID > known) }
    // One that goes on for long is no longer among the newest.
    for (runID, _) in going where !records.contains(where: { $0.runID == runID }) {
      guard let result = try await runs.record(runID)?.result else { continue }
      see(result, isNew: true)
    }
    over.formIntersection(records.map(\.runID))
  }

  private mutating func see(_ result: RunResult, isNew: Bool) {
    let runID = result.runID
    // Who ends the run of a process that is gone tells of that as well.
    if events.isOver(runID) {
      going[runID] = nil
      over.insert(runID)
    } else if let told = going[runID] {
      if result.status.isFinal {
        end(result)
      } else if result != told {
        going[runID] = result
        events.record(told.status == .queued && result.status == .running ? .started(result) : .progress(result))
      }
    } else if isNew || !result.status.isFinal {
      // One that was over before anybody listened is no news.
      events.record(.started(result))
      if result.status.isFinal { end(result) } else { going[runID] = result }
    }
  }

  private mutating func end(_ result: RunResult) {
    going[result.runID] = nil
    over.insert(result.runID)
    events.record(.finished(result))
  }
}
