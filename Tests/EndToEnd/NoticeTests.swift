import Foundation
import Testing

/// `host.on_failure` and `heartbeat_url`, as the program does it.
@Suite struct NoticeTests {
  @Test func tellsOncePerStreakWhateverProcessRuns() async throws {
    let place = try Workplace(
      """
      host:
        on_failure: { command: [sh, -c, 'echo "$UPKEEP_EVENT $UPKEEP_TASK $UPKEEP_STATUS" >> told'] }
      tasks:
        nap: { plugin: noop }
      """)
    for fails in ["false", "true", "true", "false", "false", "true"] {
      let outcome = try await place.run("run", "nap", "--quiet", "--set", "fail=\(fails)")
      #expect(outcome.status == (fails == "true" ? 1 : 0))
    }
    let told = String(decoding: try place.bytes("told"), as: UTF8.self)
    #expect(told == "failure nap failed\nrecovery nap completed\nfailure nap failed\n")
  }

  /// A run whose process was killed can tell nobody; who finds out does, whatever it came for.
  @Test(arguments: [["history"], ["run", "other", "--quiet"]])
  func tellsOfARunWhoseProcessWasKilled(finder: [String]) async throws {
    let place = try Workplace(
      """
      host:
        on_failure: { command: [sh, -c, 'echo "$UPKEEP_EVENT $UPKEEP_TASK $UPKEEP_STATUS" >> told'] }
      tasks:
        nap: { plugin: noop, settings: { duration: 1h } }
        other: { plugin: noop }
      """)
    let killed = try place.start(["run", "nap"])
    _ = try await killed.waitForError(containing: "started")
    killed.signal(SIGKILL)
    _ = await killed.outcome()
    for _ in 0..<2 { #expect(try await place.start(finder).outcome().status == 0) }
    #expect(String(decoding: try place.bytes("told"), as: UTF8.self) == "failure nap interrupted\n")
    // It counts among the failures in a row, and the next good run ends them.
    _ = try await place.run("run", "nap", "--quiet", "--set", "duration=0s")
    #expect(
      String(decoding: try place.bytes("told"), as: UTF8.self) == "failure nap interrupted\nrecovery nap completed\n")
  }

  @Test func failsNoRunWhereNobodyListens() async throws {
    let place = try Workplace(
      """
      host: { on_failure: { command: [no-such-program] } }
      tasks:
        nap: { plugin: noop, heartbeat_url: "http://127.0.0.1:1/ping" }
      """)
    let outcome = try await place.run("run", "nap")
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("warning: heartbeat_url: POST http://127.0.0.1:1/ping/start: "))
    let failed = try await place.run("run", "nap", "--set", "fail=true")
    #expect(failed.status == 1)
    #expect(failed.errors.contains("warning: on_failure: command no-such-program: "))
  }
}
