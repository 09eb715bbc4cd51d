import Foundation
import Testing
import UpkeepConfiguration
import UpkeepCore
import UpkeepRuns
import UpkeepTestKit

@testable import UpkeepHost

private let isSoak = ProcessInfo.processInfo.environment["UPKEEP_SOAK"] == "1"

private func yaml(_ number: Int) -> String {
  "# version \(number), ☃\ntasks:\n  nap: { plugin: noop, interval: \(number + 1)s }\n"
}

/// Ways in which a file can be wrong.
private func broken(_ number: Int) -> String {
  [
    "tasks:\n  nap: { plugin: noop, interval: \(number) }\n", "tasks: [\n# \(number)", "# nothing \(number)\n",
    "tasks: { nap: { plugin: nop\(number) } }", "tasks: { nap: { plugin: noop } }\ntasks: { }\n# \(number)",
  ][number % 5]
}

@Suite(.timeLimit(.minutes(10))) struct ReloadTests {
  /// Watches a desk's file while `body` changes it.
  private func watching(
    _ desk: LiveDesk, hears: Bool = true, environment: [String: String] = [:],
    _ body: (LiveHost, ConfigurationReloader, inout AsyncStream<ReloadOutcome>.AsyncIterator) async throws -> Void
  ) async throws {
    let live = LiveHost(try desk.host(environment: environment))
    let reloader = ConfigurationReloader(
      live: live, path: desk.path, clock: ContinuousClock(), logger: desk.logger, hears: hears)
    var outcomes = await live.reloads().makeAsyncIterator()
    let watching = Task { await reloader.run() }
    // Once this one is answered the watch stands.
    reloader.requestReload()
    #expect(await outcomes.next().map { if case .unchanged = $0 { true } else { false } } == true)
    try await body(live, reloader, &outcomes)
    watching.cancel()
    await watching.value
  }

  @Test(arguments: [true, false])
  func keepsTheLastGoodConfigurationInForce(hears: Bool) async throws {
    let desk = try LiveDesk(yaml(0))
    let random = SeededRandom(seed: 5)
    let changes = hears ? (isSoak ? 1000 : 100) : 6
    try await watching(desk, hears: hears) { live, _, outcomes in
      var (good, applied, refused) = (0, 0, 0)
      for number in 1...changes {
        let isGood = random.next() % 2 == 0
        let text = isGood ? yaml(number) : broken(number)
        switch random.next() % 3 {
        case 0: try desk.writeInPlace(text)
        case 1: try desk.renameOver(text)
        default: try desk.swapLink(text)
        }
        let outcome = try #require(await outcomes.next())
        // Neither half a file nor another one was looked at.
        #expect(outcome.hash == LiveDesk.hash(text), "change \(number)")
        if isGood { good = number }
        let status = live.configurationStatus()
        #expect(status.hash == LiveDesk.hash(yaml(good)), "change \(number)")
        #expect(status.isCurrent == isGood)
        #expect(live.host.tasks.first?.interval == .seconds(good + 1), "change \(number)")
        switch outcome {
        case .applied(_, let changed, _):
          applied += 1
          #expect(changed.map(\.key) == ["interval"])
        case .refused: refused += 1
        case .unchanged: Issue.record("change \(number) wasn't noticed")
        }
      }
      #expect(applied > 0 && refused > 0 && applied + refused == changes)
    }
  }

  @Test func followsAFolderThatIsALink() async throws {
    let desk = try LiveDesk(yaml(0))
    for number in 0...2 {
      try FileManager.default.createDirectory(atPath: "\(desk.folder)/v\(number)", withIntermediateDirectories: true)
      try desk.write(yaml(number), to: "\(desk.folder)/v\(number)/upkeep.yaml")
    }
    // As Kubernetes mounts a configuration: the folder is swapped, and the file's own link stays.
    func point(to number: Int) throws {
      try #require(symlink("v\(number)", desk.folder + "/next") == 0)
      try #require(rename(desk.folder + "/next", desk.folder + "/data") == 0)
    }
    try point(to: 0)
    try #require(unlink(desk.path) == 0)
    try #require(symlink("data/upkeep.yaml", desk.path) == 0)
    try await watching(desk) { live, _, outcomes in
      for number in 1...2 {
        try point(to: number)
        #expect(await outcomes.next()?.hash == LiveDesk.hash(yaml(number)))
        #expect(live.host.tasks.first?.interval == .seconds(number + 1))
      }
    }
  }

  @Test func saysThatAnotherTextMeansTheSame() async throws {
    let desk = try LiveDesk(yaml(0))
    try await watching(desk) { _, _, outcomes in
      try desk.renameOver(yaml(0) + "# a remark\n")
      guard case .applied(_, let changes, _) = await outcomes.next() else {
        Issue.record("not applied")
        return
      }
      #expect(changes == [])
    }
    #expect(desk.log.all.contains("notice: the file has changed, and means the same"))
  }

  @Test func saysWhyABadFileIsNotInForce() async throws {
    let desk = try LiveDesk(yaml(0))
    try await watching(desk) { live, reloader, outcomes in
      try desk.renameOver("tasks:\n  nap: { plugin: noop, interval: 5 }\n")
      _ = await outcomes.next()
      let status = live.configurationStatus()
      #expect(
        status.lines == [
          "\(desk.path):2:34: error: interval: 5 has no unit; write 5s, 5m, 5h or 5d [bad_duration]\n"
            + "  nap: { plugin: noop, interval: 5 }\n                                 ^"
        ])
      #expect(status.problems.map(\.line) == [2])
      #expect(status.problems.map(\.column) == [34])
      // Whoever asks is told again.
      reloader.requestReload()
      guard case .refused = await outcomes.next() else {
        Issue.record("not refused")
        return
      }
      try #require(unlink(desk.path) == 0)
      _ = await outcomes.next()
      #expect(live.configurationStatus().problems.map(\.code) == ["no_file"])
      try desk.renameOver(yaml(0))
      guard case .unchanged(let end) = await outcomes.next() else {
        Issue.record("not back")
        return
      }
      #expect(end.isCurrent)
    }
    let text = "error: the configuration isn't valid; the last good one stays in force"
    #expect(desk.log.all.contains(text))
    #expect(desk.log.all.contains("notice: the configuration is valid again, and as it was"))
    #expect(desk.log.all.contains { $0.hasPrefix("error: ") && $0.hasSuffix("[bad_duration]") })
  }

  @Test func listsWhatChangedAndWhatNeedsARestart() async throws {
    let desk = try LiveDesk(
      "host: { on_failure: { webhook: \"http://u:old@h/\" } }\ntasks:\n  nap: { plugin: noop }\n  old: { plugin: noop }\n"
    )
    try await watching(desk, environment: ["UPKEEP_TASKS__NAP__JITTER": "1s"]) { live, _, outcomes in
      try desk.renameOver(
        """
        host: { listen: "127.0.0.1:9", state: other.sqlite, on_failure: { webhook: "http://u:new@h/" } }
        tasks:
          nap: { plugin: noop, enabled: false, jitter: 3s, settings: { duration: 5s } }

        """)
      guard case .applied(let status, let changes, _) = await outcomes.next() else {
        Issue.record("not applied")
        return
      }
      #expect(
        changes.filter { $0.task != "old" }.map(\.text) == [
          "host.state: \(desk.folder)/upkeep.sqlite → \(desk.folder)/other.sqlite",
          "host.listen: 127.0.0.1:8787 → 127.0.0.1:9", "host.on_failure.webhook: *** → ***",
          "nap: enabled: true → false", "nap: settings.duration: 0s → 5s",
        ])
      #expect(changes.contains { $0.task == "old" && $0.key == "plugin" && $0.new == .null })
      #expect(status.restartNeeded == ["host.state", "host.listen"])
      let host = live.host
      #expect(host.configuration.state == .path(desk.folder + "/upkeep.sqlite"))
      #expect(host.configuration.listen.port == 8787)
      #expect(host.tasks.map(\.isEnabled) == [false])
      // Back again, and nothing needs a restart any more.
      try desk.renameOver("tasks:\n  nap: { plugin: noop }\n")
      #expect(await outcomes.next()?.status.restartNeeded == [])
    }
    #expect(desk.log.all.contains("warning: these keys need a restart: host.state, host.listen"))
    #expect(desk.log.all.contains("notice: changed: nap: enabled: true → false"))
  }

  /// Of a new task what was written is told, and of a list the parts that differ.
  @Test func saysNoMoreThanWhatChanged() async throws {
    func rules(_ keep: String) -> String {
      """
      databases: { app: { sqlite: app.sqlite } }
      tasks:
        tidy:
          plugin: table_retention
          settings: { database: app, rules: [{ table: a, keep_rows: 5 }, { table: b, time_column: at, keep: \(keep) }] }

      """
    }
    let desk = try LiveDesk(rules("30d"))
    try await watching(desk) { _, _, outcomes in
      try desk.renameOver(rules("60d") + "  nap: { plugin: noop, interval: 5s }\n")
      guard case .applied(_, let changes, _) = await outcomes.next() else {
        Issue.record("not applied")
        return
      }
      #expect(
        changes.map(\.text) == [
          "tidy: settings.rules.1.keep: 30d → 60d", "nap: plugin: none → noop", "nap: interval: none → 5s",
        ])
    }
  }

  @Test func leavesATaskItsSettingsWhileItRuns() async throws {
    let desk = try LiveDesk("tasks:\n  nap: { plugin: noop, settings: { duration: 1s } }\n")
    try await watching(desk) { live, _, outcomes in
      let running = try live.host.targets(["nap"])[0].tasks[0]
      try desk.renameOver("tasks:\n  nap: { plugin: noop, settings: { duration: 2s } }\n")
      _ = await outcomes.next()
      #expect(running.prepared.settings["duration"] == "1s")
      #expect(try live.host.targets(["nap"])[0].tasks[0].prepared.settings["duration"] == "2s")
    }
  }
}

@Suite struct WatchedPlacesTests {
  @Test func areTheFoldersOfThePathAndOfEveryLinkOnTheWay() throws {
    let desk = try LiveDesk(yaml(0))
    let base = try #require(
      realpath(desk.folder, nil).map { pointer in
        defer { free(pointer) }
        return String(cString: pointer)
      })
    #expect(WatchedPlaces(of: base + "/upkeep.yaml").names == [base: ["upkeep.yaml"]])
    for (name, target) in [
      ("a.yaml", "data/../data/b.yaml"), ("data", base + "/versions"), ("versions/b.yaml", "c.yaml"),
    ] {
      try #require(symlink(target, "\(base)/\(name)") == 0)
    }
    #expect(
      WatchedPlaces(of: base + "/a.yaml").names == [
        base: ["a.yaml", "data"], base + "/versions": ["b.yaml", "c.yaml"],
      ])
    try #require(symlink("loop", base + "/loop") == 0)
    #expect(WatchedPlaces(of: base + "/loop").names == [base: ["loop"]])
  }
}
