import Testing
import UpkeepCore
import UpkeepFetch
import UpkeepTestKit

/// Requests to real sockets on the loopback interface.
struct HTTPFetcherTests {
  private let fetcher = HTTPFetcher(clock: ContinuousClock())

  /// The error of a request that must fail.
  private func failure(_ request: FetchRequest, isSuccess: Bool = false) async -> TaskError? {
    do {
      _ = try await isSuccess ? fetcher.fetchSuccess(request) : fetcher.fetch(request)
    } catch {
      return error as? TaskError
    }
    return nil
  }

  @Test func readsTheWholeAnswer() async throws {
    let server = try StubServer.json(#"{"jobs":[]}"#)
    let response = try await fetcher.fetchSuccess(FetchRequest(server.url("/api/jobs/active")))
    #expect(response.status == 200)
    #expect(String(decoding: response.body, as: UTF8.self) == #"{"jobs":[]}"#)
    let request = try #require(server.requests.first)
    #expect(request.hasPrefix("GET /api/jobs/active HTTP/1.1\r\n"))
    #expect(request.lowercased().contains("\r\nuser-agent: upkeep/\(Upkeep.version)\r\n"))
  }

  @Test func handsOverJSONWithFurtherHeaders() async throws {
    let server = try StubServer.json("{}", status: "202 Accepted")
    let request = FetchRequest(
      server.url("/hook"), .postJSON(Array(#"{"status":"failed"}"#.utf8)), headers: ["X-Token": "t"])
    #expect(try await fetcher.fetchSuccess(request).status == 202)
    let sent = try #require(server.requests.first)
    #expect(sent.hasPrefix("POST /hook HTTP/1.1\r\n"))
    #expect(sent.hasSuffix("\r\n\r\n" + #"{"status":"failed"}"#))
    #expect(sent.lowercased().contains("\r\ncontent-type: application/json\r\n"))
    #expect(sent.lowercased().contains("\r\nx-token: t\r\n"))
  }

  @Test(arguments: ["404 Not Found", "302 Found\r\nLocation: http://127.0.0.1:9/", "500 Internal Server Error"])
  func givesAnyStatusAndRefusesAllButSuccess(status: String) async throws {
    let server = try StubServer.json("no", status: status)
    let request = FetchRequest(server.url())
    let code = try #require(Int(status.prefix(3)))
    #expect(try await fetcher.fetch(request) == FetchResponse(status: code, body: Array("no".utf8)))
    let error = await failure(request, isSuccess: true)
    #expect(error?.code == "fetch_status")
    #expect(error?.place == "GET \(server.url())")
    #expect(error?.problem == "expected status 200, found \(code)")
  }

  @Test func saysThatAConnectionWasRefused() async throws {
    let server = try StubServer.json("{}")
    server.stop()
    let error = await failure(FetchRequest(server.url("/a")))
    #expect(
      error?.description
        == "GET \(server.url("/a")): the connection was refused; check the address, and that its server runs")
  }

  @Test(arguments: ["", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"])
  func givesUpWhenTheTimeIsUp(answer: String) async throws {
    let server = try StubServer(.stalls(answer))
    let error = await failure(FetchRequest(server.url(), timeout: .milliseconds(50)))
    #expect(error?.code == "fetch_timeout")
    #expect(error?.problem == "no whole answer within 50ms")
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    "nonsense\r\n\r\n", "",
  ])
  func refusesAnAnswerThatBreaksOff(answer: String) async throws {
    let server = try StubServer(.bytes(answer))
    #expect(await failure(FetchRequest(server.url()))?.code == "fetch_failed")
  }

  @Test func takesAnAnswerOfTheLimitAndNoByteMore() async throws {
    let server = try StubServer.json(String(repeating: "x", count: 1000))
    let whole = try await fetcher.fetch(FetchRequest(server.url(), maxBytes: 1000))
    #expect(whole.body.count == 1000)
    let error = await failure(FetchRequest(server.url(), maxBytes: 999))
    #expect(error?.code == "fetch_too_large")
    #expect(error?.problem == "the answer is longer than 999 bytes")
  }

  @Test(arguments: ["", "127.0.0.1:80", "ftp://127.0.0.1/", "http://", "http:///path", "file:///etc/passwd"])
  func refusesWhatIsNoAddress(url: String) async {
    #expect(await failure(FetchRequest(url))?.code == "bad_url")
  }

  @Test func hidesThePasswordOfAnAddress() {
    #expect(FetchRequest("http://me:secret@127.0.0.1/a").label == "GET http://me:***@127.0.0.1/a")
  }

  @Test func endsWithItsTask() async throws {
    let server = try StubServer(.stalls(""))
    let request = FetchRequest(server.url(), timeout: .seconds(600))
    let task = Task { try await fetcher.fetch(request) }
    while server.requests.isEmpty { await Task.yield() }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }
}
