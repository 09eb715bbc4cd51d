import Foundation
import Testing
import UpkeepConfiguration
import UpkeepCore
import UpkeepRuns
import UpkeepSchedule

let sample = """
  # yaml-language-server: $schema=./upkeep.schema.json
  version: 1

  host:
    state: var/upkeep.sqlite        # run history, leases, pauses
    listen: 127.0.0.1:8787          # serve only
    time_zone: UTC
    max_concurrent_runs: 4
    drain_timeout: 30s
    history: { keep: 90d, keep_failures: 365d }
    log: { format: text, level: info }   # text | json
    allowed_hosts: []
    allowed_origins: []
    on_failure: { command: [notify-send, upkeep], webhook: https://example.org/hook, after: 1 }

  databases:
    odds:  { sqlite: data/odds.sqlite }

  tasks:
    odds_retention:                 # the task's name
      plugin: odds_retention
      enabled: true
      interval: 24h
      run_on_start: false
      jitter: 0s
      timeout: 30m
      missed: run_once
      grace: 1h
      window: "01:00-05:00"
      budget: { max_rows: 5000000, max_duration: 10m }
      concurrency:
        overlap: skip
        exclusive_with: [scraping]
        on_conflict: wait
        max_wait: 10m
      guard: { max_percent: 50, min_rows: 1000 }
      settings:
        database: odds
        odds_keep: 14d
    scraping:
      cron: "15 3 * * *"
      time_zone: Europe/Riga
    idle:
      plugin: noop
      enabled: false
      guard: none

  groups:
    cleanup: [odds_retention, idle]

  """

@Suite struct SampleTests {
  @Test func readsEveryValue() throws {
    let host = try configuration(sample)
    #expect(host.path == "u.yaml")
    #expect(host.state == .path("/srv/app/var/upkeep.sqlite"))
    #expect(host.listen == ListenAddress(host: "127.0.0.1", port: 8787))
    #expect(host.timeZone == TimeZone(secondsFromGMT: 0))
    #expect(host.maxConcurrentRuns == 4)
    #expect(host.drainTimeout == .seconds(30))
    #expect(host.historyKeep == .seconds(90 * 86_400))
    #expect(host.historyKeepFailures == .seconds(365 * 86_400))
    #expect(host.logFormat == .text)
    #expect(host.logLevel == .info)
    #expect(host.onFailure?.command == ["notify-send", "upkeep"])
    #expect(host.onFailure?.webhook == "https://example.org/hook")
    #expect(host.databases.map(\.name) == ["odds"])
    #expect(host.databases.first?.engine == .sqlite(path: "/srv/app/data/odds.sqlite"))
    #expect(host.tasks.map(\.name) == ["odds_retention", "scraping", "idle"])
    #expect(host.groups == [GroupConfiguration(name: "cleanup", tasks: ["odds_retention", "idle"])])

    let task = try #require(host.task("odds_retention"))
    #expect(task.plugin == "odds_retention")
    #expect(task.isEnabled)
    #expect(task.schedule == .interval(.seconds(86_400)))
    #expect(task.missed == .runOnce)
    #expect(task.grace == .seconds(3600))
    #expect(
      task.rules
        == TaskRules(
          timeout: .seconds(1800), overlap: .skip, exclusiveWith: ["scraping"], onConflict: .wait,
          maxWait: .seconds(600), guardRule: GuardRule(maxPercent: 50, minRows: 1000),
          budget: RunBudget(maxRows: 5_000_000, maxDuration: .seconds(600)), window: TimeWindow(start: 60, end: 300),
          timeZone: task.timeZone))
    #expect(task.prepared.settings["odds_keep"] == "14d")
    #expect(task.prepared.isGuarded)

    let scraping = try #require(host.task("scraping"))
    let riga = try #require(TimeZone(identifier: "Europe/Riga"))
    #expect(scraping.schedule == .cron(try CronExpression("15 3 * * *"), zone: riga))
    #expect(scraping.schedule?.words == "at 03:15 every day, Europe/Riga")
    let idle = try #require(host.task("idle"))
    #expect(!idle.isEnabled)
    #expect(idle.schedule == nil)
    #expect(idle.rules.guardRule == nil)
  }

  @Test func findsNothingToSayOfIt() {
    #expect(problems(load(sample)) == [])
  }

  @Test func hasDefaultsForAllElse() throws {
    let host = try configuration("tasks: { noop: }")
    #expect(host.state == .path("/srv/app/upkeep.sqlite"))
    #expect(host.listen.text == "127.0.0.1:8787")
    #expect(host.maxConcurrentRuns == 4)
    #expect(host.tokenFile == nil)
    #expect(host.onFailure == nil)
    let task = try #require(host.task("noop"))
    #expect(task.isEnabled)
    #expect(task.schedule == nil)
    #expect(task.rules == TaskRules())
    #expect(task.grace == nil)
    #expect(task.jitter == .zero)
  }

  @Test func putsStateIntoTheServicesFolder() throws {
    let host = try configuration("version: 1", environment: ["STATE_DIRECTORY": "/var/lib/upkeep:/x"])
    #expect(host.state == .path("/var/lib/upkeep/upkeep.sqlite"))
  }

  @Test func keepsStateInANamedDatabase() throws {
    let host = try configuration("host: {state: odds}\ndatabases: {odds: {sqlite: /x}}")
    #expect(host.state == .database("odds"))
  }
}
