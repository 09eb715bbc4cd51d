public import UpkeepCore
public import UpkeepRuns

/// What the routes work with; the host gives it.
public struct SiteParts: Sendable {
  /// What `serve` says of itself.
  public var status: any HostStatus
  /// Starts and stops runs.
  public var commands: any RunCommands
  /// The history.
  public var runs: any RunStore
  /// The pauses.
  public var pauses: any PauseStore
  /// Says which configuration is in force.
  public var configuration: any ConfigurationStatusSource
  /// Changes values of the YAML.
  public var editing: any ConfigurationEditing
  /// What runs came to since the host started.
  public var metrics: RunMetrics
  /// What happened lately.
  public let events: EventLog
  /// Tells the time of day.
  public var wallClock: any WallClock
  /// Measures how long an answer waits.
  public var clock: any Clock<Duration>
  /// Makes identifiers.
  public var random: any RandomSource
  /// This process, as the records of its runs name it.
  public var owner: ProcessIdentity?
  let starts: RunStarts
  let groups: GroupRuns

  /// Creates the parts.
  public init(
    status: any HostStatus, commands: any RunCommands, runs: any RunStore, pauses: any PauseStore,
    configuration: any ConfigurationStatusSource, editing: any ConfigurationEditing, metrics: RunMetrics,
    wallClock: any WallClock, clock: any Clock<Duration>, random: any RandomSource, owner: ProcessIdentity? = nil
  ) {
    self.owner = owner
    self.status = status
    self.commands = commands
    self.runs = runs
    self.pauses = pauses
    self.configuration = configuration
    self.editing = editing
    self.metrics = metrics
    self.wallClock = wallClock
    self.clock = clock
    self.random = random
    events = EventLog(wallClock: wallClock, random: random)
    starts = RunStarts(commands: commands, runs: runs, clock: clock)
    groups = GroupRuns(starts: starts, status: status, wallClock: wallClock, random: random, events: events)
  }

  /// Does what goes on beside the answers, until its task is cancelled: follows the runs, and runs groups.
  public func work(_ feed: any RunFeed) async {
    let (counted, told) = (feed.events(), feed.events())
    let reloads = await configuration.reloads()
    await withTaskGroup { group in
      group.addTask { await metrics.follow(counted) }
      group.addTask { await events.follow(told, reloads) }
      group.addTask { await OtherRuns.tell(runs, to: events, owner: owner, clock: clock) }
      group.addTask { await groups.work() }
    }
  }

  /// The task that a path names.
  func task(_ name: String) async throws -> TaskStatus {
    guard let task = try await status.task(name) else { throw Self.unknownTask(name) }
    return task
  }

  /// The id of the run that a path names; of a single run how its id begins is enough, as on the command line.
  func runID(_ written: String) async throws -> String {
    let runID = written.uppercased()
    // A whole id may be that of a group's run, of which there is no record.
    if RunID.isValid(runID) { return runID }
    do {
      return try await runs.find(written).result.runID
    } catch RunNotFound.none {
      throw Self.unknownRun(written)
    } catch RunNotFound.several(let some) {
      let examples = some.joined(separator: ", ")
      throw Problem(409, "ambiguous_run", "several runs begin with \(written) (\(examples), …); write more of the id")
    }
  }

  /// What a task watches over.
  func statistics(of task: String) async throws -> Statistics {
    do {
      return try await status.statistics(of: task)
    } catch let error as TaskError where error.code == "no_stats" {
      throw Problem(422, error.code, error.description)
    }
  }

  /// A task as the API shows it.
  func document(_ name: String) async throws -> TaskDocument {
    try await TaskDocument(task: task(name), etag: configuration.configurationStatus().hash)
  }

  static func unknownRun(_ runID: String) -> Problem {
    Problem(404, "unknown_run", "there is no run \(runID); GET /api/v1/runs lists them")
  }

  static func unknownTask(_ name: String) -> Problem {
    Problem(404, "unknown_task", "there is no task \(name); GET /api/v1/tasks lists them")
  }
}

extension SiteParts {
  /// Whether there are so few tasks that going through all of them is a matter of microseconds.
  var hasFewTasks: Bool {
    get async { await status.taskCount() <= 100 }
  }
}
