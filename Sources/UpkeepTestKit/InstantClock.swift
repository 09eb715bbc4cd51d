import Synchronization

/// A clock on which every sleep is over at once, and that remembers how long it was to be.
public final class InstantClock: Clock, Sendable {
  /// Those of the clock that stands still.
  public typealias Instant = ManualClock.Instant

  private let state = Mutex<(offset: Swift.Duration, sleeps: [Swift.Duration])>((.zero, []))

  /// Creates a clock at zero.
  public init() {}

  /// Zero, and all sleeps so far.
  public var now: Instant { Instant(offset: state.withLock { $0.offset }) }
  /// A nanosecond.
  public var minimumResolution: Swift.Duration { .nanoseconds(1) }
  /// How long each sleep was to be.
  public var sleeps: [Swift.Duration] { state.withLock { $0.sleeps } }

  /// Moves the clock on, and waits for nothing.
  public func sleep(until deadline: Instant, tolerance: Swift.Duration?) async throws {
    try Task.checkCancellation()
    state.withLock { state in
      state.sleeps.append(deadline.offset - state.offset)
      state.offset = max(state.offset, deadline.offset)
    }
    await Task.yield()
  }
}
