/// An instant in UTC, in whole microseconds since 1970-01-01T00:00:00Z.
///
/// Databases store microseconds and cutoffs compare strictly, so instants are integers here: a floating-point date
/// can't tell "exactly thirty days" from one microsecond more.
public struct Timestamp: Hashable, Comparable, Sendable {
  /// Microseconds since 1970-01-01T00:00:00Z; negative before it.
  public var microseconds: Int64

  /// Creates an instant from microseconds since 1970-01-01T00:00:00Z.
  public init(microseconds: Int64) {
    self.microseconds = microseconds
  }

  /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
  public var seconds: Int64 {
    let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
    return remainder < 0 ? quotient - 1 : quotient
  }

  /// The earlier of two instants comes first.
  public static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.microseconds < right.microseconds
  }

  /// The instant `duration` later; saturates instead of overflowing.
  public static func + (instant: Timestamp, duration: Duration) -> Timestamp {
    let (sum, overflow) = instant.microseconds.addingReportingOverflow(duration.microseconds)
    return Timestamp(microseconds: overflow ? (duration < .zero ? .min : .max) : sum)
  }

  /// The instant `duration` earlier; saturates instead of overflowing.
  public static func - (instant: Timestamp, duration: Duration) -> Timestamp {
    let (difference, overflow) = instant.microseconds.subtractingReportingOverflow(duration.microseconds)
    return Timestamp(microseconds: overflow ? (duration < .zero ? .max : .min) : difference)
  }

  /// The time from `earlier` to `later`; negative where they are the other way round.
  public static func - (later: Timestamp, earlier: Timestamp) -> Duration {
    let (difference, overflow) = later.microseconds.subtractingReportingOverflow(earlier.microseconds)
    return .microseconds(overflow ? (later < earlier ? .min : .max) : difference)
  }
}

extension Duration {
  /// Whole microseconds, truncated towards zero; saturates at the bounds of `Int64`.
  public var microseconds: Int64 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    let (sum, overflowed) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000_000)
    return overflow || overflowed ? (seconds < 0 ? .min : .max) : sum
  }

  /// Whole milliseconds, truncated towards zero.
  public var milliseconds: Int {
    Int(microseconds / 1000)
  }

  /// Seconds as a floating-point number, for rates and shares.
  public var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}
