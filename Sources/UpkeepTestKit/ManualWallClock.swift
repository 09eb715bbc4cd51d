import Synchronization
public import UpkeepCore

/// A time of day that goes with a ``ManualClock``, and that a test can set.
public final class ManualWallClock: WallClock {
  private let clock: ManualClock
  private let start: Mutex<Timestamp>

  /// Creates a clock that shows `start` when `clock` is at zero.
  public init(_ clock: ManualClock = ManualClock(), start: Timestamp = ManualWallClock.noon) {
    self.clock = clock
    self.start = Mutex(start)
  }

  /// 2026-11-20T12:00:00Z
  public static let noon = Timestamp(CivilTime(year: 2026, month: 11, day: 20, hour: 12))

  /// The present instant.
  public func now() -> Timestamp {
    start.withLock { $0 + clock.now.offset }
  }

  /// Sets the time, as somebody would by hand.
  public func set(_ instant: Timestamp) {
    start.withLock { $0 = instant - clock.now.offset }
  }
}
