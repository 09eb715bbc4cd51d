import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import UpkeepCore

/// Sends requests over HTTP/1.1 and HTTP/2, through AsyncHTTPClient.
///
/// Each request has a client of its own, which ends with it: requests are few, and nothing is left to be shut down.
public struct HTTPFetcher: Fetcher {
  private let clock: any Clock<Duration>

  /// Creates a fetcher.
  /// - Parameter clock: Measures the timeout.
  public init(clock: any Clock<Duration>) {
    self.clock = clock
  }

  /// Sends a request and waits for the whole answer.
  public func fetch(_ request: FetchRequest) async throws -> FetchResponse {
    guard let url = URL(string: request.url), url.scheme == "http" || url.scheme == "https", url.host?.isEmpty == false
    else {
      throw TaskError(
        code: "bad_url", place: request.label, problem: "expected an address such as http://127.0.0.1:8000/path",
        fix: "correct the address")
    }
    let clock = clock
    do {
      return try await withThrowingTaskGroup(of: FetchResponse.self) { group in
        group.addTask { try await Self.answer(to: request) }
        group.addTask {
          try await clock.sleep(for: request.timeout)
          throw TimeIsUp()
        }
        defer { group.cancelAll() }
        guard let response = try await group.next() else { throw CancellationError() }
        return response
      }
    } catch {
      throw Self.translated(error, request)
    }
  }

  private struct TimeIsUp: Error {}
  private struct TooLarge: Error {}

  private static func answer(to request: FetchRequest) async throws -> FetchResponse {
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow, decompression: .disabled)
    configuration.timeout = .init(connect: .nanoseconds(request.timeout.microseconds * 1000))
    configuration.connectionPool.retryConnectionEstablishment = false
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    do {
      let response = try await answer(to: request, client)
      try? await client.shutdown()
      return response
    } catch {
      try? await client.shutdown()
      throw error
    }
  }

  private static func answer(to request: FetchRequest, _ client: HTTPClient) async throws -> FetchResponse {
    var message = HTTPClientRequest(url: request.url)
    message.headers.add(name: "user-agent", value: "upkeep/\(Upkeep.version)")
    message.headers.add(name: "accept", value: "application/json")
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
    return FetchResponse(status: Int(response.status.code), body: body)
  }

  private static func translated(_ error: any Error, _ request: FetchRequest) -> any Error {
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
    return made("fetch_failed", reason(of: error), "check the address, and that its server runs")
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
