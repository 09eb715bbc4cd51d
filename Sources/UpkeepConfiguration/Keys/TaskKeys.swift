import UpkeepCore
import UpkeepRuns
import UpkeepSchedule

/// The keys of a task under `tasks:`.
struct TaskKeys: TaskSettings {
  var plugin: String?
  var enabled = true
  var interval: Duration?
  var cron: CronText?
  var timeZone: ZoneText?
  var runOnStart = false
  var jitter = Duration.zero
  var timeout = TaskRules().timeout
  var missed = MissedRule.runOnce
  var grace: Duration?
  var window: TimeWindow?
  var budget: BudgetKeys?
  var except: [ExceptKeys] = []
  var concurrency = ConcurrencyKeys()
  var guardSetting = GuardSetting.rule(GuardRule())
  var heartbeatURL: WebAddress?
  var settings = RawSettings()

  static let noun = "key"
  static let fields: [SettingField<Self>] = [
    SettingField("plugin", \.plugin, "The plugin's id; may be left out where the task has its name"),
    SettingField("enabled", \.enabled, "Whether the schedule starts it"),
    SettingField("interval", \.interval, atLeast: .seconds(1), "How long after a slot the next one comes"),
    SettingField("cron", \.cron, "Times of day, as minute, hour, day of month, month, day of week"),
    SettingField("time_zone", \.timeZone, "The zone of cron and of window (host.time_zone)"),
    SettingField("run_on_start", \.runOnStart, "Whether it also runs when serve starts"),
    SettingField("jitter", \.jitter, "Up to how much later than its slot a run starts"),
    SettingField("timeout", \.timeout, atLeast: .milliseconds(1), "How long a run may take"),
    SettingField("missed", \.missed, "What happens to slots that passed while the host was down"),
    SettingField(
      "grace", \.grace, atLeast: .milliseconds(1), "A missed slot older than this is recorded, and not made up for"),
    SettingField(
      "window", \.window,
      "The time of day at whose end a scheduled run stops between two batches; a run by hand ignores it"),
    SettingField("budget", \.budget, "How much one run may do; used up, it ends as completed and the next one goes on"),
    SettingField("except", \.except, "Rows that it never touches, whatever its rules select"),
    SettingField("concurrency", \.concurrency, "What must not run at the same time"),
    SettingField("guard", \.guardSetting, "The share of a table above which a run is refused; none switches it off"),
    SettingField(
      "heartbeat_url", \.heartbeatURL, secret: true,
      "An address that is told of each run: /start, /fail, and itself for success"),
    SettingField("settings", \.settings, "The plugin's own settings"),
  ]
}

/// The keys of a task's `concurrency`.
struct ConcurrencyKeys: SettingGroup {
  var overlap = TaskRules().overlap
  var exclusiveWith: [String] = []
  var onConflict = TaskRules().onConflict
  var maxWait = TaskRules().maxWait

  static let noun = "key"
  static let fields: [SettingField<Self>] = [
    SettingField("overlap", \.overlap, "What happens when it is due while it still runs"),
    SettingField("exclusive_with", \.exclusiveWith, "Tasks that never run at the same time"),
    SettingField("on_conflict", \.onConflict, "What happens while one of those runs"),
    SettingField("max_wait", \.maxWait, "How long a run waits for a rule"),
  ]
}

/// The keys of a task's `budget`.
struct BudgetKeys: SettingGroup {
  var maxRows: Int?
  var maxDuration: Duration?

  static let noun = "key"
  static let fields: [SettingField<Self>] = [
    SettingField(
      "max_rows", \.maxRows, atLeast: 1, "How many rows one run may delete, those that go with others included"),
    SettingField(
      "max_duration", \.maxDuration, atLeast: .milliseconds(1),
      "How long one run may delete, the preview before it not included"),
  ]

  func problems() -> [(key: String, message: String)] {
    maxRows == nil && maxDuration == nil ? [("max_rows", "expected max_rows, max_duration or both")] : []
  }
}

/// The keys of a task's `guard`.
struct GuardKeys: SettingGroup {
  var maxPercent = GuardRule().maxPercent
  var minRows = GuardRule().minRows

  static let noun = "key"
  static let fields: [SettingField<Self>] = [
    SettingField("max_percent", \.maxPercent, in: 0...100, "The share of a table that may be deleted, in percent"),
    SettingField("min_rows", \.minRows, in: 0...Int.max, "Below this number of rows nothing is refused"),
  ]
}

/// A task's guard: a rule, or `none`.
enum GuardSetting: SettingValue {
  case none
  case rule(GuardRule)

  static var kind: SettingKind { GuardKeys.kind }

  static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> GuardSetting {
    if case .string("none") = node.content { return .none }
    guard case .map = node.content else {
      throw SettingProblem(code: "bad_type", "expected none, or a map of max_percent and min_rows, found \(node.found)")
    }
    let keys = try GuardKeys.read(node, in: scope)
    return .rule(GuardRule(maxPercent: keys.maxPercent, minRows: keys.minRows))
  }

  var json: JSONValue {
    switch self {
    case .none: .string("none")
    case .rule(let rule): .object(["max_percent": .number(rule.maxPercent), "min_rows": .integer(rule.minRows)])
    }
  }
}

/// A plugin's settings, which the plugin reads itself.
struct RawSettings: SettingValue {
  static var kind: SettingKind { .group([]) }

  static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> RawSettings {
    RawSettings()
  }

  var json: JSONValue { .object([:]) }
}
