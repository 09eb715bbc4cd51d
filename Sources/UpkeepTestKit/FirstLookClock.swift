import Synchronization

/// The machine's clock, which does something when it is looked at for the first time: a way to do what somebody else does
/// in the middle of a run.
public final class FirstLookClock: Clock, Sendable {
  /// Those of the machine's clock.
  public typealias Instant = ContinuousClock.Instant

  private let hook: @Sendable () throws -> Void
  private let state = Mutex<(hasRun: Bool, error: (any Error)?)>((false, nil))

  /// Creates a clock; `hook` is called in the first look.
  public init(_ hook: @escaping @Sendable () throws -> Void) {
    self.hook = hook
  }

  /// What went wrong in the hook.
  public var error: (any Error)? { state.withLock { $0.error } }

  /// The present instant.
  public var now: Instant {
    let isFirst = state.withLock { state in
      defer { state.hasRun = true }
      return !state.hasRun
    }
    if isFirst {
      do { try hook() } catch { state.withLock { $0.error = error } }
    }
    return ContinuousClock().now
  }

  /// That of the machine's clock.
  public var minimumResolution: Duration { ContinuousClock().minimumResolution }

  /// Sleeps by the machine's clock.
  public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    try await ContinuousClock().sleep(until: deadline, tolerance: tolerance)
  }
}
