import Synchronization

/// A clock on which every sleep is over at once, and that calls a closure when it was looked at or slept on for the
/// n-th time: a way to stop a task in the middle that depends on no real time.
final class TripwireClock: Clock, Sendable {
  typealias Instant = ManualClock.Instant

  private struct State {
    var offset = Swift.Duration.zero
    var looks = 0
    var tripAt = Int.max
    var trip: (@Sendable () -> Void)?
    var hasTripped = false
  }

  private let state = Mutex(State())

  /// Whether the closure was called.
  var hasTripped: Bool { state.withLock { $0.hasTripped } }

  /// Calls `trip` at the `count`-th look.
  func arm(at count: Int, _ trip: @escaping @Sendable () -> Void) {
    state.withLock {
      $0.tripAt = count
      $0.trip = trip
    }
  }

  var now: Instant {
    // A millisecond passes with each look, so that nothing that waits for time to pass waits for ever.
    look(.milliseconds(1))
  }

  var minimumResolution: Swift.Duration { .milliseconds(1) }

  func sleep(until deadline: Instant, tolerance: Swift.Duration?) async throws {
    let present = state.withLock { $0.offset }
    _ = look(max(.zero, deadline.offset - present))
    try Task.checkCancellation()
    await Task.yield()
  }

  private func look(_ duration: Swift.Duration) -> Instant {
    let (instant, trip) = state.withLock { state -> (Instant, (@Sendable () -> Void)?) in
      state.offset += duration
      state.looks += 1
      guard state.looks == state.tripAt else { return (Instant(offset: state.offset), nil) }
      state.hasTripped = true
      return (Instant(offset: state.offset), state.trip)
    }
    trip?()
    return instant
  }
}
