import AsyncHTTPClient
import NIOCore
import NIOPosix
import UpkeepCore

/// Sends requests over HTTP/1.1 and HTTP/2, through AsyncHTTPClient.
///
/// A single request has a client of its own, which ends with it: such requests are few, and nothing is left to be shut
/// down. Who has many keeps connections: see ``keepingConnections(_:)``.
public struct HTTPFetcher: Fetcher {
  private let clock: any Clock<Duration>
  private let proxies: ProxyRules

  /// Creates a fetcher.
  /// - Parameters:
  ///   - clock: Measures the timeout.
  ///   - environment: Says which proxies are used where connections are kept.
  public init(clock: any Clock<Duration>, environment: [String: String] = [:]) {
    self.clock = clock
    proxies = ProxyRules(environment: environment)
  }

  /// Sends a request and waits for the whole answer.
  public func fetch(_ request: FetchRequest) async throws -> FetchResponse {
    let exchange = HTTPExchange(request: request, clock: clock)
    _ = try exchange.url()
    return try await exchange.timed { try await Self.answer(to: request) }
  }

  /// Lets a closure send many requests over connections that are kept, compressed where the server can, through the
  /// proxies of the environment.
  public func keepingConnections<Value: Sendable>(
    _ body: @Sendable (any Fetcher) async throws -> Value
  ) async throws -> Value {
    let session = HTTPSession(clock: clock, proxies: proxies)
    do {
      let value = try await body(session)
      await session.close()
      return value
    } catch {
      await session.close()
      throw error
    }
  }

  private static func answer(to request: FetchRequest) async throws -> FetchResponse {
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow, decompression: .disabled)
    configuration.timeout = .init(connect: .nanoseconds(request.timeout.microseconds * 1000))
    configuration.connectionPool.retryConnectionEstablishment = false
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    do {
      let response = try await HTTPExchange.answer(to: request, client)
      try? await client.shutdown()
      return response
    } catch {
      try? await client.shutdown()
      throw error
    }
  }
}
