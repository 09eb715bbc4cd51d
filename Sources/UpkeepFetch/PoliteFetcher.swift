import Synchronization
public import UpkeepCore

/// Asks one site politely: tries again where that may help and not before the server wants it, keeps a distance between
/// requests, and leaves the site alone when it refuses or keeps failing.
///
/// A network error, 429 and 5xx are tried again; every other answer, 404 among them, is the answer.
public final class PoliteFetcher: Fetcher {
  private let inner: any Fetcher
  private let site: String
  private let policy: FetchPolicy
  private let board: CircuitBoard
  private let clock: any Clock<Duration>
  private let wallClock: any WallClock
  private let random: any RandomSource
  private let elapsed: @Sendable () -> Duration
  private let pace = Mutex(Pace())

  /// Asks a site.
  ///
  /// - Parameters:
  ///   - inner: Sends the requests.
  ///   - site: What the site is called on the board.
  ///   - policy: How it is asked.
  ///   - board: Where it is noted that a site is left alone.
  ///   - context: Has the clocks and the random numbers.
  public init(
    _ inner: any Fetcher, site: String, _ policy: FetchPolicy, board: CircuitBoard, in context: TaskContext
  ) {
    self.inner = inner
    self.site = site
    self.policy = policy
    self.board = board
    clock = context.clock
    wallClock = context.wallClock
    random = context.random
    elapsed = context.clock.stopwatch()
  }

  /// Sends a request until it has an answer.
  ///
  /// - Throws: As ``Fetcher/fetch(_:)``; further `fetch_status` for 403, and for 429 and 5xx after the last try; and
  ///   `circuit_open` where the site is left alone, without asking it.
  public func fetch(_ request: FetchRequest) async throws -> FetchResponse {
    var attempt = 0
    while true {
      attempt += 1
      try checkCircuit(request)
      try await waitForTurn()
      let failure: TaskError
      var wish: Duration?
      do {
        let response = try await inner.fetch(request)
        guard let problem = try judged(response, request) else { return response }
        (failure, wish) = problem
      } catch let error as TaskError where ["fetch_failed", "fetch_timeout"].contains(error.code) {
        failure = error
      }
      guard attempt < policy.attempts else {
        board.update(site) { $0.failed(failure.problem, at: wallClock.now(), policy) }
        throw failure
      }
      if let wish { hold(for: wish) } else { try await sleep(policy.wait(after: attempt, random.next())) }
    }
  }

  /// Keeps connections where the inner fetcher does; the closure asks it politely, too.
  public func keepingConnections<Value: Sendable>(
    _ body: @Sendable (any Fetcher) async throws -> Value
  ) async throws -> Value {
    try await body(self)
  }

  /// What is wrong with an answer, and how long the server wants to be left alone; nothing where it is an answer.
  /// - Throws: What another try wouldn't mend.
  private func judged(
    _ response: FetchResponse, _ request: FetchRequest
  ) throws -> (error: TaskError, wish: Duration?)? {
    let status = response.status
    func failure(_ more: String = "") -> TaskError {
      TaskError(
        code: "fetch_status", place: request.label, problem: "expected status 200, found \(status)\(more)",
        fix: "check the address, and that its server is well")
    }
    guard status == 403 || status == 429 || (500...599).contains(status) else {
      board.update(site) { $0.succeeded() }
      return nil
    }
    let now = wallClock.now()
    if status == 403 {
      board.update(site) { $0.open("it answered 403, refused", until: now + policy.restWhenRefused) }
      throw TaskError(
        code: "fetch_refused", place: request.label, problem: "it answered 403, refused",
        fix: "ask less often (concurrency, delay), or with the headers that it wants")
    }
    let wish = response.retryAfter.flatMap { RetryAfter($0, now: now)?.duration }
    guard let wish else { return (failure(), nil) }
    guard wish <= policy.longestRetryAfter else {
      let text = "it answered \(status) and wants to be left alone for \(wish.durationText)"
      board.update(site) { $0.open(text, until: now + wish) }
      throw failure(", and it wants to be left alone for \(wish.durationText)")
    }
    return (failure(), wish)
  }

  private func checkCircuit(_ request: FetchRequest) throws {
    guard let rest = board.rest(of: site, at: wallClock.now()) else { return }
    throw TaskError(
      code: "circuit_open", place: request.label,
      problem: "\(site) is left alone until \(rest.until.rfc3339): \(rest.reason)", fix: "it is asked again after that")
  }

  /// When the next request may start, since the beginning.
  private struct Pace {
    var next = Duration.zero
  }

  private func hold(for wish: Duration) {
    let until = elapsed() + wish
    pace.withLock { $0.next = max($0.next, until) }
  }

  private func waitForTurn() async throws {
    while true {
      let now = elapsed()
      let wait = pace.withLock { pace -> Duration in
        guard pace.next <= now else {
          // With a delay each takes the next place in the line; a server's wish holds everybody.
          guard policy.delay > .zero else { return pace.next - now }
          defer { pace.next += policy.delay }
          return pace.next - now
        }
        pace.next = now + policy.delay
        return .zero
      }
      try await sleep(wait)
      if policy.delay > .zero || wait == .zero { return }
    }
  }

  private func sleep(_ duration: Duration) async throws {
    try Task.checkCancellation()
    guard duration > .zero else { return }
    try await clock.sleep(for: duration)
  }
}

/// The value of a Retry-After field: seconds, or a date.
struct RetryAfter {
  let duration: Duration

  init?(_ text: String, now: Timestamp) {
    if let seconds = Int(text.trimmingWhitespace), seconds >= 0, seconds < 1 << 40 {
      duration = .seconds(seconds)
      return
    }
    // Fri, 20 Nov 2026 12:00:00 GMT
    let parts = text.split(whereSeparator: { $0 == " " || $0 == "," || $0 == ":" }).map(String.init)
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard parts.count == 8, let day = Int(parts[1]), let month = months.firstIndex(of: parts[2]),
      let year = Int(parts[3]), let hour = Int(parts[4]), let minute = Int(parts[5]), let second = Int(parts[6]),
      (1...31).contains(day), (1970...9999).contains(year), (0...23).contains(hour), (0...59).contains(minute),
      (0...60).contains(second)
    else { return nil }
    let civil = CivilTime(year: year, month: month + 1, day: day, hour: hour, minute: minute, second: second)
    duration = max(.zero, Timestamp(civil) - now)
  }
}

extension String {
  fileprivate var trimmingWhitespace: Substring {
    drop { $0 == " " }.prefix { $0 != " " }
  }
}
