import Synchronization

/// How long a run's right to work still holds, where that ends unless it is renewed: on a store that several hosts share.
///
/// A process that was stopped for a while asks it before each commit. It measures by the machine's own clock, which goes
/// on meanwhile, from the last renewal.
public final class LeaseWatch: Sendable {
  private let timeToLive: Duration
  private let sinceRenewal: Mutex<@Sendable () -> Duration>

  /// Begins with a lease that was granted just now.
  /// - Parameter timeToLive: How long after a renewal nobody else gets the right.
  public init(clock: any Clock<Duration>, timeToLive: Duration) {
    self.timeToLive = timeToLive
    sinceRenewal = Mutex(clock.stopwatch())
  }

  /// The lease was renewed.
  /// - Parameter sinceAsked: The time since before that was asked for.
  public func renewed(_ sinceAsked: @escaping @Sendable () -> Duration) {
    sinceRenewal.withLock { $0 = sinceAsked }
  }

  /// Whether the right still holds.
  /// - Throws: ``TaskError`` with code `lease_lapsed` where somebody else may have it by now.
  public func check() throws {
    let silence = sinceRenewal.withLock { $0 }()
    guard silence >= timeToLive else { return }
    throw TaskError(
      code: "lease_lapsed", place: "this run",
      problem:
        "its right to work wasn't renewed for \(silence.durationText), so that another host may have it; the last "
        + "transaction was undone",
      fix: "see whether this machine was suspended or the state store out of reach; what is left goes next time")
  }
}
