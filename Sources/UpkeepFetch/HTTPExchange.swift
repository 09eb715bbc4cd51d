import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import UpkeepCore

/// One request and its whole answer, by a client of AsyncHTTPClient.
struct HTTPExchange {
  let request: FetchRequest
  let clock: any Clock<Duration>

  private struct TimeIsUp: Error {}
  private struct TooLarge: Error {}

  /// Checks the address.
  func url() throws -> URL {
    guard let url = URL(string: request.url), url.scheme == "http" || url.scheme == "https", url.host?.isEmpty == false
    else {
      throw TaskError(
        code: "bad_url", place: request.label, problem: "expected an address such as http://127.0.0.1:8000/path",
        fix: "correct the address")
    }
    return url
  }

  /// Sends the request within its time, by a client that the closure has.
  func timed(_ send: @escaping @Sendable () async throws -> FetchResponse) async throws -> FetchResponse {
    let (clock, timeout) = (clock, request.timeout)
    do {
      return try await withThrowingTaskGroup(of: FetchResponse.self) { group in
        group.addTask { try await send() }
        group.addTask {
          try await clock.sleep(for: timeout)
          throw TimeIsUp()
        }
        defer { group.cancelAll() }
        guard let response = try await group.next() else { throw CancellationError() }
        return response
      }
    } catch {
      throw translated(error)
    }
  }

  /// Sends the request, and reads the answer up to its limit.
  static func answer(
    to request: FetchRequest, _ client: HTTPClient, takesGzip: Bool = false
  ) async throws -> FetchResponse {
    var message = HTTPClientRequest(url: request.url)
    message.headers.add(name: "user-agent", value: "upkeep/\(Upkeep.version)")
    message.headers.add(name: "accept", value: "application/json")
    if takesGzip { message.headers.add(name: "accept-encoding", value: "gzip, deflate") }
    if case .postJSON(let body) = request.method {
      message.method = .POST
      message.headers.add(name: "content-type", value: "application/json")
      message.body = .bytes(body)
    }
    for (name, value) in request.headers { message.headers.replaceOrAdd(name: name, value: value) }
    let response = try await client.execute(
      message, timeout: .nanoseconds(request.timeout.microseconds * 1000))
    var body: [UInt8] = []
    for try await part in response.body {
      guard body.count + part.readableBytes <= request.maxBytes else { throw TooLarge() }
      body.append(contentsOf: part.readableBytesView)
    }
    var answer = FetchResponse(status: Int(response.status.code), body: body)
    answer.retryAfter = response.headers.first(name: "retry-after")
    answer.location = response.headers.first(name: "location")
    return answer
  }

  private func translated(_ error: any Error) -> any Error {
    func made(_ code: String, _ problem: String, _ fix: String) -> TaskError {
      TaskError(code: code, place: request.label, problem: problem, fix: fix)
    }
    if Task.isCancelled || error is CancellationError { return CancellationError() }
    if error is TooLarge {
      return made(
        "fetch_too_large", "the answer is longer than \(request.maxBytes) bytes", "check the address, and what it gives"
      )
    }
    let timeouts: [HTTPClientError] = [.deadlineExceeded, .connectTimeout, .readTimeout]
    if error is TimeIsUp || timeouts.contains(where: { $0 == error as? HTTPClientError }) {
      return made(
        "fetch_timeout", "no whole answer within \(request.timeout.durationText)",
        "check that its server is well, or allow more time")
    }
    if let error = error as? TaskError { return error }
    return made("fetch_failed", Self.reason(of: error), "check the address, and that its server runs")
  }

  private static func reason(of error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError:
      return error.connectionErrors.first.map { reason(of: $0.error) } ?? "the host \(error.host) has no address"
    case let error as IOError where error.errnoCode == ECONNREFUSED:
      return "the connection was refused"
    case let error as IOError:
      return "the connection failed: \(String(cString: strerror(error.errnoCode)))"
    case let error as HTTPClientError:
      return "no whole answer: \(error.shortDescription)"
    default:
      return "no whole answer: \(error)"
    }
  }
}
