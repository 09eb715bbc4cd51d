import Synchronization
import UpkeepCore
import UpkeepFetch

/// The events that a platform lists.
struct Discovery: Sendable {
  /// The tournaments.
  var tournaments = 0
  /// The events that can be matched, the nearest kickoff first.
  var events: [ListedEvent] = []
  /// How many events have no SportRadar id.
  var unmatched = 0
  /// What couldn't be had: the whole list, or those of some tournaments.
  var failures: [TaskError] = []
  /// Whether the list is the whole one, so that what isn't on it is gone.
  var isWhole: Bool
  /// How long it took.
  var duration = Duration.zero

  /// Asks a platform.
  /// - Throws: `CancellationError` alone: everything else is among the failures.
  init(_ platform: any Platform, limit: Int, maxEvents: Int?, _ context: TaskContext) async throws {
    let elapsed = context.clock.stopwatch()
    isWhole = false
    do {
      let listed = try await platform.tournaments()
      tournaments = listed.count
      var found: [ListedEvent] = []
      var failures: [TaskError] = []
      try await ConcurrentWork.forEach(listed, limit: limit) { tournament in
        try await Result<[ListedEvent], TaskError>.of { try await platform.events(of: tournament) }
      } take: { result in
        switch result {
        case .success(let events): found += events
        case .failure(let error): failures.append(error)
        }
      }
      self.failures = failures
      isWhole = failures.isEmpty
      take(found, maxEvents: maxEvents)
    } catch let error as TaskError {
      failures = [error]
    }
    duration = elapsed()
  }

  private mutating func take(_ found: [ListedEvent], maxEvents: Int?) {
    let sorted = found.sorted { left, right in
      left.kickoff == right.kickoff ? left.id < right.id : left.kickoff < right.kickoff
    }
    // A tournament may be listed twice, and an event under two of them.
    var (ids, matches) = (Set<String>(), Set<String>())
    for event in sorted where ids.insert(event.id).inserted {
      guard let match = event.sportradarID else {
        unmatched += 1
        continue
      }
      if matches.insert(match).inserted { events.append(event) }
    }
    guard let maxEvents, events.count > maxEvents else { return }
    events.removeLast(events.count - maxEvents)
    isWhole = false
  }
}

extension Result where Failure == TaskError, Success: Sendable {
  /// The outcome of some work; what isn't an error of a task gets its form.
  /// - Throws: `CancellationError` alone.
  static func of(_ body: () async throws -> Success) async throws -> Self {
    do {
      return .success(try await body())
    } catch let error as TaskError {
      return .failure(error)
    } catch let error where error is CancellationError || Task.isCancelled {
      throw CancellationError()
    } catch {
      return .failure(
        TaskError(code: "unexpected", place: "scraping", problem: "\(error)", fix: "please report this error"))
    }
  }
}
