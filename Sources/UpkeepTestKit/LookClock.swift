import Synchronization

/// The machine's clock, which does something at certain looks: a way to do what somebody else does between the batches
/// of a purge on a server. Every sleep is over at once.
public final class LookClock: Clock, Sendable {
  /// Those of the machine's clock.
  public typealias Instant = ContinuousClock.Instant

  private let looks = Mutex(0)
  private let step: Duration
  private let work: @Sendable (Int) throws -> Void
  private let failure = Mutex<(any Error)?>(nil)

  /// Creates a clock; `work` is told the number of each look, from 1.
  /// - Parameter step: How much more than the machine's time passes with each look.
  public init(passing step: Duration = .zero, _ work: @escaping @Sendable (Int) throws -> Void) {
    self.step = step
    self.work = work
  }

  /// What went wrong in the work.
  public var error: (any Error)? { failure.withLock { $0 } }

  /// The present instant.
  public var now: Instant {
    let number = looks.withLock { looks in
      looks += 1
      return looks
    }
    do { try work(number) } catch { failure.withLock { $0 = error } }
    return ContinuousClock().now + step * number
  }

  /// That of the machine's clock.
  public var minimumResolution: Duration { ContinuousClock().minimumResolution }

  /// Is over at once.
  public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    try Task.checkCancellation()
    await Task.yield()
  }
}
