import Foundation
import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepTestKit

@testable import UpkeepNotices

@Suite(.timeLimit(.minutes(5))) struct StreakTests {
  /// What a policy with `after` tells, for runs that end so one after another.
  private func told(_ statuses: [RunStatus], after: Int) async throws -> [String] {
    let desk = try NoticeDesk()
    let writer = try desk.writer()
    let policy = NoticePolicy(command: writer.command, after: after, folder: desk.folder)
    for status in statuses { #expect(try await desk.run(status, policy) == []) }
    return writer.lines().map { $0.split(separator: " ").prefix(4).joined(separator: " ") }
  }

  @Test func tellsOncePerStreakAndWhenItWorksAgain() async throws {
    let lines = try await told(
      [.completed, .failed, .failed, .timedOut, .completed, .completed, .refused, .completed], after: 1)
    #expect(
      lines == [
        "failure nap failed 1", "recovery nap completed 0", "failure nap refused 1", "recovery nap completed 0",
      ])
  }

  @Test func waitsForSoManyFailures() async throws {
    let lines = try await told(
      [
        .failed, .failed, .completed, .failed, .cancelled, .skipped, .missed, .failed, .interrupted, .failed,
        .completed,
      ],
      after: 3)
    #expect(lines == ["failure nap interrupted 3", "recovery nap completed 0"])
  }

  @Test func outlivesTheProcess() async throws {
    let desk = try NoticeDesk()
    let writer = try desk.writer()
    let policy = NoticePolicy(command: writer.command, after: 2, folder: desk.folder)
    _ = try await desk.run(.failed, policy)
    // Killed while it ran, so that nobody could tell: the next failure is the third of the streak.
    try await desk.record(.interrupted)
    let next = RunNotices(
      fetcher: desk.fetcher, wallClock: desk.wallClock, clock: ContinuousClock(), logger: desk.logger)
    for status in [RunStatus.failed, .failed] {
      next.note(.finished(try await desk.record(status)), policy: policy, store: desk.store)
      _ = await next.settle(within: .seconds(60))
    }
    #expect(writer.lines().count == 1)
    #expect(writer.lines()[0].hasPrefix("failure nap failed 2 "))
  }

  @Test func countsEachTaskForItself() async throws {
    let desk = try NoticeDesk()
    let writer = try desk.writer()
    let policy = NoticePolicy(command: writer.command, after: 2, folder: desk.folder)
    for task in ["nap", "dream", "nap", "dream", "dream"] {
      desk.notices.note(.finished(try await desk.record(.failed, task: task)), policy: policy, store: desk.store)
      _ = await desk.notices.settle(within: .seconds(60))
    }
    #expect(writer.lines().map { $0.split(separator: " ")[1] } == ["nap", "dream"])
  }

  @Test func readsALongHistory() async throws {
    let desk = try NoticeDesk()
    try await desk.record(.completed)
    for _ in 0..<160 { try await desk.record(.skipped) }
    for _ in 0..<120 { try await desk.record(.failed) }
    let last = try await desk.record(.failed)
    for limit in [1, 50, 51, 121] {
      let streak = try await FailureStreak.ending(with: last, limit: limit, in: desk.store)
      #expect(streak.length == limit)
    }
    #expect(try await FailureStreak.ending(with: last, limit: 1000, in: desk.store).length == 121)
  }
}

@Suite(.timeLimit(.minutes(5))) struct NoticeCommandTests {
  @Test func getsItsArgumentsAsTheyAreAndTheResultOnItsInput() async throws {
    let desk = try NoticeDesk()
    let writer = try desk.writer()
    let policy = NoticePolicy(command: ["./tell", writer.command[1]], folder: desk.folder)
    #expect(try await desk.run(.failed, policy) == [])
    #expect(writer.lines() == ["failure nap failed 1 1 a b; $HOME {\"counts\":{}"])
  }

  @Test func isFoundOnThePath() async throws {
    let desk = try NoticeDesk()
    #expect(try await desk.run(.failed, NoticePolicy(command: ["true"], folder: desk.folder)) == [])
  }

  @Test func saysWhatWentWrong() async throws {
    let desk = try NoticeDesk()
    let failing = try await desk.run(.failed, NoticePolicy(command: ["sh", "-c", "exit 3"], folder: desk.folder))
    #expect(
      failing == [
        "on_failure: command sh: it ended with status 3; run it by hand to see why: what it prints isn't kept"
      ])
    _ = try await desk.run(.completed, NoticePolicy(command: ["true"], folder: desk.folder))
    let missing = try await desk.run(.failed, NoticePolicy(command: ["no-such-program"], folder: desk.folder))
    #expect(missing.count == 1)
    #expect(missing[0].hasPrefix("on_failure: command no-such-program: it can't be started: "))
  }

  @Test func isEndedWithAllThatItStartedWhereItTakesTooLong() async throws {
    let desk = try NoticeDesk()
    let file = desk.folder + "/pids"
    // A child that doesn't listen to SIGTERM, and a grandchild.
    let script = "trap '' TERM; sleep 1000 & echo $! >> '\(file)'; echo $$ >> '\(file)'; wait"
    let clock = ManualClock()
    let command = NoticeCommand(words: ["sh", "-c", script], folder: desk.folder, clock: clock)
    async let outcome: String = {
      do {
        try await command.run(input: [], variables: [:])
        return "no error"
      } catch {
        return "\(error)"
      }
    }()
    await clock.untilSomebodySleeps(for: NoticeCommand.timeout)
    while Self.pids(in: file).count < 2 { await Task.yield() }
    clock.advance(by: NoticeCommand.timeout)
    #expect(
      await outcome
        == "command sh: it took longer than 30s and was ended; let it do less, or in the background")
    // A signal is on its way when `kill` returns: the suite's limit ends the wait for one that stays.
    for pid in Self.pids(in: file) { while !Self.isGone(pid) { await Task.yield() } }
  }

  private static func pids(in file: String) -> [Int32] {
    let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
    return text.components(separatedBy: "\n").dropLast().compactMap { Int32($0) }
  }

  /// Whether a process is no more, or only its entry waits for its parent.
  private static func isGone(_ pid: Int32) -> Bool {
    guard let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return true }
    return status.components(separatedBy: ") ").last?.hasPrefix("Z") == true
  }
}

@Suite(.timeLimit(.minutes(5))) struct HeartbeatTests {
  private func paths(_ server: StubServer) -> [String] {
    server.requests.compactMap { $0.split(separator: " ").dropFirst().first.map(String.init) }
  }

  @Test(arguments: [
    (RunStatus.completed, true, ["/ping/x/start", "/ping/x"]), (.failed, true, ["/ping/x/start", "/ping/x/fail"]),
    (.refused, true, ["/ping/x/start", "/ping/x/fail"]), (.timedOut, true, ["/ping/x/start", "/ping/x/fail"]),
    (.completedWithErrors, true, ["/ping/x/start", "/ping/x/fail"]),
    (.cancelled, true, ["/ping/x/start", "/ping/x/fail"]), (.cancelled, false, []), (.skipped, false, []),
    (.missed, false, []), (.failed, false, ["/ping/x/fail"]),
  ])
  func tellsOfStartAndEnd(_ status: RunStatus, _ started: Bool, _ expected: [String]) async throws {
    let desk = try NoticeDesk()
    let server = try StubServer.json("{}")
    let policy = NoticePolicy(heartbeats: ["nap": server.url("/ping/x")], folder: desk.folder)
    #expect(try await desk.run(status, policy, started: started) == [])
    #expect(paths(server) == expected)
  }

  @Test func tellsNothingOfPreviewsAndOtherTasks() async throws {
    let desk = try NoticeDesk()
    let server = try StubServer.json("{}")
    let policy = NoticePolicy(heartbeats: ["nap": server.url("/")], folder: desk.folder)
    _ = try await desk.run(.completed, policy, mode: .preview)
    let other = NoticePolicy(heartbeats: ["dream": server.url("/")], folder: desk.folder)
    _ = try await desk.run(.completed, other)
    #expect(paths(server) == [])
  }

  @Test(arguments: [
    ("https://h/ping/u", "https://h/ping/u/start", "https://h/ping/u"),
    ("https://h/ping/u/", "https://h/ping/u/start", "https://h/ping/u/"),
    ("https://h/u?create=1", "https://h/u/start?create=1", "https://h/u?create=1"),
  ])
  func putsTheMomentIntoThePath(_ base: String, _ start: String, _ success: String) {
    #expect(HeartbeatAddress.start.url(base) == start)
    #expect(HeartbeatAddress.success.url(base) == success)
  }

  @Test func postsTheResultToTheWebhook() async throws {
    let desk = try NoticeDesk()
    let server = try StubServer.json("{}")
    let policy = NoticePolicy(webhook: server.url("/hook"), folder: desk.folder)
    #expect(try await desk.run(.failed, policy) == [])
    #expect(try await desk.run(.failed, policy) == [])
    #expect(try await desk.run(.completed, policy) == [])
    #expect(server.requests.count == 2)
    let request = try #require(server.requests.first)
    #expect(request.hasPrefix("POST /hook HTTP/1.1\r\n"))
    #expect(request.lowercased().contains("\r\nupkeep-event: failure\r\n"))
    let body = try #require(request.components(separatedBy: "\r\n\r\n").last)
    let result = try JSONDecoder().decode(RunResult.self, from: Data(body.utf8))
    #expect(result.status == .failed)
    #expect(server.requests[1].lowercased().contains("\r\nupkeep-event: recovery\r\n"))
  }

  @Test func triesTwiceAndSaysWhatWentWrong() async throws {
    let desk = try NoticeDesk()
    let server = try StubServer.json("{}", status: "500 No")
    let policy = NoticePolicy(webhook: server.url("/hook"), folder: desk.folder)
    let troubles = try await desk.run(.failed, policy)
    #expect(server.requests.count == 2)
    #expect(
      troubles == [
        "on_failure.webhook: POST \(server.url("/hook")): expected status 200, found 500; check the address, and that"
          + " its server is well"
      ])
  }

  @Test func holdsNobodyUpForLongerThanItMay() async throws {
    let clock = ManualClock()
    let desk = try NoticeDesk(clock: clock)
    let server = try StubServer(.stalls(""))
    let policy = NoticePolicy(heartbeats: ["nap": server.url("/")], folder: desk.folder)
    let result = try await desk.record(.completed)
    desk.notices.note(.started(result), policy: policy, store: desk.store)
    desk.notices.note(.finished(result), policy: policy, store: desk.store)
    async let troubles = desk.notices.settle(within: .seconds(3))
    await clock.untilSomebodySleeps(for: .seconds(3))
    clock.advance(by: .seconds(3))
    _ = await troubles
  }
}
