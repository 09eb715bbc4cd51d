import Synchronization
import Testing
import UpkeepCore
import UpkeepFetch
import UpkeepTestKit

/// How a site is asked again, at a distance, or not at all. No time passes.
@Suite struct PoliteFetcherTests {
  /// Answers in the given order; the last one again and again.
  private final class Script: Fetcher {
    private let answers: Mutex<[Result<FetchResponse, TaskError>]>
    private let count = Mutex(0)

    init(_ answers: [Result<FetchResponse, TaskError>]) {
      self.answers = Mutex(answers)
    }

    var requests: Int { count.withLock { $0 } }

    func fetch(_ request: FetchRequest) async throws -> FetchResponse {
      count.withLock { $0 += 1 }
      return try answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }.get()
    }
  }

  private static func status(_ status: Int, retryAfter: String? = nil) -> Result<FetchResponse, TaskError> {
    var response = FetchResponse(status: status, body: [])
    response.retryAfter = retryAfter
    return .success(response)
  }

  private static func failure(_ code: String) -> Result<FetchResponse, TaskError> {
    .failure(TaskError(code: code, place: "GET http://a/", problem: "it failed", fix: "mend it"))
  }

  private static let request = FetchRequest("http://127.0.0.1/a")

  /// A fetcher for a script, and the clock that its waits are on.
  private func polite(
    _ script: Script, _ policy: FetchPolicy = FetchPolicy(), board: CircuitBoard = CircuitBoard(),
    now: Timestamp = ManualWallClock.noon
  ) -> (PoliteFetcher, InstantClock) {
    let clock = InstantClock()
    let context = TaskContext.test(now: now, clock: clock, wallClock: ManualWallClock(start: now))
    return (PoliteFetcher(script, site: "a", policy, board: board, in: context), clock)
  }

  private func code(_ body: () async throws -> FetchResponse) async -> String? {
    do {
      return "\(try await body().status)"
    } catch {
      return (error as? TaskError)?.code
    }
  }

  @Test(arguments: [200, 204, 301, 400, 404, 410, 422])
  func takesAnyOtherAnswerAtOnce(status: Int) async throws {
    let script = Script([Self.status(status)])
    #expect(try await polite(script).0.fetch(Self.request).status == status)
    #expect(script.requests == 1)
  }

  @Test(arguments: [429, 500, 502, 503, 599])
  func triesAgainWhereTheServerIsUnwell(status: Int) async throws {
    let script = Script([Self.status(status), Self.status(status), Self.status(200)])
    let (fetcher, clock) = polite(script)
    #expect(try await fetcher.fetch(Self.request).status == 200)
    #expect(script.requests == 3)
    // Half a second, then a second, of each up to a half left out.
    #expect(clock.sleeps.count == 2)
    #expect(zip(clock.sleeps, [0.5, 1.0]).allSatisfy { ($1 / 2...$1).contains($0.inSeconds) })
    #expect(clock.sleeps[0].inSeconds != 0.5)
  }

  @Test(arguments: ["fetch_failed", "fetch_timeout"])
  func triesAgainWhereTheNetworkFails(code: String) async throws {
    let script = Script([Self.failure(code), Self.status(200)])
    #expect(try await polite(script).0.fetch(Self.request).status == 200)
    #expect(script.requests == 2)
  }

  @Test(arguments: ["fetch_too_large", "bad_url", "fetch_redirect"])
  func asksOnceWhereAnotherTryWouldNotHelp(code: String) async {
    let script = Script([Self.failure(code)])
    #expect(await self.code { try await polite(script).0.fetch(Self.request) } == code)
    #expect(script.requests == 1)
  }

  @Test func givesUpAfterItsAttempts() async {
    let script = Script([Self.status(503)])
    #expect(
      await code { try await polite(script, FetchPolicy(attempts: 4)).0.fetch(Self.request) } == "fetch_status")
    #expect(script.requests == 4)
  }

  @Test(arguments: ["7", "Fri, 20 Nov 2026 12:00:07 GMT"])
  func waitsAsLongAsTheServerSays(value: String) async throws {
    let script = Script([Self.status(429, retryAfter: value), Self.status(200)])
    let (fetcher, clock) = polite(script)
    #expect(try await fetcher.fetch(Self.request).status == 200)
    #expect(clock.sleeps == [.seconds(7)])
  }

  @Test func leavesASiteAloneThatWantsAMuchLongerWait() async {
    let board = CircuitBoard()
    let script = Script([Self.status(429, retryAfter: "600")])
    let (fetcher, clock) = polite(script, board: board)
    #expect(await code { try await fetcher.fetch(Self.request) } == "fetch_status")
    #expect(clock.sleeps.isEmpty)
    #expect(await code { try await fetcher.fetch(Self.request) } == "circuit_open")
    #expect(script.requests == 1)
    let noon = ManualWallClock.noon
    #expect(board.rest(of: "a", at: noon + .seconds(599)) != nil)
    #expect(board.rest(of: "a", at: noon + .seconds(600)) == nil)
    #expect(board.rest(of: "b", at: noon) == nil)
  }

  @Test func leavesASiteAloneThatRefuses() async throws {
    let board = CircuitBoard()
    let script = Script([Self.status(403), Self.status(200)])
    #expect(await code { try await polite(script, board: board).0.fetch(Self.request) } == "fetch_refused")
    #expect(await code { try await polite(script, board: board).0.fetch(Self.request) } == "circuit_open")
    #expect(script.requests == 1)
    let later = ManualWallClock.noon + FetchPolicy().restWhenRefused
    #expect(try await polite(script, board: board, now: later).0.fetch(Self.request).status == 200)
  }

  @Test func leavesASiteAloneThatKeepsFailing() async throws {
    let board = CircuitBoard()
    let policy = FetchPolicy(attempts: 1, failuresToRest: 3)
    let script = Script(
      [500, 500, 200, 500, 500, 500].map { Self.status($0) } + [Self.status(500), Self.status(200)])
    let (fetcher, _) = polite(script, policy, board: board)
    var codes: [String?] = []
    for _ in 0..<7 { codes.append(await code { try await fetcher.fetch(Self.request) }) }
    #expect(
      codes == [
        "fetch_status", "fetch_status", "200", "fetch_status", "fetch_status", "fetch_status", "circuit_open",
      ])
    // After the rest one failure is enough, and a success ends it.
    let (second, _) = polite(script, policy, board: board, now: ManualWallClock.noon + .seconds(60))
    #expect(await code { try await second.fetch(Self.request) } == "fetch_status")
    #expect(await code { try await second.fetch(Self.request) } == "circuit_open")
    let (third, _) = polite(script, policy, board: board, now: ManualWallClock.noon + .seconds(120))
    #expect(await code { try await third.fetch(Self.request) } == "200")
  }

  @Test func keepsTheDistanceBetweenRequests() async throws {
    let script = Script([Self.status(200)])
    let (fetcher, clock) = polite(script, FetchPolicy(delay: .milliseconds(25)))
    for _ in 0..<4 { _ = try await fetcher.fetch(Self.request) }
    #expect(clock.sleeps == Array(repeating: .milliseconds(25), count: 3))
  }

  @Test func endsWithItsTask() async {
    let script = Script([Self.status(503)])
    let (fetcher, _) = polite(script, FetchPolicy(attempts: 1_000_000, failuresToRest: 1_000_000))
    let task = Task { try await fetcher.fetch(Self.request) }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func worksAtMostSoManyAtATime() async throws {
    let now = Mutex((running: 0, most: 0))
    var taken: [Int] = []
    try await ConcurrentWork.forEach(Array(0..<50), limit: 4) { number in
      now.withLock { now in
        now.running += 1
        now.most = max(now.most, now.running)
      }
      await Task.yield()
      now.withLock { $0.running -= 1 }
      return number
    } take: {
      taken.append($0)
    }
    #expect(taken.sorted() == Array(0..<50))
    #expect(now.withLock { $0.most } <= 4)
  }
}
