/// Tells the time of day. The one place where a run's "now" comes from, so that tests can say what it is.
public protocol WallClock: Sendable {
  /// The present instant.
  func now() -> Timestamp
}

/// A source of random numbers for identifiers and jitter.
public protocol RandomSource: Sendable {
  /// The next 64 random bits.
  func next() -> UInt64
}

/// The system's random numbers.
public struct SystemRandomSource: RandomSource {
  /// Creates a source.
  public init() {}

  /// 64 bits from the system's generator.
  public func next() -> UInt64 {
    var generator = SystemRandomNumberGenerator()
    return generator.next()
  }
}
