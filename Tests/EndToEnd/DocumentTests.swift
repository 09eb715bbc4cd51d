import Foundation
import Testing
import UpkeepCore

/// The JSON documents and the texts of the commands that only look.
@Suite struct DocumentTests {
  /// The keys of a result, the same on every status.
  private static let resultKeys: Set<String> = [
    "schema_version", "run_id", "task", "plugin", "mode", "trigger", "status", "reason", "scheduled_at", "started_at",
    "finished_at", "duration_ms", "progress", "counts", "tables", "details", "guard", "remaining", "warnings",
    "errors", "settings", "host", "version", "first_slot", "last_slot", "slots",
  ]

  private static let yaml = """
    version: 1
    tasks:
      nap: { plugin: noop, interval: 1h }
      dream: { plugin: noop, cron: "15 3 * * *", enabled: false }
    groups:
      night: [nap, dream]
    """

  @Test(arguments: [["nap"], ["nap", "--set", "fail=true"], ["nap", "--set", "duration=1h", "--set", "timeout=20ms"]])
  func hasTheSameKeysOnEveryStatus(arguments: [String]) async throws {
    let place = try Workplace(Self.yaml)
    let outcome = try await place.start(["run", "--json"] + arguments).outcome()
    #expect(Set(try outcome.json().keys) == Self.resultKeys)
  }

  @Test func isReadBackAsTheRecordOfTheRun() async throws {
    let place = try Workplace(Self.yaml)
    let outcome = try await place.run("run", "nap", "--json")
    let result = try JSONDecoder().decode(RunResult.self, from: Data(outcome.output.utf8))
    #expect(result.status == .completed)
    #expect(result.trigger == .manual)
    let shown = try await place.run("show", String(result.runID.prefix(20)), "--json")
    #expect(try JSONDecoder().decode(RunResult.self, from: Data(shown.output.utf8)) == result)
    let history = try await place.run("history", "nap", "--json").json()
    #expect(Set(history.keys) == ["runs", "next_cursor"])
    #expect((history["runs"] as? [[String: Any]])?.count == 1)
  }

  @Test func wrapsSeveralTasksAndGroups() async throws {
    let place = try Workplace(Self.yaml)
    let group = try await place.run("run", "night", "--json").json()
    #expect(
      Set(group.keys) == ["schema_version", "group", "status", "started_at", "finished_at", "results", "warnings"])
    #expect((group["results"] as? [[String: Any]])?.map { $0["task"] as? String } == ["nap", "dream"])
    let several = try await place.run("run", "night", "nap", "--json").json()
    #expect(Set(several.keys) == ["schema_version", "results"])
    let results = try #require(several["results"] as? [[String: Any]])
    #expect(results.map { $0["group"] as? String ?? $0["task"] as? String } == ["night", "nap"])
    let all = try await place.run("preview", "--all", "--json").json()
    #expect(all["task"] as? String == "nap")
  }

  @Test func pagesThroughTheHistory() async throws {
    let place = try Workplace(Self.yaml)
    for _ in 0..<3 { _ = try await place.run("run", "nap", "--quiet") }
    let first = try await place.run("history", "--limit", "2", "--json").json()
    let cursor = try #require(first["next_cursor"] as? String)
    let second = try await place.run("history", "--limit", "2", "--cursor", cursor, "--json").json()
    #expect((second["runs"] as? [[String: Any]])?.count == 1)
    #expect(second["next_cursor"] is NSNull)
  }

  @Test func listsTasksWithoutMakingAStore() async throws {
    let place = try Workplace(Self.yaml)
    let outcome = try await place.run("list", "--json")
    let tasks = try #require(try outcome.json()["tasks"] as? [[String: Any]])
    #expect(tasks.map { $0["name"] as? String } == ["nap", "dream"])
    #expect(tasks.map { $0["enabled"] as? Bool } == [true, false])
    #expect(tasks[0]["interval"] as? String == "1h")
    #expect(
      Set(tasks[0].keys) == [
        "name", "plugin", "enabled", "paused", "pause", "running", "interval", "cron", "time_zone", "timeout",
        "next_run_at",
        "last_run", "settings",
      ])
    #expect(try FileManager.default.contentsOfDirectory(atPath: place.folder.path) == ["upkeep.yaml"])
  }

  /// A next run is promised by nobody where nothing serves.
  @Test func saysThatNobodyServes() async throws {
    let place = try Workplace(Self.yaml)
    let note = "no upkeep serve works on this: nothing starts by itself\n"
    #expect(try await place.run("list").errors == note)
    _ = try await place.run("run", "nap", "--quiet")
    #expect(try await place.run("list").errors == note)
    #expect(try await place.run("list", "--quiet").errors == "")
  }

  @Test func fitsTheTableToTheWidth() async throws {
    let place = try Workplace(Self.yaml)
    _ = try await place.run("run", "nap", "--quiet", "--set", "fail=true")
    let outcome = try await place.run("history", environment: ["COLUMNS": "90"])
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.allSatisfy { $0.count <= 90 })
    #expect(lines[1].contains("…"))
  }

  @Test func showsTheOriginOfEveryValue() async throws {
    let place = try Workplace(Self.yaml)
    let outcome = try await place.run("config", "--json", environment: ["UPKEEP_TASKS__NAP__INTERVAL": "2h"])
    let values = try #require(try outcome.json()["values"] as? [[String: Any]])
    func origin(_ key: String) -> String? {
      values.first { $0["key"] as? String == key }?["origin"] as? String
    }
    #expect(origin("tasks.nap.interval") == "environment UPKEEP_TASKS__NAP__INTERVAL")
    #expect(origin("tasks.dream.cron") == "upkeep.yaml:4:32")
    #expect(origin("host.max_concurrent_runs") == "default")
  }

  @Test func reportsProblemsAsData() async throws {
    let place = try Workplace("version: 1\ntasks:\n  nap: { plugin: noop, interval: 5 }\n")
    let outcome = try await place.run("validate", "--json")
    #expect(outcome.status == 4)
    let document = try outcome.json()
    #expect(document["valid"] as? Bool == false)
    let problem = try #require((document["diagnostics"] as? [[String: Any]])?.first)
    #expect(problem["line"] as? Int == 3)
    #expect(problem["column"] as? Int == 34)
    #expect(problem["code"] as? String == "bad_duration")
  }

  /// Whatever goes wrong, `--json` has one document, and the words stay on standard error.
  @Test(arguments: [
    (["run", "nix"], 64, "usage", "unknown task or group nix; there are nap, dream, night"),
    (["show", "01NIX"], 64, "usage", "no run begins with 01NIX"),
    (["set", "nap", "intervall", "5s"], 4, "unknown_setting", "unknown setting intervall; did you mean interval?"),
    (["list", "--config", "nowhere.yaml"], 4, "invalid_configuration", "there is no such file"),
  ])
  func saysWhatWentWrongAsADocument(words: [String], status: Int32, code: String, message: String) async throws {
    let place = try Workplace(Self.yaml)
    let outcome = try await place.start(words + ["--json"]).outcome()
    #expect(outcome.status == status)
    #expect(outcome.errors.contains(message))
    let error = try #require(try outcome.json()["error"] as? [String: String])
    #expect(error["code"] == code)
    #expect(error["message"]?.contains(message) == true)
  }

  /// A mistyped option is what is complained of, not that the tasks are missing.
  @Test func namesAMistypedOption() async throws {
    let place = try Workplace(Self.yaml)
    let outcome = try await place.run("run", "--al")
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains("Unknown option '--al'. Did you mean '--all'?"))
    let nameless = try await place.run("run")
    #expect(nameless.status == 64)
    #expect(
      nameless.errors == "error: name the tasks or groups, or use --all; there are nap, dream, night\n")
  }

  @Test func printsItsVersionInOneLine() async throws {
    let outcome = try await Program.run(["--version"])
    #expect(outcome.status == 0)
    #expect(outcome.output == "upkeep \(Upkeep.version)\n")
  }

  @Test(arguments: [
    "demo", "init", "validate", "config", "list", "plugins", "describe", "preview", "run", "stats", "history", "show",
    "cancel", "schema", "completions", "serve", "enable", "disable", "set", "pause", "resume", "",
  ]) func helpsWithExamples(command: String) async throws {
    let outcome = try await Program.run(command.isEmpty ? ["--help"] : [command, "--help"])
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("EXAMPLES:"))
    #expect(outcome.output.contains("  upkeep \(command)"))
    let lines = outcome.output.components(separatedBy: "\n")
    #expect(lines.filter { $0.count > 80 } == [])
    // The parser breaks lines where they end; who breaks them before as well leaves half ones. A word that would end in the last column is on the next.
    let halves = zip(lines, lines.dropFirst()).filter { line, next in
      let word = next.prefix { $0 != " " }
      return !line.isEmpty && !line.hasPrefix(" ") && !word.isEmpty && line.count + 1 + word.count < 80
    }
    #expect(halves.map(\.0) == [])
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func completesInAShell(shell: String) async throws {
    let outcome = try await Program.run(["completions", shell])
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("validate"))
  }

  /// Of the task that stands before, as a shell asks for it.
  @Test func offersTheKeysOfATask() async throws {
    let place = try Workplace(Self.yaml)
    let outcome = try await Program.run(
      ["---completion", "set", "--", "positional@1", "3", "0", "upkeep", "set", "nap", ""], in: place.folder,
      environment: ["UPKEEP_CONFIG": "upkeep.yaml"])
    let keys = outcome.output.split(separator: "\n").map(String.init)
    #expect(keys.contains("interval") && keys.contains("duration") && keys.contains("concurrency.overlap"), "\(keys)")
    #expect(!keys.contains { $0.hasPrefix("settings.") || $0.hasPrefix("tasks.") })
  }

  @Test func writesAConfigurationOnce() async throws {
    let place = try Workplace()
    let first = try await Program.run(["init"], in: place.folder)
    #expect(first.status == 0)
    let check = try await Program.run(["validate"], in: place.folder)
    #expect(check.output == "config/upkeep.yaml: valid\n")
    try place.write("mine", to: "config/upkeep.yaml")
    let second = try await Program.run(["init"], in: place.folder)
    #expect(second.status == 1)
    #expect(try place.bytes("config/upkeep.yaml") == Data("mine".utf8))
  }

  @Test func givesASampleOfEachPluginThatIsValid() async throws {
    let plugins = try #require(try await Program.run(["plugins", "--json"]).json()["plugins"] as? [[String: Any]])
    #expect(plugins.count >= 2)
    for plugin in plugins {
      let sample = try #require(plugin["sample"] as? String)
      let lines = sample.split(separator: "\n").map { "  \($0)" }
      let place = try Workplace(
        "version: 1\ndatabases:\n  odds: { sqlite: odds.sqlite }\n  stash: { sqlite: stash.sqlite }\n"
          + "  app: { sqlite: app.sqlite }\ntasks:\n"
          + lines.joined(separator: "\n") + "\n")
      let outcome = try await place.run("validate")
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
  }

  @Test func saysWhatIsWrongWithTheStateStore() async throws {
    let place = try Workplace("version: 1\nhost: { state: gone/state.sqlite }\ntasks:\n  nap: { plugin: noop }\n")
    let outcome = try await place.run("run", "nap")
    #expect(outcome.status == 1)
    #expect(outcome.output.contains("there is no folder "))
    #expect(outcome.output.contains("create it (mkdir -p "))
  }

  @Test func printsASchemaThatNamesThePlugins() async throws {
    let outcome = try await Program.run(["schema"])
    #expect(try outcome.json()["$schema"] is String)
    #expect(outcome.output.contains("odds_retention"))
  }
}
