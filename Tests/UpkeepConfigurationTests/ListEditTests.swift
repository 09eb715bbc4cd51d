import Testing
import UpkeepCore
import UpkeepRuns

@testable import UpkeepConfiguration

/// A rule of a made-up plugin.
private struct Rule: SettingGroup {
  var table = ""
  var keep: Duration?
  var last: Int?

  static let noun = "key"
  static let fields: [SettingField<Self>] = [
    SettingField("table", \.table, required: true, "The table"),
    SettingField("keep", \.keep, atLeast: .seconds(1), "How long rows are kept"),
    SettingField("last", \.last, atLeast: 1, "How many stay"),
  ]
}

private struct RuleSettings: TaskSettings {
  var rules: [Rule] = []
  var names: [String] = []

  static let fields: [SettingField<Self>] = [
    SettingField("rules", \.rules, "What goes"), SettingField("names", \.names, "Some names"),
  ]
}

private struct RuleTask: MaintenanceTask {
  func run(_ settings: RuleSettings, in context: TaskContext) async throws {}
}

private func loader(_ environment: [String: String] = [:]) -> ConfigurationLoader {
  ConfigurationLoader(
    plugins: [Plugin("rules", RuleTask.self, PluginDocumentation(summary: "Made up", sample: ""))],
    environment: environment)
}

/// The edit of a task that is called `rules`.
private func planned(
  _ yaml: String, _ key: String, _ value: String, _ environment: [String: String] = [:], scope: EditScope = .all
) throws(EditRefusal) -> EditPlan {
  try EditPlanner(loader: loader(environment), path: "u.yaml", folder: "/srv/app")
    .plan([ConfigurationEdit(task: "rules", key: key, value: value)], scope: scope, on: Array(yaml.utf8))
}

private func refusal(
  _ yaml: String, _ key: String, _ value: String, _ environment: [String: String] = [:], scope: EditScope = .all
) -> EditRefusal? {
  do throws(EditRefusal) {
    _ = try planned(yaml, key, value, environment, scope: scope)
    return nil
  } catch {
    return error
  }
}

private let head = "tasks:\n  rules:\n    settings:\n"

@Suite struct ListEditTests {
  @Test(arguments: [
    (
      "      rules:\n        - table: a   # first\n          keep: 30d  # a month\n        - { table: b, keep: 1d }\n",
      "rules.0.keep", "60d",
      "      rules:\n        - table: a   # first\n          keep: 60d  # a month\n        - { table: b, keep: 1d }\n"
    ),
    (
      "      rules:\n        - table: a\n          keep: 30d\n        - { table: b, keep: 1d }\n", "rules[1].keep",
      "60d",
      "      rules:\n        - table: a\n          keep: 30d\n        - { table: b, keep: 60d }\n"
    ),
    (
      "      rules: [{ table: a, keep: 30d }]\n", "settings.rules.0.keep", "1h",
      "      rules: [{ table: a, keep: 1h }]\n"
    ),
    // One more key: within braces, behind the key that is declared before it, and where only the dash's line has one.
    (
      "      rules: [{ table: a, last: 3 }]\n", "rules.0.keep", "1h", "      rules: [{ table: a, keep: 1h, last: 3 }]\n"
    ),
    (
      "      rules:\n      -  table: a # x\n         last: 3\n", "rules.0.keep", "1h",
      "      rules:\n      -  table: a # x\n         keep: 1h\n         last: 3\n"
    ),
    (
      "      rules:\n        - table: a\n        - table: b\n", "rules.0.keep", "1h",
      "      rules:\n        - table: a\n          keep: 1h\n        - table: b\n"
    ),
    (
      "      rules:\r\n        -\r\n          table: a", "rules.0.last", "2",
      "      rules:\r\n        -\r\n          table: a\r\n          last: 2"
    ),
    (
      "      rules:\n        - table: a\n          keep: 30d\n", "rules.0.keep", "null",
      "      rules:\n        - table: a\n          keep: null\n"
    ),
    ("      names: [a, 'b', c]\n", "names.1", "x y", "      names: [a, 'x y', c]\n"),
    (
      "      names:\n        - a # one\n        - b\n", "names.0", "c", "      names:\n        - c # one\n        - b\n"
    ),
  ])
  func changesOnePart(_ before: String, _ key: String, _ value: String, _ after: String) throws {
    let plan = try planned(head + before, key, value)
    #expect(String(decoding: plan.bytes, as: UTF8.self) == head + after)
    #expect(plan.diff.count == 1 && plan.changes.count == 1)
  }

  private static let two =
    head + "      rules:\n        - table: a\n          keep: 30d\n        - table: b\n          last: 3\n"

  @Test func saysWhatChanged() throws {
    #expect(
      try planned(Self.two, "rules.0.keep", "7d").changes.map(\.text) == ["rules: settings.rules.0.keep: 30d → 7d"])
    #expect(
      try planned(Self.two, "rules.1.keep", "7d").changes.map(\.text) == ["rules: settings.rules.1.keep: none → 7d"])
  }

  @Test(arguments: [("rules.0.keep", "720h"), ("rules.1.last", "3"), ("rules.0.last", "null")])
  func changesNothingWhereItIsSoAlready(key: String, value: String) throws {
    let plan = try planned(Self.two, key, value)
    #expect(plan.bytes == Array(Self.two.utf8))
    #expect(plan.diff == [] && plan.changes == [])
  }

  @Test(arguments: [
    ("rules.2.keep", "7d", "unknown_part", "settings.rules is a list: write settings.rules.0 to settings.rules.1"),
    ("rules.-1.keep", "7d", "unknown_part", "settings.rules is a list: write settings.rules.0 to settings.rules.1"),
    ("rules.a.keep", "7d", "unknown_part", "settings.rules is a list: write settings.rules.0 to settings.rules.1"),
    ("names.0", "x", "unknown_part", "settings.names is a list: it has none yet"),
    ("keep", "7d", "unknown_setting", "each part of rules has one; write rules.0.keep for the first"),
    ("rules.0.kep", "7d", "unknown_setting", "rules.0: unknown setting kep; did you mean keep?"),
    ("rules.0.keep", "7", "bad_duration", "keep: 7 has no unit; write 7s, 7m, 7h or 7d"),
    ("rules.0.keep.x", "7", "unknown_key", "settings.rules.0.keep has no parts"),
    ("rules.0.table", "null", "missing_key", "table"),
  ])
  func refusesWhatIsNoPart(_ key: String, _ value: String, _ code: String, _ message: String) throws {
    guard case .invalid(let problems, _) = refusal(Self.two, key, value) else {
      Issue.record("not refused")
      return
    }
    #expect(problems.map(\.code) == [code])
    #expect(problems.first?.message.contains(message) == true, "\(problems)")
  }

  /// Whoever may only tune a task may change how long a rule keeps rows, and neither its table nor a name.
  @Test func tunesNumbersAndDurationsOnly() throws {
    #expect(refusal(Self.two, "rules.0.keep", "7d", scope: .tunable) == nil)
    #expect(
      refusal(Self.two, "rules.0.table", "b", scope: .tunable)
        == .notTunable(task: "rules", key: "settings.rules.0.table"))
    let named = head + "      names: [a]\n"
    #expect(refusal(named, "names.0", "b", scope: .tunable) == .notTunable(task: "rules", key: "settings.names.0"))
  }

  @Test func keepsWhatOthersShare() throws {
    let yaml = head + "      rules:\n        - &first { table: a, keep: 1d }\n        - *first\n"
    #expect(
      refusal(yaml, "rules.0.keep", "7d")
        == .unsupported(
          task: "rules", key: "settings.rules.0.keep",
          reason: "the value in line 5 is shared: line 6 refers to it as *first; change it in the file"))
  }

  /// The environment beats the file: an edit would change nothing.
  @Test(arguments: [
    (["UPKEEP_TASKS__RULES__SETTINGS__RULES__0__KEEP": "5d"], "UPKEEP_TASKS__RULES__SETTINGS__RULES__0__KEEP"),
    (["UPKEEP_TASKS__RULES__SETTINGS__RULES": "[{ table: c, keep: 1d }]"], "UPKEEP_TASKS__RULES__SETTINGS__RULES"),
  ])
  func namesTheVariableThatBeatsTheFile(_ environment: [String: String], _ name: String) throws {
    #expect(
      refusal(Self.two, "rules.0.keep", "7d", environment)
        == .overridden(task: "rules", key: "settings.rules.0.keep", variables: [name]))
    let written = Self.two.replacing("30d", with: "${KEEP:-30d}")
    #expect(
      refusal(written, "rules.0.keep", "7d")
        == .overridden(task: "rules", key: "settings.rules.0.keep", variables: ["KEEP"]))
  }

  /// A variable that gives one rule's part stands in the way of no other's.
  @Test func editsBesideAPartFromTheEnvironment() throws {
    let environment = ["UPKEEP_TASKS__RULES__SETTINGS__RULES__1__KEEP": "5d"]
    let plan = try planned(Self.two, "rules.0.keep", "7d", environment)
    #expect(String(decoding: plan.bytes, as: UTF8.self) == Self.two.replacing("30d", with: "7d"))
    #expect(plan.changes.map(\.text) == ["rules: settings.rules.0.keep: 30d → 7d"])
  }

  @Test func aPartFromTheEnvironmentLeavesTheOthers() throws {
    let variable = "UPKEEP_TASKS__RULES__SETTINGS__RULES__1__KEEP"
    let loaded = loader([variable: "5d"]).load(Array(Self.two.utf8), path: "u.yaml", folder: "/srv/app")
    let host = try #require(loaded.configuration, "\(loaded.diagnostics)")
    let first = try #require(host.effective["tasks.rules.settings.rules.0.keep"])
    #expect(first.text == "30d" && first.origin == "u.yaml:6:17" && first.variable == nil)
    #expect(host.effective["tasks.rules.settings.rules.0.last"]?.origin == "default")
    let list = try #require(host.effective["tasks.rules.settings.rules"])
    #expect(list.origin == "u.yaml:5:9, environment \(variable)" && list.variable == nil)
    let part = try #require(host.effective["tasks.rules.settings.rules.1.keep"])
    #expect(part.text == "5d")
    #expect(part.variable == variable)
    #expect(host.effective["tasks.rules.settings.rules.1.last"]?.text == "3")
    #expect(host.effective["tasks.rules.settings.rules.2"] == nil)
  }
}
