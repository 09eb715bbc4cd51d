public import Foundation
public import UpkeepCore
public import UpkeepSchedule

/// What happens when a task is due while it still runs.
public enum OverlapRule: String, SettingEnumeration, Codable {
  /// The new run isn't started.
  case skip
  /// At most one waits for the present one.
  case queue
  /// The present one is cancelled and the new one takes its place.
  case cancelPrevious = "cancel_previous"
  /// Both run.
  case allow
}

/// What happens when a task that must not run at the same time is running.
public enum ConflictRule: String, SettingEnumeration, Codable {
  /// The run waits, up to `max_wait`.
  case wait
  /// The run isn't started.
  case skip
}

/// The share of a table above which a run is refused.
public struct GuardRule: Hashable, Sendable {
  /// The share in percent.
  public var maxPercent: Double
  /// Below this number of rows nothing is refused.
  public var minRows: Int

  /// Creates a rule; the defaults are the house's.
  public init(maxPercent: Double = 50, minRows: Int = 1000) {
    self.maxPercent = maxPercent
    self.minRows = minRows
  }

  /// Judges what a run would delete, per table, cascades included: doomed ≥ `minRows` and doomed / total > `maxPercent`.
  public func judge(_ tables: [TableResult], overridden: Bool) -> GuardVerdict {
    let over = tables.compactMap { table -> GuardedTable? in
      guard let total = table.total, total > 0, table.deleted >= minRows else { return nil }
      let percent = 100 * Double(table.deleted) / Double(total)
      guard percent > maxPercent else { return nil }
      return GuardedTable(
        table: table.table, doomed: table.deleted, total: total, percent: (percent * 10).rounded() / 10)
    }
    return GuardVerdict(
      wouldRefuse: !over.isEmpty, overridden: overridden, maxPercent: maxPercent, minRows: minRows,
      tables: over.sorted { $0.percent > $1.percent })
  }
}

/// How much one run may do; nothing means without end.
public struct RunBudget: Hashable, Sendable {
  /// Rows deleted, those that go with others included.
  public var maxRows: Int?
  /// Time spent, the preview before a run not included.
  public var maxDuration: Duration?

  /// Creates a budget.
  public init(maxRows: Int? = nil, maxDuration: Duration? = nil) {
    self.maxRows = maxRows
    self.maxDuration = maxDuration
  }
}

/// The rules a task runs under.
public struct TaskRules: Hashable, Sendable {
  /// How long a run may take.
  public var timeout: Duration
  /// What happens while the same task runs.
  public var overlap: OverlapRule
  /// Tasks that never run at the same time, whichever process runs them. The rule holds in both directions.
  public var exclusiveWith: [String]
  /// What happens while one of those runs.
  public var onConflict: ConflictRule
  /// How long a run waits for a rule at the most.
  public var maxWait: Duration
  /// The guard; nothing where it is switched off.
  public var guardRule: GuardRule?
  /// How much one run may do, whatever started it; nothing means without end.
  public var budget: RunBudget?
  /// The time of day in which scheduled runs work; nothing means all day. A run by hand ignores it.
  public var window: TimeWindow?
  /// The zone of ``window``.
  public var timeZone: TimeZone
  /// Rows that it must not touch.
  public var exceptions: [RowException]

  /// Creates rules; the defaults are those of the YAML.
  public init(
    timeout: Duration = .seconds(3600), overlap: OverlapRule = .skip, exclusiveWith: [String] = [],
    onConflict: ConflictRule = .wait, maxWait: Duration = .seconds(600), guardRule: GuardRule? = GuardRule(),
    budget: RunBudget? = nil, window: TimeWindow? = nil, timeZone: TimeZone = .gmt,
    exceptions: [RowException] = []
  ) {
    self.timeout = timeout
    self.overlap = overlap
    self.exclusiveWith = exclusiveWith
    self.onConflict = onConflict
    self.maxWait = maxWait
    self.guardRule = guardRule
    self.budget = budget
    self.window = window
    self.timeZone = timeZone
    self.exceptions = exceptions
  }

  /// The limits of a run.
  ///
  /// The window holds for runs that the schedule or the start of `serve` starts. One that begins its work outside it,
  /// since it had to wait for another, ends before its first batch.
  public func limits(of trigger: RunTrigger, startedAt start: Timestamp) -> RunLimits {
    var limits = RunLimits(maxRows: budget?.maxRows, maxDuration: budget?.maxDuration)
    if let window, trigger == .scheduled || trigger == .startup {
      limits.windowEnd = window.end(after: start, in: timeZone) ?? start
    }
    return limits
  }
}

/// A configured task, ready to run: what the runner takes.
public struct RunnableTask: Sendable {
  /// The task's name.
  public var name: String
  /// The plugin's id.
  public var plugin: String
  /// The task with its settings.
  public var prepared: PreparedTask
  /// The rules it runs under.
  public var rules: TaskRules

  /// Whether the guard judges a preview before each run.
  public var isGuarded: Bool {
    prepared.isGuarded && (rules.guardRule != nil || !prepared.isGuardOptional)
  }

  /// Creates a task.
  public init(name: String, plugin: String, prepared: PreparedTask, rules: TaskRules) {
    self.name = name
    self.plugin = plugin
    self.prepared = prepared
    self.rules = rules
  }
}
