public import Foundation
public import UpkeepCore
public import UpkeepRuns
public import UpkeepSchedule

/// A configured task.
public struct TaskConfiguration: Sendable {
  /// Its name.
  public var name: String
  /// The plugin's id.
  public var plugin: String
  /// Whether the schedule starts it.
  public var isEnabled: Bool
  /// When it is due; nothing means on demand only.
  public var schedule: Schedule?
  /// The zone of its cron expression and its window.
  public var timeZone: TimeZone
  /// Whether it runs when `serve` starts.
  public var runOnStart: Bool
  /// Up to how much later than its slot a run starts.
  public var jitter: Duration
  /// What happens to slots that passed while the host was down.
  public var missed: MissedRule
  /// How old the newest missed slot may be for a catch-up; nothing means any age.
  public var grace: Duration?
  /// The rules it runs under.
  public var rules: TaskRules
  /// An address that is told of each run. It may hold a password: never show it unmasked.
  public var heartbeatURL: String?
  /// The `settings:` map as it was read, overrides included; nothing where there is none. It may hold secrets.
  public var settings: ConfigurationNode?
  /// The task with its settings, ready to run.
  public var prepared: PreparedTask
  /// Where it is configured.
  public var origin: ValueOrigin

  /// What the runner takes.
  public var runnable: RunnableTask {
    RunnableTask(name: name, plugin: plugin, prepared: prepared, rules: rules)
  }
}
