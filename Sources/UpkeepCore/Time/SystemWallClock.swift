import Foundation

/// The machine's clock: the one place that asks the system what time it is.
public struct SystemWallClock: WallClock {
  /// Creates a clock.
  public init() {}

  /// The present instant, to the microsecond.
  public func now() -> Timestamp {
    Timestamp(microseconds: Int64((Date().timeIntervalSince1970 * 1_000_000).rounded()))
  }
}
