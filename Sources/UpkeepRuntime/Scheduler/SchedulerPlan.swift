import Foundation
import UpkeepCore
public import UpkeepRuns
public import UpkeepSchedule

/// A task as the scheduler takes it.
///
/// It is a few hundred bytes, which the plan and the scheduler's own entries share.
public struct ScheduledTask: Sendable {
  private struct Fields {
    var runnable: RunnableTask
    var isEnabled: Bool
    var schedule: Schedule?
    var runOnStart: Bool
    var jitter: Duration
    var missed: MissedRule
    var grace: Duration?
  }

  private indirect enum Box {
    case of(Fields)
  }

  private let box: Box

  private var fields: Fields {
    switch box {
    case .of(let fields): fields
    }
  }

  /// The task, ready to run, with its rules.
  public var runnable: RunnableTask { fields.runnable }
  /// Whether the schedule starts it.
  public var isEnabled: Bool { fields.isEnabled }
  /// When it is due; nothing means on demand only.
  public var schedule: Schedule? { fields.schedule }
  /// Whether it runs when the scheduler starts.
  public var runOnStart: Bool { fields.runOnStart }
  /// Up to how much later than its slot a run starts.
  public var jitter: Duration { fields.jitter }
  /// What happens to slots that passed while the host was down.
  public var missed: MissedRule { fields.missed }
  /// How old the newest missed slot may be for a catch-up; nothing means any age.
  public var grace: Duration? { fields.grace }

  /// Creates a task.
  public init(
    _ runnable: RunnableTask, isEnabled: Bool = true, schedule: Schedule?, runOnStart: Bool = false,
    jitter: Duration = .zero, missed: MissedRule = .runOnce, grace: Duration? = nil
  ) {
    box = .of(
      Fields(
        runnable: runnable, isEnabled: isEnabled, schedule: schedule, runOnStart: runOnStart, jitter: jitter,
        missed: missed, grace: grace))
  }

  /// The task's name.
  public var name: String { runnable.name }

  /// The schedule as text that differs where schedules do, for the grid.
  var scheduleText: String {
    guard isEnabled else { return "disabled" }
    switch schedule {
    case .interval(let interval): return "interval \(interval.durationText)"
    case .cron(let expression, let zone): return "cron \(expression.text) \(zone.identifier)"
    case nil: return "on demand"
    }
  }
}

/// All that the scheduler takes from a configuration: at its start, and whole at each reload.
public struct SchedulerPlan: Sendable {
  /// The tasks, in the order of the file.
  public var tasks: [ScheduledTask]
  /// How many runs may work at once.
  public var maxConcurrentRuns: Int
  /// How long a stop waits for running tasks.
  public var drainTimeout: Duration

  /// Creates a plan.
  public init(tasks: [ScheduledTask], maxConcurrentRuns: Int = 4, drainTimeout: Duration = .seconds(30)) {
    self.tasks = tasks
    self.maxConcurrentRuns = maxConcurrentRuns
    self.drainTimeout = drainTimeout
  }
}
