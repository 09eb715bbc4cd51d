import Foundation
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepTestKit

/// What the program asks, shows and checks before anything is deleted.
@Suite struct AskingTests {
  private func place(_ more: String = "") async throws -> Workplace {
    let place = try Workplace(
      """
      version: 1
      databases: { app: { sqlite: app.sqlite } }
      tasks:
        logs:
          plugin: table_retention
          guard: none
          settings: { database: app, rules: [{ table: log, time_column: at, keep: 30d }] }
      \(more)
      """)
    let database = SQLiteDatabase(name: "app", path: place.path("app.sqlite"), mayCreate: true)
    let session = try await database.open(.write(.normal), purpose: "test")
    try await session.perform { connection in
      try connection.execute("CREATE TABLE log(id INTEGER PRIMARY KEY, at TEXT)")
      try connection.execute("INSERT INTO log VALUES (1, '2020-01-01'), (2, '2020-01-02'), (3, '2999-01-01')")
    }
    await session.close()
    return place
  }

  private func rows(_ place: Workplace) async throws -> Int64 {
    let database = SQLiteDatabase(name: "app", path: place.path("app.sqlite"), mayCreate: false)
    let session = try await database.open(.read, purpose: "test")
    let rows = try await session.perform { try $0.integer("SELECT count(*) FROM log") }
    await session.close()
    return rows
  }

  /// On a terminal nothing goes without a yes, however quiet the program was asked to be.
  @Test(arguments: [[], ["--quiet"], ["--json"], ["--json", "--quiet"]], ["n", "y"])
  func asksOnATerminalWhateverElseIsAsked(options: [String], answer: String) async throws {
    let place = try await place()
    let words = ([Program.path, "run", "logs"] + options).joined(separator: " ")
    let environment = ProcessInfo.processInfo.environment.merging(
      ["UPKEEP_CONFIG": place.path("upkeep.yaml"), "TERM": "xterm"]) { $1 }
    let terminal = try ChildProcess(
      "script", ["-qec", words, "/dev/null"], in: place.folder.path, environment: environment, holdsInput: true)
    try terminal.send("\(answer)\n")
    let said = await terminal.output.text()
    terminal.closeInput()
    await terminal.status()
    #expect(said.contains("2 rows would go"), "\(said)")
    #expect(said.contains("[y/N]"))
    #expect(try await rows(place) == (answer == "y" ? 1 : 3))
  }

  /// What is left of a variable that isn't set must not become the built-in default.
  @Test func refusesAnEmptyValue() async throws {
    let place = try await place()
    for value in ["timeout=", "timeout= "] {
      let outcome = try await place.run("preview", "logs", "--set", value)
      #expect(outcome.status == 4)
      #expect(outcome.errors.contains("expected a value, found nothing; null means the default"), "\(outcome.errors)")
    }
    let outcome = try await Program.run(
      ["preview", "logs"], in: place.folder,
      environment: ["UPKEEP_CONFIG": "upkeep.yaml", "UPKEEP_TASKS__LOGS__TIMEOUT": ""])
    #expect(outcome.status == 4)
    #expect(outcome.errors.contains("expected a value, found nothing"), "\(outcome.errors)")
    #expect(try await place.run("preview", "logs", "--set", "timeout=null").status == 0)
  }

  @Test func showsAPreviewToWhoWantsNothingElse() async throws {
    let outcome = try await place().run("preview", "logs", "--quiet")
    #expect(outcome.output.contains("2 rows would go"))
    #expect(outcome.errors.isEmpty)
  }

  @Test(arguments: [
    ("  state: nowhere/state.sqlite", "error: host.state: there is no folder "),
    ("  state: upkeep.yaml", "error: host.state: "),
    ("  token_file: nosuch.token", "warning: serve: host.token_file: "),
    ("  listen: 0.0.0.0:8787", "warning: serve: host.listen: "),
    ("  on_failure: { command: [./nosuch] }", "warning: host.on_failure: there is no program ./nosuch"),
    ("  on_failure: { command: [no-such-program-anywhere] }", "there is no program no-such-program-anywhere"),
  ])
  func findsWhatTheHostLacks(key: String, finding: String) async throws {
    let place = try await place("host:\n\(key)\n")
    let outcome = try await Program.run(
      ["validate", "--live"], in: place.folder, environment: ["UPKEEP_CONFIG": "upkeep.yaml", "COLUMNS": "200"])
    #expect(outcome.output.contains(finding), "\(outcome.output)\(outcome.errors)")
    #expect(outcome.status == (finding.hasPrefix("error") ? 1 : 0))
  }

  /// Of a database's journal mode it tells once, not with each task again.
  @Test func tellsOfAJournalModeOnce() async throws {
    let place = try await place("")
    let outcome = try await Program.run(
      ["validate", "--live"], in: place.folder, environment: ["UPKEEP_CONFIG": "upkeep.yaml", "COLUMNS": "300"])
    let lines = outcome.output.split(separator: "\n").filter { $0.contains("journal mode delete") }
    #expect(lines.count == 2 && lines.last?.hasPrefix("warning: database app: ") == true, "\(outcome.output)")
    // A preview alone has nobody else to tell it.
    let preview = try await Program.run(
      ["preview", "--all"], in: place.folder, environment: ["UPKEEP_CONFIG": "upkeep.yaml", "COLUMNS": "300"])
    #expect(
      preview.output.contains("warning: database app has journal mode delete"), "\(preview.output)\(preview.errors)")
  }

  @Test(arguments: ["cat", "./tell.sh"]) func findsNothingWhereTheHostHasAll(program: String) async throws {
    let place = try await place("host: { on_failure: { command: [\(program)] } }\n")
    try Data("#!/bin/sh\n".utf8).write(to: URL(fileURLWithPath: place.path("tell.sh")))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: place.path("tell.sh"))
    // The configuration is named without a folder.
    let outcome = try await Program.run(
      ["validate", "--live"], in: place.folder, environment: ["UPKEEP_CONFIG": "upkeep.yaml"])
    #expect(outcome.status == 0)
    #expect(!outcome.output.contains("host."))
    #expect(!FileManager.default.fileExists(atPath: place.path("upkeep.sqlite")))
  }

  /// An address that is told of runs is a key to whoever knows it.
  @Test func hidesAddressesThatAreTold() async throws {
    let place = try Workplace(
      """
      version: 1
      host: { on_failure: { webhook: "https://example.org/hook?token=abcdef123" } }
      tasks:
        nap: { plugin: noop, heartbeat_url: "https://example.org/ping/uuid-4711" }
      """)
    let outcome = try await place.run("config")
    #expect(outcome.status == 0)
    #expect(!outcome.output.contains("abcdef123") && !outcome.output.contains("uuid-4711"))
    #expect(outcome.output.contains("***"))
  }

  @Test func saysAsDataThatTheWordsAreWrong() async throws {
    let place = try await place()
    for words in [["run", "--bogus", "--json"], ["history", "--limit", "0", "--json"]] {
      let outcome = try await place.start(words).outcome()
      #expect(outcome.status == 64)
      let error = try #require(try outcome.json()["error"] as? [String: Any])
      #expect(error["code"] as? String == "usage")
      #expect((error["message"] as? String)?.isEmpty == false)
    }
    #expect(try await place.run("help", "nope").status == 64)
    #expect(try await place.run("help", "run").status == 0)
  }

  /// A mistake in a task keeps nobody from looking, pausing and stopping; what would start something is refused.
  @Test func worksOnTheStoreWhereATaskIsNotValid() async throws {
    let place = try await place()
    let run = try await place.run("run", "logs", "--json").json()["run_id"] as? String ?? ""
    let yaml = String(decoding: try place.bytes("upkeep.yaml"), as: UTF8.self)
    try place.write(yaml.replacing("guard: none", with: "gard: none"), to: "upkeep.yaml")
    let history = try await place.run("history")
    #expect(history.status == 0)
    #expect(history.output.contains("logs"))
    #expect(history.errors.contains("upkeep.yaml isn't valid (1 error, see upkeep validate)"), "\(history.errors)")
    #expect(try await place.run("show", run).status == 0)
    // The store lies where it would with a valid file, and what the environment says of tasks is left out with them.
    let elsewhere = try await Program.run(
      ["history"], in: place.folder,
      environment: [
        "UPKEEP_CONFIG": "upkeep.yaml", "STATE_DIRECTORY": place.path("elsewhere"), "UPKEEP_TASKS__NIX__TIMEOUT": "1h",
      ])
    #expect(elsewhere.status == 0 && elsewhere.errors.hasSuffix("no runs\n"), "\(elsewhere.errors)")
    #expect(try await place.run("cancel", run).output.contains("doesn't run any more"))
    #expect(try await place.run("pause", "logs", "--why", "mending").status == 0)
    #expect(try await place.run("resume", "logs").output == "resumed logs\n")
    for words in [["run", "logs"], ["preview", "logs"], ["list"], ["config"]] {
      #expect(try await place.start(words).outcome().status == 4)
    }
    try place.write("version: 1\n\thost: {}\n", to: "upkeep.yaml")
    #expect(try await place.run("history").status == 4)
  }

  /// A failed step is no "nothing to delete".
  @Test func saysWhatCouldNotBeCounted() async throws {
    let place = try Workplace(
      """
      version: 1
      databases: { app: { sqlite: app.sqlite } }
      tasks:
        logs: { plugin: table_retention, settings: { database: app, rules: [{ table: log, time_column: at, keep: 30d }] } }
      """)
    let database = SQLiteDatabase(name: "app", path: place.path("app.sqlite"), mayCreate: true)
    let session = try await database.open(.write(.normal), purpose: "test")
    try await session.perform { _ = try $0.execute("CREATE TABLE other(id INTEGER)") }
    await session.close()
    let outcome = try await place.run("run", "logs")
    #expect(!(outcome.output + outcome.errors).contains("nothing to delete"), "\(outcome.errors)")
    #expect(outcome.errors.contains("logs: what would go couldn't be counted"), "\(outcome.errors)")
  }
}
