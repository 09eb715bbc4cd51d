public import UpkeepCore

/// A task as `serve` sees it now.
public struct TaskStatus: Hashable, Sendable {
  /// Its name.
  public var name: String
  /// The plugin's id.
  public var plugin: String
  /// Whether the schedule starts it.
  public var isEnabled: Bool
  /// The pause in force.
  public var pause: TaskPause?
  /// The runs that work, whichever process runs them.
  public var running: [String]
  /// The runs that wait for a rule or for a place.
  public var waiting: [String]
  /// The schedule for people: `every 24 h`, `on demand`.
  public var schedule: String
  /// The interval of its schedule, where it has one.
  public var interval: Duration?
  /// The cron expression of its schedule, where it has one.
  public var cron: String?
  /// The zone of its cron expression.
  public var timeZone: String?
  /// How long a run may take.
  public var timeout: Duration
  /// When the schedule starts it next, after its pause; nothing where it never does, or where the pause has no end.
  public var nextRunAt: Timestamp?
  /// The newest run that is over.
  public var lastRun: RunResult?
  /// Its settings, secrets masked.
  public var settings: [SettingStatus]
  /// The settings that a run would have now, as its result would show them: to hold an earlier result against.
  public var runSettings: [String: JSONValue]
  /// Whether it can be previewed.
  public var hasPreview: Bool
  /// Where the values of its own keys come from, such as `enabled` and `timeout`: see ``SettingStatus/origin``.
  public var origins: [String: String]

  /// Creates a status.
  public init(
    name: String, plugin: String, isEnabled: Bool, pause: TaskPause?, running: [String], waiting: [String],
    schedule: String, interval: Duration?, cron: String?, timeZone: String?, timeout: Duration, nextRunAt: Timestamp?,
    lastRun: RunResult?, settings: [SettingStatus], runSettings: [String: JSONValue] = [:], hasPreview: Bool,
    origins: [String: String] = [:]
  ) {
    self.name = name
    self.plugin = plugin
    self.isEnabled = isEnabled
    self.pause = pause
    self.running = running
    self.waiting = waiting
    self.schedule = schedule
    self.interval = interval
    self.cron = cron
    self.timeZone = timeZone
    self.timeout = timeout
    self.nextRunAt = nextRunAt
    self.lastRun = lastRun
    self.settings = settings
    self.runSettings = runSettings
    self.hasPreview = hasPreview
    self.origins = origins
  }
}

/// One setting of a task with its origin.
public struct SettingStatus: Hashable, Sendable {
  /// The key below `settings`, dotted.
  public var key: String
  /// The value; a secret is masked.
  public var value: JSONValue
  /// Where it comes from: `upkeep.yaml:12:5`, `environment NAME`, or `default`.
  public var origin: String
  /// One line for people.
  public var help: String
  /// Whether the API and the dashboard may change it.
  public var isTunable: Bool
  /// What of a list of maps they may change, such as `rules.0.keep`.
  public var parts: [SettingStatus] = []

  /// Creates a setting.
  public init(key: String, value: JSONValue, origin: String, help: String = "", isTunable: Bool = false) {
    self.key = key
    self.value = value
    self.origin = origin
    self.help = help
    self.isTunable = isTunable
  }
}

/// What `serve` says of itself.
public protocol HostStatus: Sendable {
  /// All tasks, in the order of the file.
  func tasks() async throws -> [TaskStatus]
  /// How many there are.
  func taskCount() async -> Int
  /// One task; nothing where there is none of that name.
  func task(_ name: String) async throws -> TaskStatus?
  /// The groups and their tasks, in the order of the file.
  func groups() async -> [(name: String, tasks: [String])]
  /// What a task watches over.
  /// - Throws: ``UpkeepCore/TaskError`` where its plugin can't say, or where its database can't be read.
  func statistics(of task: String) async throws -> Statistics
  /// When the schedule starts a task within some time from now, as far as is known; not more than `limit` instants.
  func upcoming(_ task: String, until end: Timestamp, limit: Int) async -> [Timestamp]
  /// Whether the scheduler's loop turns.
  func isAlive() async -> Bool
  /// Why the host can't do its work: the loop stands still, the store can't be written, it stops; empty where it can.
  func troubles() async -> [String]
}

/// What a run is asked for with, from outside.
public struct StartRequest: Hashable, Sendable {
  /// The task.
  public var task: String
  /// Whether it runs or previews.
  public var mode: RunMode
  /// What asks.
  public var trigger: RunTrigger
  /// Whether it runs although the guard would refuse it.
  public var overrideGuard: Bool
  /// Other values for some keys of the task, for this run only, as they would stand in YAML: `settings.odds_keep`.
  public var settings: [String: String]
  /// The run id of the group run it is a member of.
  public var groupRunID: String?

  /// Creates a request.
  public init(
    task: String, mode: RunMode = .run, trigger: RunTrigger = .api, overrideGuard: Bool = false,
    settings: [String: String] = [:], groupRunID: String? = nil
  ) {
    self.task = task
    self.mode = mode
    self.trigger = trigger
    self.overrideGuard = overrideGuard
    self.settings = settings
    self.groupRunID = groupRunID
  }
}

/// Why a run isn't started.
public enum StartRefusal: Error, Hashable, Sendable {
  /// There is no such task.
  case unknownTask(String)
  /// The values for this run alone aren't valid: every problem.
  case invalid([Diagnostic])
  /// The host stops.
  case stopping
  /// The state store doesn't take its record.
  case store(TaskError)
}

/// A run that was asked for: recorded, and on its way.
public struct StartedRun: Sendable {
  /// Its record as it was made.
  public var record: RunRecord
  /// What becomes of it, from here to its end.
  public var events: AsyncStream<RunEvent>

  /// Creates a started run.
  public init(record: RunRecord, events: AsyncStream<RunEvent>) {
    self.record = record
    self.events = events
  }
}

/// Starts and stops runs. They take the same way, under the same rules, as those of the schedule.
public protocol RunCommands: Sendable {
  /// Records a run and starts it as soon as a place is free and the rules let it.
  func start(_ request: StartRequest) async throws(StartRefusal) -> StartedRun
  /// Asks a run to stop, whichever process runs it.
  /// - Returns: False where no such run waits or works.
  func cancel(_ runID: String, by: String) async throws -> Bool
}

/// Tells of all runs of this host: for streams of events, notices and metrics.
public protocol RunFeed: Sendable {
  /// The events of all runs from now on; a reader that doesn't keep up loses the oldest ones.
  func events() -> AsyncStream<RunEvent>
}
