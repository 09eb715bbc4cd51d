import Synchronization
import UpkeepCore

/// A wall clock on which a second passes with each look.
final class TickingWallClock: WallClock {
  private let next: Mutex<Timestamp>

  init(start: Timestamp) {
    next = Mutex(start)
  }

  func now() -> Timestamp {
    next.withLock { next in
      defer { next = next + .seconds(1) }
      return next
    }
  }
}
