import Foundation
public import Logging
import Synchronization
public import UpkeepCore
public import UpkeepFetch
public import UpkeepRuns

/// Tells others of runs: a command and a webhook of failures, once per streak, and when it works again; a dead-man's
/// switch of every run.
///
/// It never fails or delays a run: what it does happens beside it, with limits of its own, and what goes wrong is
/// logged.
public final class RunNotices: Sendable {
  /// How long one request may take.
  static let timeout = Duration.seconds(10)
  /// How long it waits before it tries a second time.
  static let pause = Duration.seconds(1)

  private struct State {
    /// The last thing that is done for each run: what comes next waits for it.
    var last: [String: (key: Int, task: Task<Void, Never>)] = [:]
    /// All that is being done.
    var pending: [Int: Task<Void, Never>] = [:]
    /// Runs whose start was told.
    var started: Set<String> = []
    var nextKey = 0
    var troubles: [String] = []
  }

  private let fetcher: any Fetcher
  private let wallClock: any WallClock
  private let clock: any Clock<Duration>
  private let logger: Logger
  private let state = Mutex(State())

  /// Creates a messenger.
  ///
  /// - Parameters:
  ///   - fetcher: Sends requests.
  ///   - wallClock: Tells when a streak was told.
  ///   - clock: Measures timeouts.
  ///   - logger: Is told what went wrong.
  public init(fetcher: any Fetcher, wallClock: any WallClock, clock: any Clock<Duration>, logger: Logger) {
    self.fetcher = fetcher
    self.wallClock = wallClock
    self.clock = clock
    self.logger = logger
  }

  /// Takes note of an event of a run, and returns at once.
  public func note(_ event: RunEvent, policy: NoticePolicy, store: any RunStore & NoticeStore) {
    let result = event.result
    guard result.mode == .run else { return }
    switch event {
    case .started:
      guard let url = policy.heartbeats[result.task] else { return }
      state.withLock { _ = $0.started.insert(result.runID) }
      enqueue(result.runID) { [self] in await ping(.start, url, result) }
    case .finished:
      let hasBegun = state.withLock { $0.started.remove(result.runID) != nil }
      let moment = heartbeat(result.status, hasBegun: hasBegun)
      let url = policy.heartbeats[result.task]
      guard url != nil && moment != nil || policy.tellsOfFailures else { return }
      enqueue(result.runID) { [self] in
        if let url, let moment { await ping(moment, url, result) }
        if policy.tellsOfFailures { await tell(result, policy, store) }
      }
    default: return
    }
  }

  /// Waits until all is told, or the time is up.
  /// - Returns: What went wrong since the last call.
  public func settle(within limit: Duration) async -> [String] {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { [self] in
        while let task = state.withLock({ $0.pending.values.first }) { await task.value }
      }
      group.addTask { [clock] in try? await clock.sleep(for: limit) }
      await group.next()
      // What is left is cancelled, so that nothing holds the process.
      for task in state.withLock({ Array($0.pending.values) }) { task.cancel() }
      group.cancelAll()
    }
    return state.withLock { state in
      defer { state.troubles = [] }
      return state.troubles
    }
  }

  // MARK: Order

  private func enqueue(_ runID: String, _ body: @escaping @Sendable () async -> Void) {
    state.withLock { state in
      state.nextKey += 1
      let (key, earlier) = (state.nextKey, state.last[runID]?.task)
      let task = Task { [weak self] in
        await earlier?.value
        await body()
        self?.forget(runID, key)
      }
      state.last[runID] = (key, task)
      state.pending[key] = task
    }
  }

  private func forget(_ runID: String, _ key: Int) {
    state.withLock { state in
      state.pending[key] = nil
      if state.last[runID]?.key == key { state.last[runID] = nil }
    }
  }

  // MARK: Dead-man's switches

  /// What the switch is told of an end; nothing for a run that never began.
  private func heartbeat(_ status: RunStatus, hasBegun: Bool) -> HeartbeatAddress? {
    if status == .completed { return .success }
    return status.isFailure || hasBegun ? .failure : nil
  }

  private func ping(_ moment: HeartbeatAddress, _ url: String, _ result: RunResult) async {
    await attempt("heartbeat_url", result) {
      try await self.post(moment.url(url), moment == .start ? Array("{}".utf8) : Self.document(result), [:])
    }
  }

  // MARK: Streaks

  private func tell(_ result: RunResult, _ policy: NoticePolicy, _ store: any RunStore & NoticeStore) async {
    do {
      if result.status == .completed {
        if try await store.takeNotice(result.task) { await deliver(.recovery, result, 0, policy) }
      } else if result.status.isFailure {
        let streak = try await FailureStreak.ending(with: result, limit: policy.after, in: store)
        guard streak.length >= policy.after,
          try await store.claimNotice(result.task, at: wallClock.now(), since: streak.lastSuccess)
        else { return }
        await deliver(.failure, result, streak.length, policy)
      }
    } catch {
      trouble("on_failure", result, error)
    }
  }

  private func deliver(_ event: NoticeEvent, _ result: RunResult, _ failures: Int, _ policy: NoticePolicy) async {
    await withTaskGroup(of: Void.self) { group in
      if !policy.command.isEmpty {
        group.addTask { [self] in
          let command = NoticeCommand(words: policy.command, folder: policy.folder, clock: clock)
          do {
            try await command.run(
              input: Self.document(result), variables: Self.variables(event, result, failures))
          } catch {
            trouble("on_failure", result, error)
          }
        }
      }
      if let webhook = policy.webhook {
        group.addTask { [self] in
          await attempt("on_failure.webhook", result) {
            try await self.post(
              webhook, Self.document(result),
              ["Upkeep-Event": event.rawValue, "Upkeep-Task": result.task, "Upkeep-Failures": "\(failures)"])
          }
        }
      }
    }
  }

  private static func variables(_ event: NoticeEvent, _ result: RunResult, _ failures: Int) -> [String: String] {
    [
      "UPKEEP_EVENT": event.rawValue, "UPKEEP_TASK": result.task, "UPKEEP_STATUS": result.status.rawValue,
      "UPKEEP_RUN_ID": result.runID, "UPKEEP_FAILURES": "\(failures)",
      "UPKEEP_REASON": result.why ?? "",
    ]
  }

  // MARK: Requests

  private func post(_ url: String, _ body: [UInt8], _ headers: [String: String]) async throws {
    _ = try await fetcher.fetchSuccess(
      FetchRequest(url, .postJSON(body), headers: headers, timeout: Self.timeout, maxBytes: 1 << 16))
  }

  /// Tries twice; what goes wrong the second time is logged.
  private func attempt(_ what: String, _ result: RunResult, _ body: @Sendable () async throws -> Void) async {
    do {
      try await body()
    } catch {
      do {
        try await clock.sleep(for: Self.pause)
        try await body()
      } catch {
        trouble(what, result, error)
      }
    }
  }

  private func trouble(_ what: String, _ result: RunResult, _ error: any Error) {
    let text =
      error is CancellationError ? "\(what): there was no time left to tell of \(result.task)" : "\(what): \(error)"
    logger.error("\(text)", metadata: ["task": "\(result.task)", "run_id": "\(result.runID)"])
    // A process that goes on has its log; only the newest are kept.
    state.withLock { $0.troubles = $0.troubles.suffix(99) + [text] }
  }

  /// The result as it is printed and recorded.
  private static func document(_ result: RunResult) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(result)).map(Array.init) ?? []
  }
}
