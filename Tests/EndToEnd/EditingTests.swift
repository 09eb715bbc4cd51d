import Foundation
import Testing

/// `enable`, `disable`, `set`, `pause` and `resume`.
@Suite struct EditingTests {
  private static let yaml = """
    # ours
    tasks:
      nap:   # noop
        plugin: noop
        interval: 1h   # every hour
        settings: { duration: 0s }
    groups: { all: [nap] }

    """

  private func text(_ place: Workplace) throws -> String {
    String(decoding: try place.bytes("upkeep.yaml"), as: UTF8.self)
  }

  @Test func changesOneValueAndShowsTheLines() async throws {
    let place = try Workplace(Self.yaml)
    let set = try await place.run("set", "nap", "interval", "2h")
    #expect(set.status == 0)
    #expect(set.output == "upkeep.yaml:5\n-    interval: 1h   # every hour\n+    interval: 2h   # every hour\n")
    #expect(set.errors == "")
    let disable = try await place.run("disable", "nap")
    #expect(disable.output == "upkeep.yaml:5\n+    enabled: false\n")
    let expected = Self.yaml.replacing("1h", with: "2h")
      .replacing("plugin: noop\n", with: "plugin: noop\n    enabled: false\n")
    #expect(try text(place) == expected)
    let again = try await place.run("disable", "nap")
    #expect(again.output == "nap: enabled is false already; nothing was changed\n")
    _ = try await place.run("enable", "nap")
    #expect(try text(place) == expected.replacing("false", with: "true"))
    #expect(try await place.run("validate").status == 0)
  }

  @Test func printsWhatChangedAsData() async throws {
    let place = try Workplace(Self.yaml)
    let changed = try await place.run("set", "nap", "duration", "5s", "--json").json()
    #expect(Set(changed.keys) == ["schema_version", "path", "changed", "changes", "diff", "etag", "warnings"])
    #expect(changed["changed"] as? Bool == true)
    let change = try #require((changed["changes"] as? [[String: Any]])?.first)
    #expect(change as? [String: String] == ["task": "nap", "key": "settings.duration", "old": "0s", "new": "5s"])
    let lines = try #require((changed["diff"] as? [[String: Any]])?.first)
    #expect(lines["line"] as? Int == 6)
    #expect(lines["removed"] as? [String] == ["    settings: { duration: 0s }"])
    #expect(lines["added"] as? [String] == ["    settings: { duration: 5s }"])
    let same = try await place.run("set", "nap", "duration", "5s", "--json").json()
    #expect(same["changed"] as? Bool == false)
    #expect(same["etag"] as? String == changed["etag"] as? String)
  }

  @Test(arguments: ["rules[0].keep_rows", "rules.0.keep_rows", "settings.rules[0].keep_rows"])
  func changesAPartOfAList(key: String) async throws {
    let yaml = """
      databases: { app: { sqlite: app.sqlite } }
      tasks:
        tidy:
          plugin: table_retention
          settings:
            database: app
            rules:
              - { table: logs, keep_rows: 5 }

      """
    let place = try Workplace(yaml)
    let outcome = try await place.run("set", "tidy", key.replacing("0", with: "1"), "6")
    #expect(outcome.status == 4)
    #expect(
      outcome.errors
        == "error: settings.rules is a list: write settings.rules.0, or change it in the file, line 8 [unknown_part]\n")
    #expect(try text(place) == yaml)
    #expect(try await place.run("set", "tidy", key, "6").status == 0)
    #expect(try text(place) == yaml.replacing("keep_rows: 5", with: "keep_rows: 6"))
  }

  @Test(arguments: [
    (["set", "nap", "interval", "5"], 4, "error: interval: 5 has no unit; write 5s, 5m, 5h or 5d [bad_duration]\n"),
    (
      ["set", "nap", "intervall", "5m"], 4,
      "error: unknown setting intervall; did you mean interval? [unknown_setting]\n"
    ),
    (["enable", "nop"], 64, "error: unknown task nop; did you mean nap?\n"),
    (["enable", "all"], 64, "error: unknown task all; expected one of nap\n"),
    (
      ["set", "nap", "timeout", "5m"], 4,
      "error: nap: timeout comes from the environment variable UPKEEP_TASKS__NAP__TIMEOUT, which beats the file;"
        + " change it there\n"
    ),
    (
      ["set", "nap", "concurrency.exclusive_with", "[nap]"], 4,
      "error: nap: concurrency.exclusive_with: only a single value can be set; write a list or a map into the file\n"
    ),
  ])
  func saysWhyNot(_ arguments: [String], _ status: Int32, _ errors: String) async throws {
    let place = try Workplace(Self.yaml)
    let outcome = try await place.start(arguments, environment: ["UPKEEP_TASKS__NAP__TIMEOUT": "9m"]).outcome()
    #expect(outcome.status == status)
    #expect(outcome.errors == errors)
    #expect(try text(place) == Self.yaml)
  }

  @Test func namesAFileThatIsNotThere() async throws {
    let place = try Workplace()
    let outcome = try await place.run("enable", "nap")
    #expect(outcome.status == 4)
    #expect(outcome.errors == "upkeep.yaml:1:1: error: there is no such file; `upkeep init` writes one [no_file]\n")
  }

  @Test func pausesAndResumes() async throws {
    let place = try Workplace(Self.yaml)
    let pause = try await place.run("pause", "nap", "--for", "2h", "--why", "a move", "--json").json()
    #expect(pause["paused"] as? Bool == true)
    let facts = try #require(pause["pause"] as? [String: Any])
    #expect(facts["reason"] as? String == "a move")
    let until = try #require(facts["until"] as? String)
    let list = try await place.run("list").output
    #expect(list.contains("paused: nap until \(until.prefix(10)) \(until.dropFirst(11).prefix(5)) UTC, by "))
    #expect(list.contains(": a move\n"))
    let tasks = try #require(try await place.run("list", "--json").json()["tasks"] as? [[String: Any]])
    #expect(tasks[0]["paused"] as? Bool == true)
    #expect((tasks[0]["pause"] as? [String: Any])?["until"] as? String == until)
    // The schedule is kept from it, not somebody at the command line.
    let run = try await place.run("run", "nap", "--json").json()
    #expect(run["status"] as? String == "completed")
    let shown = try await place.run("show", try #require(run["run_id"] as? String)).output
    #expect(shown.contains("paused: nap until"))
    #expect(try await place.run("resume", "nap").output == "resumed nap\n")
    #expect(try await place.run("resume", "nap").output == "nap isn't paused\n")
    #expect(try await place.run("pause", "nap").output == "paused nap until upkeep resume\n")
    #expect(try await place.run("list").output.contains("paused: nap until upkeep resume, by "))
    #expect(try text(place) == Self.yaml)
  }

  @Test(arguments: [
    (["pause", "nop"], "error: unknown task nop; did you mean nap?\n"),
    (["pause", "all"], "error: all is a group; name one of its tasks\n"),
    (["pause", "nap", "--for", "2"], "error: --for: 2 has no unit; write 2s, 2m, 2h or 2d\n"),
    (["pause", "nap", "--for", "0s"], "error: --for: expected more than 0s\n"),
    (
      ["pause", "nap", "--for", "-5m"],
      "error: --for: a duration can't be negative: -5m; write one such as 30s, 24h or 14d\n"
    ),
    (
      ["pause", "nap", "--until", "soon"],
      "error: --until: expected a date and time such as 2026-12-24T18:00Z, found soon\n"
    ),
    (
      ["pause", "nap", "--until", "2999-01-01", "--for", "1h"],
      "error: --for and --until can't both be given; leave one of them out\n"
    ),
    (["resume", "nop"], "error: unknown task nop; did you mean nap?\n"),
  ])
  func refusesAPauseThatMakesNoSense(_ arguments: [String], _ errors: String) async throws {
    let place = try Workplace(Self.yaml)
    let outcome = try await place.start(arguments).outcome()
    #expect(outcome.status == 64)
    #expect(outcome.errors == errors)
  }

  @Test func saysWhatTimeItIsWhereAnEndIsPast() async throws {
    let place = try Workplace(Self.yaml)
    let outcome = try await place.start(["pause", "nap", "--until", "2020-01-01"]).outcome()
    #expect(outcome.status == 64)
    #expect(
      outcome.errors.contains(
        /^error: --until: 2020-01-01 00:00 UTC is past: it is 2\d{3}-\d\d-\d\d \d\d:\d\d UTC now\n$/))
  }
}
