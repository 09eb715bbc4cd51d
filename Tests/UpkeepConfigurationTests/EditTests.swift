import Foundation
import Testing
import UpkeepCore
import UpkeepRuns

@testable import UpkeepConfiguration

/// Plans edits of a text; the environment is empty unless it is given.
func planned(
  _ yaml: String, _ edits: [ConfigurationEdit], environment: [String: String] = [:], scope: EditScope = .all
) throws(EditRefusal) -> EditPlan {
  let loader = ConfigurationLoader(plugins: plugins, environment: environment)
  return try EditPlanner(loader: loader, path: "u.yaml", folder: "/srv/app")
    .plan(edits, scope: scope, on: Array(yaml.utf8))
}

/// The text that an edit leaves.
private func edited(_ yaml: String, _ key: String, _ value: String, task: String = "t") throws -> String {
  let plan = try planned(yaml, [ConfigurationEdit(task: task, key: key, value: value)])
  return String(decoding: plan.bytes, as: UTF8.self)
}

private func refusal(
  _ yaml: String, _ key: String, _ value: String, task: String = "t", environment: [String: String] = [:],
  scope: EditScope = .all
) throws -> EditRefusal? {
  do throws(EditRefusal) {
    _ = try planned(
      yaml, [ConfigurationEdit(task: task, key: key, value: value)], environment: environment, scope: scope)
    return nil
  } catch {
    return error
  }
}

/// `head` is what stands before the task's own keys in the cases below.
private let head = "databases: { odds: { sqlite: x } }\ntasks:\n  t:\n    plugin: odds_retention\n"
private let tail = "    settings: { database: odds }\n"

@Suite struct EditTests {
  @Test(arguments: [
    // In place: comments, blanks, quotes.
    ("    interval: 24h   # every day\n", "interval", "12h", "    interval: 12h   # every day\n"),
    ("    interval:\t24h\t# every day\n", "interval", "12h", "    interval:\t12h\t# every day\n"),
    ("    interval: \"24h\"\n", "interval", "12h", "    interval: \"12h\"\n"),
    ("    interval: '24h' # 'x'\n", "interval", "12h", "    interval: '12h' # 'x'\n"),
    ("    interval: !!str 24h\n", "interval", "12h", "    interval: !!str 12h\n"),
    ("    \"interval\" : 24h\n", "interval", "12h", "    \"interval\" : 12h\n"),
    ("    interval: 24h\r\n", "interval", "12h", "    interval: 12h\r\n"),
    ("    interval: |-\n      24h\n", "interval", "12h", "    interval: 12h\n"),
    ("    interval: &pace 24h\n", "interval", "12h", "    interval: &pace 12h\n"),
    ("    ? interval\n    : 24h\n", "interval", "12h", "    ? interval\n    : 12h\n"),
    ("    cron: 15 3 * * *\n", "cron", "@daily", "    cron: \"@daily\"\n"),
    ("    cron: '15 3 * * *'\n", "cron", "0 4 * * *", "    cron: '0 4 * * *'\n"),
    ("    cron: 15 3 * * *\n", "cron", "0 4 * * *", "    cron: 0 4 * * *\n"),
    ("    interval:   # later\n", "interval", "12h", "    interval: 12h   # later\n"),
    ("    interval: ~ # later\n", "interval", "12h", "    interval: 12h # later\n"),
    ("    interval: 24h\n", "interval", "null", "    interval: null\n"),
    (
      "    guard: { max_percent: 50, min_rows: 9 }\n", "guard.max_percent", "60",
      "    guard: { max_percent: 60, min_rows: 9 }\n"
    ),
    (
      "    guard:\n      # the share\n      max_percent: 50\n", "guard.max_percent", "60.5",
      "    guard:\n      # the share\n      max_percent: 60.5\n"
    ),
    // One more line: behind the nearest key that is declared before it.
    (
      "    interval: 24h  # every\n                   # day\n    # next\n    timeout: 1m\n", "jitter", "5s",
      "    interval: 24h  # every\n                   # day\n    jitter: 5s\n    # next\n    timeout: 1m\n"
    ),
    ("    timeout: 1m\n", "enabled", "false", "    enabled: false\n    timeout: 1m\n"),
    // One more entry within braces.
    (
      "    guard: {min_rows: 9}  # rows\n", "guard.max_percent", "60",
      "    guard: {min_rows: 9, max_percent: 60}  # rows\n"
    ),
    (
      "    guard: {\n      min_rows: 9,  # rows\n    }\n", "guard.max_percent", "60",
      "    guard: {\n      min_rows: 9, max_percent: 60,  # rows\n    }\n"
    ),
    ("    guard: {}\n", "guard.max_percent", "60", "    guard: { max_percent: 60 }\n"),
    ("    guard: { min_rows: }\n", "guard.max_percent", "60", "    guard: { max_percent: 60, min_rows: }\n"),
    // A map where there was none.
    ("    guard:   # soon\n", "guard.max_percent", "60", "    guard:   # soon\n      max_percent: 60\n"),
    ("    guard: null # soon\n", "guard.max_percent", "60", "    guard: { max_percent: 60 } # soon\n"),
    ("    timeout: 1m\n", "guard.max_percent", "60", "    timeout: 1m\n    guard: { max_percent: 60 }\n"),
    ("    timeout: 1m\n", "guard", "none", "    timeout: 1m\n    guard: none\n"),
    ("    concurrency: { overlap: skip }\n", "concurrency.overlap", "queue", "    concurrency: { overlap: queue }\n"),
  ])
  func changesOnePlace(_ before: String, _ key: String, _ value: String, _ after: String) throws {
    // A key that comes before all others is put right behind `plugin`.
    #expect(try edited(head + before + tail, key, value) == head + after + tail)
  }

  @Test(arguments: [
    ("settings: { database: odds }", "odds_keep", "7d", "settings: { database: odds, odds_keep: 7d }"),
    (
      "settings: { database: odds, limits: { Sync: 5m } }", "limits.Sync", "6m",
      "settings: { database: odds, limits: { Sync: 6m } }"
    ),
    (
      "settings: { database: odds, limits: { Sync: 5m } }", "limits.new", "6m",
      "settings: { database: odds, limits: { Sync: 5m, new: 6m } }"
    ),
    (
      "settings: { database: odds, limits: { Sync: 5m } }", "limits.a b", "6m",
      "settings: { database: odds, limits: { Sync: 5m, a b: 6m } }"
    ),
    ("settings: { database: odds }", "limits.sync", "6m", "settings: { database: odds, limits: { sync: 6m } }"),
    ("settings: {database: odds, token: 'it''s'}", "token", "that's", "settings: {database: odds, token: 'that''s'}"),
    ("settings: {database: odds, token: it}", "token", "a,b", "settings: {database: odds, token: \"a,b\"}"),
    ("settings: {database: odds, token: it}", "token", "'a b'", "settings: {database: odds, token: 'a b'}"),
    ("settings: {database: odds, token: 'x'}", "token", "a\tb", "settings: {database: odds, token: \"a\\tb\"}"),
    (
      "settings: {database: odds, token: x}", "token", "žluťoučký: kůň",
      "settings: {database: odds, token: \"žluťoučký: kůň\"}"
    ),
    ("settings: {database: odds, token: x}", "token", "12", "settings: {database: odds, token: 12}"),
    ("settings: {database: odds, token: \"x\"}", "token", "12", "settings: {database: odds, token: \"12\"}"),
    ("settings: {database: odds, batch: 5}", "batch", "12", "settings: {database: odds, batch: 12}"),
    (
      "settings:\n      database: odds\n      limits:\n        sync: 1m\n\n      # last", "odds_keep", "7d",
      "settings:\n      database: odds\n      odds_keep: 7d\n      limits:\n        sync: 1m\n\n      # last"
    ),
  ])
  func changesASetting(_ before: String, _ key: String, _ value: String, _ after: String) throws {
    #expect(try edited("\(head)    \(before)\n", key, value) == "\(head)    \(after)\n")
  }

  @Test(arguments: [
    // No line break at the end of the file, with each kind of line break before it.
    ("tasks:\n  noop:", "tasks:\n  noop:\n    enabled: false"),
    ("tasks:\r\n  noop:\r\n    timeout: 1m", "tasks:\r\n  noop:\r\n    timeout: 1m\r\n    enabled: false"),
    ("tasks:\r  noop:\r    timeout: 1m\r", "tasks:\r  noop:\r    timeout: 1m\r    enabled: false\r"),
    ("\u{FEFF}tasks:\n  noop: {timeout: 1m}", "\u{FEFF}tasks:\n  noop: {timeout: 1m, enabled: false}"),
    ("---\ntasks: {noop: }\n...\n", "---\ntasks: {noop: { enabled: false } }\n...\n"),
    ("tasks:\n    noop: # nothing\n    # end\n", "tasks:\n    noop: # nothing\n        enabled: false\n    # end\n"),
    ("tasks:\n  noop: &a # x\n", "tasks:\n  noop: &a # x\n    enabled: false\n"),
    ("tasks: { noop: null }\n", "tasks: { noop: { enabled: false } }\n"),
    ("{\"tasks\":{\"noop\":{\"timeout\":\"1m\"}}}", "{\"tasks\":{\"noop\":{\"timeout\":\"1m\", enabled: false}}}"),
    (
      "# ☃ – ünïcödé 🦆\ntasks:\n  noop:  # ☃\n    timeout: 1m # 🦆\n",
      "# ☃ – ünïcödé 🦆\ntasks:\n  noop:  # ☃\n    timeout: 1m # 🦆\n    enabled: false\n"
    ),
  ])
  func keepsTheFormOfTheFile(_ before: String, _ after: String) throws {
    #expect(try edited(before, "enabled", "false", task: "noop") == after)
  }

  private static let shared = """
    tasks:
      noop: { interval: &pace 1h, timeout: 1m }
      scraping: &all
        plugin: noop
        interval: *pace
        settings: &nap
          duration: 1s
      t: *all
      u: { plugin: noop, interval: *pace, settings: *nap }

    """

  @Test(arguments: [
    ("noop", "interval", "the value in line 2 is shared: line 5 refers to it as *pace; change it in the file"),
    ("scraping", "interval", "the value in line 4 is shared: line 8 refers to it as *all; change it in the file"),
    ("scraping", "timeout", "the value in line 4 is shared: line 8 refers to it as *all; change it in the file"),
    ("t", "timeout", "line 8 takes its values from *all, which others share; write them out in the file first"),
    (
      "u", "settings.duration",
      "line 9 takes its values from *nap, which others share; write them out in the file first"
    ),
  ])
  func neverChangesWhatOthersShare(_ task: String, _ key: String, _ reason: String) throws {
    #expect(
      try refusal(Self.shared, key, "2h", task: task) == .unsupported(task: task, key: key, reason: reason))
  }

  @Test func writesAValueInPlaceOfAnAlias() throws {
    #expect(
      try edited(Self.shared, "interval", "2h", task: "u")
        == Self.shared.replacing("noop, interval: *pace", with: "noop, interval: 2h"))
    #expect(
      try edited(Self.shared, "timeout", "2h", task: "noop")
        == Self.shared.replacing("timeout: 1m", with: "timeout: 2h"))
  }

  @Test(arguments: [
    ("interval: 1h", "interval", "60m"), ("interval: 1h", "interval", "1h"), ("timeout: 1m", "enabled", "true"),
    ("settings: {duration: 1000ms}", "duration", "1s"), ("timeout: 1m", "interval", "null"),
  ])
  func changesNothingWhereItIsSoAlready(_ keys: String, _ key: String, _ value: String) throws {
    let yaml = "tasks: { noop: { \(keys) } }"
    let plan = try planned(yaml, [ConfigurationEdit(task: "noop", key: key, value: value)])
    #expect(plan.bytes == Array(yaml.utf8))
    #expect(plan.changes == [])
    #expect(plan.diff == [])
  }

  @Test func saysWhatChanged() throws {
    let yaml = "tasks:\n  noop:\n    interval: 1h # x\n    settings: { duration: 1s }\n"
    let plan = try planned(
      yaml,
      [
        ConfigurationEdit(task: "noop", key: "interval", value: "2h"),
        ConfigurationEdit(task: "noop", key: "jitter", value: "90m"),
        ConfigurationEdit(task: "noop", key: "duration", value: "1s"),
      ])
    #expect(plan.changes.map(\.text) == ["noop: interval: 1h → 2h", "noop: jitter: 0s → 1h30m"])
    #expect(
      plan.diff == [
        LineChange(line: 3, removed: ["    interval: 1h # x"], added: ["    interval: 2h # x"]),
        LineChange(line: 4, removed: [], added: ["    jitter: 90m"]),
      ])
  }

  @Test func hidesSecrets() throws {
    let yaml = head + "    settings: { database: odds, token: hunter22 }\n"
    let plan = try planned(yaml, [ConfigurationEdit(task: "t", key: "token", value: "hunter23")])
    #expect(String(decoding: plan.bytes, as: UTF8.self) == yaml.replacing("hunter22", with: "hunter23"))
    #expect(plan.changes == [ConfigurationChange(task: "t", key: "settings.token", old: "***", new: "***")])
    let line = "    settings: { database: odds, token: *** }"
    #expect(plan.diff == [LineChange(line: 5, removed: [line], added: [line])])
    let same = try planned(yaml, [ConfigurationEdit(task: "t", key: "token", value: "hunter22")])
    #expect(same.diff == [])
  }

}

@Suite struct EditRefusalTests {
  private static let yaml = """
    databases: { odds: { sqlite: x } }
    tasks:
      t:
        plugin: odds_retention
        cron: 15 3 * * *
        timeout: ${LIMIT:-1m}
        concurrency: { exclusive_with: [noop] }
        guard: none
        settings: { database: odds }
      noop: { interval: 1h }

    """

  @Test(arguments: [
    (
      "interval", "soon",
      "error: interval: soon isn't a duration; write whole numbers with ms, s, m, h, d or w, such as 1h30m or 14d"
        + " [bad_duration]"
    ),
    ("odds_keep", "14", "error: odds_keep: 14 has no unit; write 14s, 14m, 14h or 14d [bad_duration]"),
    ("odds_kep", "14d", "error: unknown setting odds_kep; did you mean odds_keep? [unknown_setting]"),
    ("guard.max_percnt", "14", "error: guard: unknown key max_percnt; did you mean max_percent? [unknown_key]"),
    ("batch", "5000", "error: batch: expected 1 to 1000, found 5000 [out_of_range]"),
    ("batch", "\"5\"", "error: batch: expected a whole number, found \"5\" [bad_type]"),
    ("enabled", "yes", "error: enabled: expected true or false, found \"yes\" [bad_type]"),
    ("database", "ods", "error: database: unknown database ods; did you mean odds? [unknown_database]"),
    (
      "enabled", "",
      "error: enabled: expected a value, found nothing; null takes it away, and \"\" is an empty text"
        + " [bad_value]"
    ),
    ("token", "${HOME}", "error: settings.token: a value with variables can only be written into the file [bad_value]"),
    ("token", "[a", "error: expected , or ] in the list that begins here with [ [yaml_syntax]"),
    ("database", "null", "error: settings.database is missing; the database [missing_setting]"),
  ])
  func givesTheValidatorsWords(_ key: String, _ value: String, _ line: String) throws {
    guard case .invalid(_, let lines) = try refusal(Self.yaml, key, value) else {
      Issue.record("not refused")
      return
    }
    #expect(lines.map { $0.components(separatedBy: "\n")[0].replacing(#/u.yaml:[0-9:]+ /#, with: "") } == [line])
  }

  @Test(arguments: ["host", "databases", "groups"])
  func saysThatASectionIsNoTask(name: String) throws {
    let found = try refusal(Self.yaml, "history.keep", "30d", task: name)
    #expect(found?.message == "\(name) is no task; the keys of \(name) are changed in the file")
  }

  @Test func locatesWhatTheValueBreaksElsewhere() throws {
    guard case .invalid(let problems, let lines) = try refusal(Self.yaml, "interval", "5m") else {
      Issue.record("not refused")
      return
    }
    #expect(problems.map(\.code) == ["schedule_conflict"])
    #expect(
      lines == [
        "u.yaml:6:5: error: interval and cron can't both be given; remove one of them: upkeep set t cron null"
          + " [schedule_conflict]\n"
          + "    cron: 15 3 * * *\n    ^~~~"
      ])
  }

  @Test func refusesAFileThatIsWrongAlready() throws {
    let refusal = try #require(try refusal("tasks: { t: { interval: 5 } }", "interval", "5m"))
    guard case .invalidFile(_, let problems, let lines) = refusal else {
      Issue.record("\(refusal)")
      return
    }
    #expect(problems.count == 2 && lines.count == 2)
    #expect(
      refusal.message
        == "u.yaml isn't valid as it stands, so nothing was changed: line 1, column 10: the task t names no plugin, and "
        + "none is called t; write plugin: with one of odds_retention, noop, scraping (and 1 more); mend the file first, "
        + "and repeat")
  }

  @Test(arguments: [
    ("interval", ["UPKEEP_TASKS__T__CRON": "@daily"], ["UPKEEP_TASKS__T__CRON"]),
    ("guard.max_percent", ["UPKEEP_TASKS__T__GUARD": "none"], ["UPKEEP_TASKS__T__GUARD"]),
    ("odds_keep", ["UPKEEP_TASKS__T__SETTINGS__ODDS_KEEP": "3d"], ["UPKEEP_TASKS__T__SETTINGS__ODDS_KEEP"]),
    ("timeout", [:], ["LIMIT"]), ("timeout", ["LIMIT": "3m"], ["LIMIT"]),
  ])
  func namesTheVariableThatBeatsTheFile(
    _ key: String, _ environment: [String: String], _ variables: [String]
  ) throws {
    let name = key == "odds_keep" ? "settings.odds_keep" : key
    let value = key == "guard.max_percent" ? "60" : "5d"
    let found = try refusal(Self.yaml, key, value, environment: environment)
    #expect(found == .overridden(task: "t", key: name, variables: variables))
    #expect(
      found?.message
        == "t: \(name) comes from the environment variable \(variables[0]), which beats the file; change it there")
  }

  @Test func namesTheVariableOfTheScrapingApplication() throws {
    #expect(
      try refusal(
        "tasks: { scraping: { interval: 5m } }", "interval", "6m", task: "scraping",
        environment: ["SCRAPE_INTERVAL_MINUTES": "7"])
        == .overridden(task: "scraping", key: "interval", variables: ["SCRAPE_INTERVAL_MINUTES"]))
  }

  @Test func knowsTheTasks() throws {
    #expect(
      try refusal(Self.yaml, "interval", "5m", task: "nop")
        == .unknownTask(
          Diagnostic(
            code: "unknown_task", "unknown task nop; did you mean noop?", at: .commandLine(), suggestion: "noop")))
  }

  @Test(arguments: [
    ("concurrency.exclusive_with", "[]", "only a single value can be set; write a list or a map into the file"),
    (
      "settings.limits.new", "5m", "this would change tasks.t.settings.limits.sync as well; change it in the file"
    ),
    ("guard.max_percent", "5", "line 8 has a single value, and not a map; change it in the file"),
  ])
  func saysWhatItCannotChange(_ key: String, _ value: String, _ reason: String) throws {
    #expect(try refusal(Self.yaml, key, value) == .unsupported(task: "t", key: key, reason: reason))
  }

  @Test func changesNoPluginUnderItsSettings() throws {
    #expect(
      try refusal("tasks: { t: { plugin: noop } }", "plugin", "odds_retention").map(\.message)
        == "settings.database is missing; the database")
    #expect(
      try refusal("tasks: { t: { plugin: noop } }", "plugin", "scraping") == nil)
  }

  @Test(arguments: [
    ("enabled", "false", true), ("timeout", "5m", true), ("odds_keep", "5d", true), ("limits.sync", "5m", true),
    ("batch", "5", true), ("empty_tournaments", "keep", true), ("jitter", "5m", false), ("cron", "@daily", false),
    ("database", "odds", false), ("token", "x", false), ("guard.max_percent", "1", false), ("plugin", "noop", false),
  ])
  func letsTheAPIChangeOnlyWhatIsTunable(_ key: String, _ value: String, _ isAllowed: Bool) throws {
    let yaml = Self.yaml.replacing("${LIMIT:-1m}", with: "1m")
    let found = try refusal(yaml, key, value, scope: .tunable)
    if isAllowed {
      #expect(found == nil)
    } else {
      let name = ["database", "token"].contains(key) ? "settings.\(key)" : key
      #expect(found == .notTunable(task: "t", key: name))
    }
  }
}
