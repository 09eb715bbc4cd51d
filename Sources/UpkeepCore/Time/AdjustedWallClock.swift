import Synchronization

/// The machine's time of day, corrected by what a server says that several machines share.
public final class AdjustedWallClock: WallClock {
  /// How far the two may differ before it counts: less than that an answer may be on its way.
  private static let tolerance = Duration.milliseconds(500)

  private let base: any WallClock
  private let offset = Mutex(Duration.zero)

  /// Shows what another clock shows, until it is adjusted.
  public init(_ base: any WallClock) {
    self.base = base
  }

  /// The corrected time.
  public func now() -> Timestamp {
    base.now() + offset.withLock { $0 }
  }

  /// Takes over what the server's clock showed a moment ago.
  public func adjust(to time: Timestamp) {
    let difference = time - base.now()
    offset.withLock { offset in
      let step = difference - offset
      if step > Self.tolerance || step < .zero - Self.tolerance { offset = difference }
    }
  }
}
