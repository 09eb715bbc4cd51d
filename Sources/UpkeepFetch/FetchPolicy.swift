/// How a site is asked.
public struct FetchPolicy: Hashable, Sendable {
  /// How often a request is tried, where the network or the server fails.
  public var attempts: Int
  /// The wait before the second try; each further wait is twice as long. A part of up to a half is left out at random,
  /// so that many requests don't come back at once.
  public var backoff: Duration
  /// The longest of these waits.
  public var longestBackoff: Duration
  /// The least time between the starts of two requests.
  public var delay: Duration
  /// The longest time that a server may ask to wait for; beyond it the site is left alone until then.
  public var longestRetryAfter: Duration
  /// How many requests in a row may fail before the site is left alone.
  public var failuresToRest: Int
  /// How long it is left alone then.
  public var rest: Duration
  /// How long it is left alone once it has answered 403.
  public var restWhenRefused: Duration

  /// Creates a policy.
  public init(
    attempts: Int = 3, backoff: Duration = .milliseconds(500), longestBackoff: Duration = .seconds(10),
    delay: Duration = .zero, longestRetryAfter: Duration = .seconds(60), failuresToRest: Int = 10,
    rest: Duration = .seconds(60), restWhenRefused: Duration = .seconds(240)
  ) {
    self.attempts = max(1, attempts)
    self.backoff = backoff
    self.longestBackoff = longestBackoff
    self.delay = delay
    self.longestRetryAfter = longestRetryAfter
    self.failuresToRest = max(1, failuresToRest)
    self.rest = rest
    self.restWhenRefused = restWhenRefused
  }

  /// The wait after a failed try.
  /// - Parameters:
  ///   - attempt: The number of the try, from 1.
  ///   - bits: Random bits.
  func wait(after attempt: Int, _ bits: UInt64) -> Duration {
    let full = min(longestBackoff, backoff * (1 << min(attempt - 1, 20)))
    return full / 2 + full / 2 * Int(bits % 1024) / 1024
  }
}
