import UpkeepCore
import UpkeepRuns

/// Runs groups for the API: the members in order, each as a run of its own under the same rules as any other.
///
/// A member that fails doesn't keep the next from running.
actor GroupRuns {
  private struct Job {
    var group: String
    var members: [String]
    var startedAt: Timestamp
    var finishedAt: Timestamp?
    var results: [RunResult] = []
    /// The member that works or waits now.
    var present: String?
    var stopReason: String?
  }

  /// So many finished groups are remembered; older ones are put together from the history.
  private static let remembered = 50

  private let starts: RunStarts
  private let status: any HostStatus
  private let wallClock: any WallClock
  private let random: any RandomSource
  private let events: EventLog
  private var jobs: [String: Job] = [:]
  private let line: AsyncStream<String>
  private let join: AsyncStream<String>.Continuation

  init(
    starts: RunStarts, status: any HostStatus, wallClock: any WallClock, random: any RandomSource, events: EventLog
  ) {
    self.events = events
    self.starts = starts
    self.status = status
    self.wallClock = wallClock
    self.random = random
    (line, join) = AsyncStream.makeStream(of: String.self)
  }

  /// The run of a group that works already.
  struct Running: Error {
    let runID: String
  }

  /// Takes a group on; it runs beside other groups.
  /// - Returns: The group's run id.
  func start(_ group: String, _ members: [String]) -> Result<String, Running> {
    if let running = jobs.filter({ $0.value.group == group && $0.value.finishedAt == nil }).keys.min() {
      return .failure(Running(runID: running))
    }
    let now = wallClock.now()
    let runID = RunID.make(at: now, random: random)
    jobs[runID] = Job(group: group, members: members, startedAt: now)
    for old in jobs.filter({ $0.value.finishedAt != nil }).keys.sorted().dropLast(Self.remembered) { jobs[old] = nil }
    join.yield(runID)
    return .success(runID)
  }

  /// Runs what is taken on, until its task is cancelled.
  func work() async {
    await withDiscardingTaskGroup { group in
      for await runID in line {
        group.addTask { await self.run(runID) }
      }
    }
  }

  /// Tells those who listen how a group stands.
  private func tell(_ runID: String) {
    if let job = jobs[runID] { events.record(Self.document(runID, job, job.results)) }
  }

  private func run(_ runID: String) async {
    tell(runID)
    for member in jobs[runID]?.members ?? [] {
      if Task.isCancelled { jobs[runID]?.stopReason = "the host stops" }
      guard jobs[runID]?.stopReason == nil else { break }
      do {
        let run = try await starts.start(StartRequest(task: member, groupRunID: runID))
        jobs[runID]?.present = run.record.result.runID
        events.join(run.record.result.runID, to: runID)
        // Somebody may have stopped the group while its member was on its way.
        if let reason = jobs[runID]?.stopReason {
          _ = try? await starts.commands.cancel(run.record.result.runID, by: reason)
        }
        let result = await starts.follow(run, waits: true)
        jobs[runID]?.results.append(result)
      } catch {
        jobs[runID]?.stopReason = error.detail
      }
      jobs[runID]?.present = nil
    }
    jobs[runID]?.finishedAt = wallClock.now()
    tell(runID)
  }

  private static func document(_ runID: String, _ job: Job, _ results: [RunResult]) -> GroupResult {
    let ended = job.stopReason.map { _ in RunStatus.cancelled } ?? GroupResult.status(of: results.map(\.status))
    return GroupResult(
      runID: runID, group: job.group, status: job.finishedAt == nil ? .running : ended, startedAt: job.startedAt,
      finishedAt: job.finishedAt, results: results)
  }

  /// Asks a group to stop: its present member, and those after it don't begin.
  /// - Returns: The group as it stands; nothing where no such group is known.
  /// - Throws: A problem where it is over.
  func cancel(_ runID: String, by: String) async throws -> GroupResult? {
    guard let job = jobs[runID], job.finishedAt == nil else {
      guard let group = try await document(runID) else { return nil }
      throw Problem(409, "run_is_over", "the group's run is over already: \(group.status.rawValue)")
    }
    jobs[runID]?.stopReason = by
    if let present = job.present { _ = try await starts.commands.cancel(present, by: by) }
    return try await document(runID)
  }

  /// The result of a group's run as it stands; nothing where there is no such run.
  func document(_ runID: String) async throws -> GroupResult? {
    if let job = jobs[runID] {
      var results = job.results
      if let present = job.present, let record = try await starts.runs.record(present) { results.append(record.result) }
      return Self.document(runID, job, results)
    }
    guard RunID.isValid(runID) else { return nil }
    let records = try await starts.runs.records(RunQuery(groupRunID: runID, limit: 500))
    guard !records.isEmpty else { return nil }
    let results = records.reversed().map(\.result)
    let members = results.map(\.task)
    let names = await status.groups().filter { $0.tasks.starts(with: members) }.map(\.name)
    let statuses = results.map(\.status)
    return GroupResult(
      runID: runID, group: names.first ?? "",
      status: statuses.allSatisfy(\.isFinal) ? GroupResult.status(of: statuses) : .running,
      startedAt: records.last?.createdAt ?? results[0].startedAt ?? wallClock.now(),
      finishedAt: statuses.allSatisfy(\.isFinal) ? results.compactMap(\.finishedAt).max() : nil, results: results)
  }
}
