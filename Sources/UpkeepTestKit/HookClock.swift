import Synchronization

/// A clock on which ten microseconds pass with each look and every sleep is over at once; the first sleep may do something.
///
/// A purge sleeps after its first batch: that is the moment for a test to change what a later batch will find.
public final class HookClock: Clock, Sendable {
  /// An instant of the clock.
  public typealias Instant = ManualClock.Instant

  private let start = ManualClock().now
  private let state = Mutex(Swift.Duration.zero)
  private let hook: Mutex<(@Sendable () async throws -> Void)?>
  /// Whether the first sleep does something.
  public let hasHook: Bool

  /// Creates a clock.
  /// - Parameter hook: What the first sleep does.
  public init(_ hook: (@Sendable () async throws -> Void)? = nil) {
    self.hook = Mutex(hook)
    hasHook = hook != nil
  }

  /// A millisecond.
  public var minimumResolution: Swift.Duration { .milliseconds(1) }

  /// Ten microseconds later than at the last look.
  public var now: Instant {
    state.withLock { offset in
      offset += .microseconds(10)
      return start.advanced(by: offset)
    }
  }

  /// Is over at once.
  public func sleep(until deadline: Instant, tolerance: Swift.Duration?) async throws {
    state.withLock { $0 = max($0, deadline.offset) }
    let work = hook.withLock { hook in
      defer { hook = nil }
      return hook
    }
    try await work?()
    try Task.checkCancellation()
  }
}
