import Synchronization

/// The machine's clock, which does something at certain looks: a way to do what somebody else does between the batches
/// of a purge on a server. Every sleep is over at once.
final class LookClock: Clock, Sendable {
  typealias Instant = ContinuousClock.Instant

  private let looks = Mutex(0)
  private let work: @Sendable (Int) throws -> Void
  private let failure = Mutex<(any Error)?>(nil)

  /// Creates a clock; `work` is told the number of each look, from 1.
  init(_ work: @escaping @Sendable (Int) throws -> Void) {
    self.work = work
  }

  /// What went wrong in the work.
  var error: (any Error)? { failure.withLock { $0 } }

  var now: Instant {
    let number = looks.withLock { looks in
      looks += 1
      return looks
    }
    do { try work(number) } catch { failure.withLock { $0 = error } }
    return ContinuousClock().now
  }

  var minimumResolution: Duration { ContinuousClock().minimumResolution }

  func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    try Task.checkCancellation()
    await Task.yield()
  }
}
