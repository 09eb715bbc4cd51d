/// A clock that sleeps in pieces.
///
/// Swift keeps a sleep that is cancelled until it would have ended. A process that runs a task a second, each with a
/// timeout of an hour, would hold on to something of thousands of runs; in pieces it is of those of the last seconds.
public struct SlicedClock<Base: Clock>: Clock where Base.Duration == Duration {
  /// Those of the clock below.
  public typealias Instant = Base.Instant

  private let base: Base
  private let longest: Duration

  /// Creates a clock on another one.
  ///
  /// - Parameters:
  ///   - base: The clock that measures.
  ///   - longest: The longest piece.
  public init(_ base: Base, longest: Duration = .seconds(15)) {
    self.base = base
    self.longest = longest
  }

  /// The present instant.
  public var now: Instant { base.now }
  /// That of the clock below.
  public var minimumResolution: Duration { base.minimumResolution }

  /// Sleeps until an instant.
  ///
  /// - Throws: `CancellationError` where it is cancelled before.
  public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    while base.now.advanced(by: longest) < deadline {
      try await base.sleep(until: base.now.advanced(by: longest), tolerance: tolerance)
    }
    try await base.sleep(until: deadline, tolerance: tolerance)
  }
}
