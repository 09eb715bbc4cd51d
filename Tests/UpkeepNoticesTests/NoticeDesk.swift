import Foundation
import Logging
import UpkeepCore
import UpkeepFetch
import UpkeepRuns
import UpkeepTestKit

@testable import UpkeepNotices

/// A store with the history of one task, and what tells others of its runs.
struct NoticeDesk {
  let folder: String
  let wallClock = ManualWallClock()
  let store: InMemoryStateStore
  let notices: RunNotices
  let fetcher: any Fetcher
  let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  private let random = SeededRandom(seed: 3)

  init(clock: any Clock<Duration> = ContinuousClock()) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "upkeep-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    store = InMemoryStateStore(inspector: StubProcessInspector(), wallClock: wallClock)
    fetcher = HTTPFetcher(clock: clock)
    notices = RunNotices(fetcher: fetcher, wallClock: wallClock, clock: clock, logger: logger)
  }

  /// A run of the task that ended so, recorded.
  @discardableResult
  func record(_ status: RunStatus, task: String = "nap", mode: RunMode = .run) async throws -> RunResult {
    wallClock.set(wallClock.now() + .seconds(60))
    var result = RunResult(
      runID: RunID.make(at: wallClock.now(), random: random), task: task, plugin: "noop", mode: mode,
      trigger: .scheduled, status: status, host: "box")
    result.finishedAt = wallClock.now()
    if status == .failed { result.errors = [RunError(step: "run", code: "no", message: "no")] }
    try await store.save(RunRecord(result: result, owner: nil, createdAt: wallClock.now()))
    return result
  }

  /// A run that ended so, told of as the runner does.
  func run(_ status: RunStatus, _ policy: NoticePolicy, started: Bool = true, mode: RunMode = .run) async throws
    -> [String]
  {
    let result = try await record(status, mode: mode)
    if started { notices.note(.started(result), policy: policy, store: store) }
    notices.note(.finished(result), policy: policy, store: store)
    return await notices.settle(within: .seconds(60))
  }

  /// A program that adds a line to a file: the event and what else it was told, and the length of its input.
  func writer(_ name: String = "tell") throws -> (command: [String], lines: @Sendable () -> [String]) {
    let (program, file) = ("\(folder)/\(name)", "\(folder)/\(name).txt")
    try """
    #!/bin/sh
    input=$(cat)
    echo "$UPKEEP_EVENT $UPKEEP_TASK $UPKEEP_STATUS $UPKEEP_FAILURES $# $1 ${input%%,*}" >> '\(file)'

    """.write(toFile: program, atomically: true, encoding: .utf8)
    chmod(program, 0o755)
    return (
      [program, "a b; $HOME"],
      {
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
      }
    )
  }
}
