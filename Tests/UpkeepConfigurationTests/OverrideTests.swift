import Foundation
import Testing
import UpkeepConfiguration
import UpkeepCore
import UpkeepRuns
import UpkeepSchedule

private let yaml = """
  databases:
    odds: { sqlite: x }
  tasks:
    odds_retention:
      interval: 24h
      settings:
        database: odds
        limits: { Sync: 5m, other: 1m }
    scraping:
      interval: 1h
    noop:
      cron: 0 3 * * *

  """

@Suite struct OverrideTests {
  @Test func environmentBeatsTheFile() throws {
    let host = try configuration(
      yaml,
      environment: [
        "UPKEEP_TASKS__ODDS_RETENTION__INTERVAL": "10m", "UPKEEP_TASKS__ODDS_RETENTION__ENABLED": "false",
        "UPKEEP_TASKS__ODDS_RETENTION__CONCURRENCY__OVERLAP": "queue",
        "UPKEEP_TASKS__ODDS_RETENTION__SETTINGS__ODDS_KEEP": "3d",
        "UPKEEP_TASKS__ODDS_RETENTION__SETTINGS__LIMITS__SYNC": "45m",
        "UPKEEP_TASKS__ODDS_RETENTION__SETTINGS__LIMITS.NEW": "1s",
        "UPKEEP_TASKS__ODDS_RETENTION__SETTINGS__STATUSES": "[a, 'b c']",
        "UPKEEP_TASKS__NOOP__GUARD": "none", "UPKEEP_TASKS__NOOP__SETTINGS__DURATION": "5s",
        "OTHER": "x",
      ])
    let task = try #require(host.task("odds_retention"))
    #expect(task.schedule == .interval(.seconds(600)))
    #expect(!task.isEnabled)
    #expect(task.rules.overlap == .queue)
    #expect(task.prepared.settings["odds_keep"] == "3d")
    #expect(task.prepared.settings["limits"] == .object(["Sync": "45m", "other": "1m", "new": "1s"]))
    #expect(task.prepared.settings["statuses"] == .array(["a", "b c"]))
    #expect(host.task("noop")?.rules.guardRule == nil)
    #expect(host.task("noop")?.prepared.settings["duration"] == "5s")
    let entry = try #require(host.effective["tasks.odds_retention.interval"])
    #expect(entry.text == "10m")
    #expect(entry.origin == "environment UPKEEP_TASKS__ODDS_RETENTION__INTERVAL")
    #expect(entry.variable == "UPKEEP_TASKS__ODDS_RETENTION__INTERVAL")
  }

  @Test func nullTakesAKeyAway() throws {
    let host = try configuration(yaml, environment: ["UPKEEP_TASKS__SCRAPING__INTERVAL": "null"])
    #expect(host.task("scraping")?.schedule == nil)
  }

  /// It is what is left of a variable that isn't set: the default that would hold then may take more than the file says.
  @Test(arguments: ["", "  "]) func anEmptyValueIsRefused(value: String) throws {
    let message = "expected a value, found nothing; null means the default"
    for loaded in [
      load(yaml, environment: ["UPKEEP_TASKS__SCRAPING__INTERVAL": value]),
      load(yaml, set: [try TaskOverride(task: "scraping", argument: "interval=\(value)")]),
    ] {
      #expect(loaded.configuration == nil)
      #expect(loaded.diagnostics.map(\.message) == [message])
    }
  }

  @Test func oneKindOfScheduleReplacesTheOther() throws {
    let host = try configuration(
      yaml, environment: ["UPKEEP_TASKS__NOOP__INTERVAL": "5m", "UPKEEP_TASKS__SCRAPING__CRON": "@daily"])
    #expect(host.task("noop")?.schedule == .interval(.seconds(300)))
    #expect(host.task("scraping")?.schedule == .cron(try CronExpression("@daily"), zone: .gmt))
  }

  @Test func commandLineBeatsTheEnvironment() throws {
    let host = try configuration(
      yaml, environment: ["UPKEEP_TASKS__ODDS_RETENTION__SETTINGS__ODDS_KEEP": "3d"],
      set: [
        TaskOverride(task: "odds_retention", argument: "odds_keep=7d"),
        TaskOverride(task: "odds_retention", argument: "limits.sync=1h"),
        TaskOverride(task: "odds_retention", argument: "settings.batch=5"),
        TaskOverride(task: "odds_retention", argument: "timeout=5m"),
      ])
    let task = try #require(host.task("odds_retention"))
    #expect(task.prepared.settings["odds_keep"] == "7d")
    #expect(task.prepared.settings["limits"] == .object(["Sync": "5m", "sync": "1h", "other": "1m"]))
    #expect(task.prepared.settings["batch"] == .integer(5))
    #expect(task.rules.timeout == .seconds(300))
    #expect(host.effective["tasks.odds_retention.settings.odds_keep"]?.origin == "--set odds_keep=7d")
  }

  @Test(arguments: [
    ("UPKEEP_TASKS__NOP__INTERVAL", "5m", "[unknown_task] unknown task nop; did you mean noop?"),
    ("UPKEEP_TASKS__NOOP__INTERVALL", "5m", "[unknown_key] unknown key intervall; did you mean interval?"),
    ("UPKEEP_TASKS__NOOP__INTERVAL", "5", "[bad_duration] interval: 5 has no unit; write 5s, 5m, 5h or 5d"),
    ("UPKEEP_TASKS__NOOP__INTERVAL__X", "5m", "[unknown_key] interval has no parts; write interval"),
    (
      "UPKEEP_TASKS__NOOP__GUARD__MAX_PERCENT", "500", "[out_of_range] guard: max_percent: expected 0 to 100, found 500"
    ),
    (
      "UPKEEP_TASKS__ODDS_RETENTION__SETTINGS__ODDS_KEP", "5m",
      "[unknown_setting] unknown setting odds_kep; did you mean odds_keep?"
    ),
    (
      "UPKEEP_TASKS__ODDS_RETENTION__SETTINGS__STATUSES", "[a",
      "[yaml_syntax] expected , or ] in the list that begins here with ["
    ),
    (
      "SCRAPE_INTERVAL_MINUTES", "soon",
      "[bad_value] expected a whole number of minutes of at least 1, found \"soon\""
    ),
    (
      "SCRAPE_INTERVAL_MINUTES", "0", "[bad_value] expected a whole number of minutes of at least 1, found \"0\""
    ),
  ])
  func aWrongVariableIsNamed(_ variable: String, _ value: String, _ expected: String) {
    #expect(problems(load(yaml, environment: [variable: value])) == ["environment \(variable) \(expected)"])
  }

  @Test(arguments: [
    (
      "odds_retention", "odds_kep=1d",
      "--set odds_kep=1d [unknown_setting] unknown setting odds_kep; did you mean odds_keep?"
    ),
    (
      "odds_retention", "odds_keep=1",
      "--set odds_keep=1 [bad_duration] odds_keep: 1 has no unit; write 1s, 1m, 1h or 1d"
    ),
    ("nop", "interval=1h", "--set interval=1h [unknown_task] unknown task nop; did you mean noop?"),
  ])
  func aWrongOptionIsNamed(_ task: String, _ argument: String, _ expected: String) throws {
    #expect(problems(load(yaml, set: [try TaskOverride(task: task, argument: argument)])) == [expected])
  }

  /// A value that may be a secret isn't repeated, whatever is wrong with it.
  @Test(arguments: [
    ("token=[hunter2", "token=***"), ("settings.token.x=hunter2", "settings.token.x=***"),
    ("settings={ token: hunter2", "settings=***"), ("heartbeat_url=hunter2", "heartbeat_url=***"),
    ("odds_keep=http://me:hunter2@box", "odds_keep=http://me:***@box"),
  ])
  func aSecretOptionIsNamedWithoutItsValue(_ argument: String, _ shown: String) throws {
    let loaded = load(yaml, set: [try TaskOverride(task: "odds_retention", argument: argument)])
    #expect(loaded.diagnostics.first?.origin?.text == "--set \(shown)")
    #expect(!problems(loaded).joined().contains("hunter2"), "\(problems(loaded))")
  }

  @Test(arguments: ["odds_keep", "=1d", ""])
  func anOptionWithoutKeyOrValueIsRefused(_ argument: String) {
    #expect(throws: Diagnostic(code: "bad_set", "expected KEY=VALUE, found \(argument)", at: .commandLine())) {
      try TaskOverride(task: "noop", argument: argument)
    }
  }

  @Test func scrapingTakesItsIntervalFromTheApplicationsVariable() throws {
    let host = try configuration(yaml, environment: ["SCRAPE_INTERVAL_MINUTES": "90"])
    #expect(host.task("scraping")?.schedule == .interval(.seconds(5400)))
    #expect(host.task("odds_retention")?.schedule == .interval(.seconds(86_400)))
    let both = ["SCRAPE_INTERVAL_MINUTES": "90", "UPKEEP_TASKS__SCRAPING__INTERVAL": "7m"]
    #expect(try configuration(yaml, environment: both).task("scraping")?.schedule == .interval(.seconds(420)))
  }
}
