import Synchronization

/// The machine's clock, which remembers the longest sleep that it was asked for.
public final class SleepRecordingClock: Clock, Sendable {
  /// Those of the machine's clock.
  public typealias Instant = ContinuousClock.Instant

  private let slept = Mutex(Duration.zero)

  /// Creates a clock that nobody has slept by.
  public init() {}

  /// The longest sleep so far.
  public var longest: Duration { slept.withLock { $0 } }
  /// The present instant.
  public var now: Instant { ContinuousClock().now }
  /// That of the machine's clock.
  public var minimumResolution: Duration { ContinuousClock().minimumResolution }

  /// Sleeps by the machine's clock.
  public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    let length = now.duration(to: deadline)
    slept.withLock { $0 = max($0, length) }
    try await ContinuousClock().sleep(until: deadline, tolerance: tolerance)
  }
}
