public import UpkeepCore
import Foundation
import UpkeepConfiguration
import UpkeepRuns
import UpkeepSchedule

/// A configured task as it is shown.
public struct TaskOverview: Sendable {
  /// Its name.
  public var name: String
  /// The plugin's id.
  public var plugin: String
  /// Whether the schedule starts it.
  public var isEnabled: Bool
  /// The interval of its schedule, where it has one.
  public var interval: Duration?
  /// The cron expression of its schedule, where it has one.
  public var cron: String?
  /// The schedule for people: `every 1 d`, `on demand`.
  public var schedule: String
  /// The zone of its cron expression.
  public var timeZone: String?
  /// How long a run may take.
  public var timeout: Duration
  /// When the schedule starts it next, after its pause; nothing where that isn't known before `serve` has run, or never.
  public var nextRun: Timestamp?
  /// Its settings with their origins.
  public var settings: [EffectiveValue]

  init(_ task: TaskConfiguration, in configuration: HostConfiguration, nextRun: Timestamp? = nil) {
    name = task.name
    plugin = task.plugin
    isEnabled = task.isEnabled
    schedule = task.schedule?.words ?? "on demand"
    timeout = task.rules.timeout
    self.nextRun = nextRun
    switch task.schedule {
    case .interval(let interval):
      self.interval = interval
    case .cron(let expression, let zone):
      cron = expression.text
      timeZone = zone.identifier
    case nil:
      break
    }
    settings = configuration.effective.entries(under: "tasks.\(task.name).settings").map(EffectiveValue.init)
  }
}

/// A configured group.
public struct GroupOverview: Sendable {
  /// Its name.
  public var name: String
  /// The names of its tasks, in order.
  public var tasks: [String]
}

/// One value of the configuration with its origin; secrets are masked.
public struct EffectiveValue: Codable, Hashable, Sendable {
  /// The path of the key, such as `tasks.odds_retention.settings.odds_keep`.
  public var key: String
  /// The value.
  public var value: JSONValue
  /// Where it comes from: `upkeep.yaml:12:5`, `environment NAME`, `--set KEY=VALUE` or `default`.
  public var origin: String

  init(_ entry: EffectiveConfiguration.Entry) {
    key = entry.key
    value = entry.value
    origin = entry.origin
  }
}
