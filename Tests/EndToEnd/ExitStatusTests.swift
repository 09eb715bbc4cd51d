import Foundation
import Testing

/// Each exit status of the program, by the built binary.
@Suite struct ExitStatusTests {
  @Test func isZeroForARunThatIsDone() async throws {
    let place = try Workplace(Workplace.noop())
    let outcome = try await place.run("run", "nap")
    #expect(outcome.status == 0)
    #expect(outcome.output.hasPrefix("nap: completed in "))
  }

  @Test func isOneForATaskThatFails() async throws {
    let place = try Workplace(Workplace.noop(settings: "{ fail: true }"))
    let outcome = try await place.run("run", "nap")
    #expect(outcome.status == 1)
    #expect(outcome.output.contains("error: task nap: it was told to fail; set settings.fail to false"))
  }

  @Test func isFourForAnInvalidConfiguration() async throws {
    let place = try Workplace("version: 1\ntasks:\n  nap:\n    plugin: nop\n    intervall: 5\n")
    let outcome = try await place.run("run", "nap")
    #expect(outcome.status == 4)
    #expect(outcome.output.isEmpty)
    #expect(
      outcome.errors.contains(
        """
        upkeep.yaml:4:13: error: unknown plugin nop; did you mean noop? [unknown_plugin]
            plugin: nop
                    ^~~
        """))
    #expect(outcome.errors.contains("upkeep.yaml:5:5: error: unknown key intervall; did you mean interval?"))
  }

  @Test func isFourWithoutAConfiguration() async throws {
    let place = try Workplace()
    let outcome = try await place.run("list", environment: ["UPKEEP_CONFIG": ""])
    #expect(outcome.status == 4)
    #expect(outcome.errors.contains("upkeep init"))
  }

  @Test func isFourForAChangeThatIsNotValid() async throws {
    let place = try Workplace(Workplace.noop())
    let outcome = try await place.run("run", "nap", "--set", "duration=5")
    #expect(outcome.status == 4)
    #expect(
      outcome.errors == "--set duration=5: error: duration: 5 has no unit; write 5s, 5m, 5h or 5d [bad_duration]\n")
  }

  @Test func isSixForATaskThatTakesTooLong() async throws {
    let place = try Workplace(Workplace.noop("timeout: 50ms", settings: "{ duration: 1h }"))
    let outcome = try await place.run("run", "nap")
    #expect(outcome.status == 6)
    #expect(outcome.output.contains("timed out"))
  }

  @Test(arguments: [
    (["run", "nab"], "error: unknown task or group nab; did you mean nap?\n"),
    (["rnu"], "unknown command rnu; did you mean run?\nSee 'upkeep --help' for all commands.\n"),
    (["describe", "nop"], "error: unknown plugin nop; did you mean noop?\n"),
    (["stats", "nap"], "error: task nap has no statistics: its plugin noop counts nothing\n"),
    (["show", "01K"], "error: no run begins with 01K; see upkeep history\n"),
    (["show", "nonsense"], "error: no run begins with nonsense; see upkeep history\n"),
  ]) func is64ForWrongUsage(arguments: [String], message: String) async throws {
    let place = try Workplace(Workplace.noop())
    let outcome = try await place.start(arguments).outcome()
    #expect(outcome.status == 64)
    #expect(outcome.errors == message)
    #expect(outcome.output.isEmpty)
  }

  @Test(arguments: [
    ["run", "nap", "--overide-guard"], ["run"], ["run", "nap", "--all"], ["run", "nap", "--set", "x"],
    ["history", "--limit", "0"], ["history", "--status", "fialed"], ["demo"], ["demo", "x", "--scale", "0"],
    ["completions", "tcsh"],
  ]) func is64ForWrongOptions(arguments: [String]) async throws {
    let place = try Workplace(Workplace.noop())
    let outcome = try await place.start(arguments).outcome()
    #expect(outcome.status == 64)
    #expect(outcome.output.isEmpty)
  }

  @Test(arguments: [(SIGINT, 130, "SIGINT"), (SIGTERM, 143, "SIGTERM")])
  func isThatOfTheSignalThatStopsIt(signal: Int32, status: Int32, name: String) async throws {
    let place = try Workplace(Workplace.noop(settings: "{ duration: 1h }"))
    let running = try place.start(["run", "nap"])
    _ = try await running.waitForError(containing: "started")
    running.signal(signal)
    let outcome = await running.outcome()
    #expect(outcome.status == status)
    #expect(outcome.output.contains("nap: cancelled"))
    #expect(outcome.output.contains("stopped by \(name)"))
    let history = try await place.run("history", "--json").json()
    let runs = try #require(history["runs"] as? [[String: Any]])
    #expect(runs.map { $0["status"] as? String } == ["cancelled"])
  }

  @Test func isTheWorstOfSeveralTasks() async throws {
    let place = try Workplace(
      """
      version: 1
      tasks:
        good: { plugin: noop }
        bad: { plugin: noop, settings: { fail: true } }
        slow: { plugin: noop, timeout: 50ms, settings: { duration: 1h } }
      groups:
        mixed: [good, bad]
      """)
    #expect(try await place.run("run", "good", "slow").status == 6)
    #expect(try await place.run("run", "slow", "bad", "good").status == 1)
    #expect(try await place.run("run", "mixed").status == 1)
  }
}
