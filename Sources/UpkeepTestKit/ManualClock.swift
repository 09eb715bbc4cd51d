import Synchronization

/// A clock that stands still until a test moves it.
///
/// A test waits until the code under test sleeps (``untilSomebodySleeps(for:)``), then moves the clock; so it depends on
/// no real time.
public final class ManualClock: Clock, Sendable {
  /// An instant of the clock.
  public struct Instant: InstantProtocol {
    /// The time since the clock was made.
    public var offset: Swift.Duration

    /// The instant `duration` later.
    public func advanced(by duration: Swift.Duration) -> Instant {
      Instant(offset: offset + duration)
    }

    /// The time until `other`.
    public func duration(to other: Instant) -> Swift.Duration {
      other.offset - offset
    }

    /// The earlier instant comes first.
    public static func < (left: Instant, right: Instant) -> Bool {
      left.offset < right.offset
    }
  }

  private struct Sleeper {
    var deadline: Swift.Duration
    var continuation: CheckedContinuation<Void, any Error>
  }

  private struct Watcher {
    /// Nothing means any sleeper.
    var duration: Swift.Duration?
    var continuation: CheckedContinuation<Void, Never>
  }

  private struct State {
    var offset = Swift.Duration.zero
    var nextKey = 0
    var sleepers: [Int: Sleeper] = [:]
    /// Sleeps that were cancelled before they began.
    var cancelled: Set<Int> = []
    var watchers: [Watcher] = []

    func hasSleeper(for duration: Swift.Duration?) -> Bool {
      guard let duration else { return !sleepers.isEmpty }
      return sleepers.values.contains { $0.deadline == offset + duration }
    }

    mutating func satisfiedWatchers() -> [CheckedContinuation<Void, Never>] {
      var satisfied: [CheckedContinuation<Void, Never>] = []
      var others: [Watcher] = []
      for watcher in watchers {
        if hasSleeper(for: watcher.duration) {
          satisfied.append(watcher.continuation)
        } else {
          others.append(watcher)
        }
      }
      watchers = others
      return satisfied
    }
  }

  private let state = Mutex(State())

  /// Creates a clock at zero.
  public init() {}

  /// The present instant.
  public var now: Instant {
    state.withLock { Instant(offset: $0.offset) }
  }

  /// Zero.
  public var minimumResolution: Swift.Duration { .zero }

  /// Sleeps until the clock was moved to `deadline`.
  public func sleep(until deadline: Instant, tolerance: Swift.Duration?) async throws {
    try Task.checkCancellation()
    let key = state.withLock { state -> Int in
      state.nextKey += 1
      return state.nextKey
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        var satisfied: [CheckedContinuation<Void, Never>] = []
        let outcome = state.withLock { state -> Result<Void, any Error>? in
          if state.cancelled.remove(key) != nil { return .failure(CancellationError()) }
          if deadline.offset <= state.offset { return .success(()) }
          state.sleepers[key] = Sleeper(deadline: deadline.offset, continuation: continuation)
          satisfied = state.satisfiedWatchers()
          return nil
        }
        if let outcome { continuation.resume(with: outcome) }
        for watcher in satisfied { watcher.resume() }
      }
    } onCancel: {
      let sleeper = state.withLock { state -> Sleeper? in
        if let sleeper = state.sleepers.removeValue(forKey: key) { return sleeper }
        state.cancelled.insert(key)
        return nil
      }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
  }

  /// Moves the clock and wakes those whose time has come, the earliest first.
  public func advance(by duration: Swift.Duration) {
    let (due, watchers) = state.withLock { state -> ([Sleeper], [CheckedContinuation<Void, Never>]) in
      state.offset += duration
      let due = state.sleepers.filter { $0.value.deadline <= state.offset }
      for key in due.keys { state.sleepers[key] = nil }
      return (due.values.sorted { $0.deadline < $1.deadline }, state.satisfiedWatchers())
    }
    for sleeper in due { sleeper.continuation.resume() }
    for watcher in watchers { watcher.resume() }
  }

  /// Moves the clock to the next sleeper's time.
  /// - Returns: False where nobody sleeps.
  @discardableResult
  public func advanceToNext() -> Bool {
    let next = state.withLock { state in state.sleepers.values.map(\.deadline).min().map { $0 - state.offset } }
    guard let next else { return false }
    advance(by: next)
    return true
  }

  /// Waits until somebody sleeps who is to be woken in exactly `duration` from now; nothing means any sleeper.
  public func untilSomebodySleeps(for duration: Swift.Duration? = nil) async {
    await withCheckedContinuation { continuation in
      let isSatisfied = state.withLock { state -> Bool in
        if state.hasSleeper(for: duration) { return true }
        state.watchers.append(Watcher(duration: duration, continuation: continuation))
        return false
      }
      if isSatisfied { continuation.resume() }
    }
  }

  /// Runs `body` with the clock moving on to the next sleeper whenever somebody sleeps: time passes at once.
  ///
  /// For code with one sleeper at a time; others would be woken early by the machine's speed.
  public func racing<Value: Sendable>(_ body: @Sendable () async throws -> Value) async rethrows -> Value {
    let pace = Task {
      while !Task.isCancelled {
        advanceToNext()
        await Task.yield()
      }
    }
    defer { pace.cancel() }
    return try await body()
  }
}
