import Synchronization
public import UpkeepCore

/// Which sites are left alone for a while, since they refused or kept failing.
public final class CircuitBoard: Sendable {
  private let circuits = Mutex<[String: Circuit]>([:])

  /// Creates a board on which every circuit is closed.
  public init() {}

  /// Why a site is left alone, and until when; nothing where it may be asked.
  public func rest(of site: String, at now: Timestamp) -> (reason: String, until: Timestamp)? {
    circuits.withLock { $0[site]?.rest(at: now) }
  }

  func update(_ site: String, _ change: (inout Circuit) -> Void) {
    circuits.withLock { change(&$0[site, default: Circuit()]) }
  }
}

/// What is known of a site: how often it failed in a row, and whether it is left alone.
struct Circuit {
  private var failures = 0
  private var reason = ""
  private var until: Timestamp?

  func rest(at now: Timestamp) -> (reason: String, until: Timestamp)? {
    guard let until, now < until else { return nil }
    return (reason, until)
  }

  mutating func open(_ reason: String, until: Timestamp) {
    guard self.until.map({ $0 < until }) ?? true else { return }
    self.reason = reason
    self.until = until
  }

  mutating func succeeded() {
    failures = 0
  }

  /// Notes a failure. One failure after a rest is enough for the next rest.
  mutating func failed(_ problem: String, at now: Timestamp, _ policy: FetchPolicy) {
    failures += 1
    guard failures >= policy.failuresToRest else { return }
    failures = policy.failuresToRest - 1
    open("\(policy.failuresToRest) requests in a row failed, the last: \(problem)", until: now + policy.rest)
  }
}
