import AsyncHTTPClient
import Foundation
import NIOCore
import NIOPosix
import Synchronization
import UpkeepCore

/// Sends many requests over connections that are kept between them.
final class HTTPSession: Fetcher {
  /// The most connections to one server. What asks says how many requests it makes at a time; this is only a bound.
  private static let mostConnections = 256

  private let clock: any Clock<Duration>
  private let proxies: ProxyRules
  private let clients = Mutex<[Route: HTTPClient]>([:])

  /// Requests that differ in it need clients of their own.
  private struct Route: Hashable {
    var party: String
    var proxy: ProxyRules.Proxy?
    var takesGzip: Bool
  }

  init(clock: any Clock<Duration>, proxies: ProxyRules) {
    self.clock = clock
    self.proxies = proxies
  }

  /// Ends all connections.
  func close() async {
    let all = clients.withLock { clients in
      defer { clients = [:] }
      return Array(clients.values)
    }
    for client in all { try? await client.shutdown() }
  }

  func fetch(_ request: FetchRequest) async throws -> FetchResponse {
    var request = request
    var redirects = 0
    while true {
      let response = try await once(request)
      guard [301, 302, 303, 307, 308].contains(response.status), request.redirects > 0 else { return response }
      redirects += 1
      let next = try Self.target(of: response, request, isLast: redirects > request.redirects)
      if [301, 302, 303].contains(response.status) { request.method = .get }
      request.url = next
    }
  }

  private func once(_ request: FetchRequest) async throws -> FetchResponse {
    let exchange = HTTPExchange(request: request, clock: clock)
    let proxy = proxies.proxy(for: try exchange.url())
    return try await exchange.timed { [self] in
      do {
        return try await HTTPExchange.answer(
          to: request, client(Route(party: request.party, proxy: proxy, takesGzip: true)), takesGzip: true)
      } catch  where Self.isDecompression(error) {
        // An answer that compresses that well may be meant to fill memory, or just be repetitive: plain it has a limit.
        return try await HTTPExchange.answer(
          to: request, client(Route(party: request.party, proxy: proxy, takesGzip: false)))
      }
    }
  }

  /// The decompression has a module of its own, which isn't imported for the name of its error alone.
  private static func isDecompression(_ error: any Error) -> Bool {
    String(reflecting: type(of: error)).hasPrefix("NIOHTTPCompression.")
  }

  private func client(_ route: Route) -> HTTPClient {
    clients.withLock { clients in
      if let client = clients[route] { return client }
      // The shared configuration has a bound for what a compressed answer may grow to.
      var configuration = HTTPClient.Configuration(
        redirectConfiguration: .disallow,
        decompression: route.takesGzip ? HTTPClient.Configuration.singletonConfiguration.decompression : .disabled)
      configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.mostConnections
      configuration.connectionPool.retryConnectionEstablishment = false
      if let proxy = route.proxy {
        let user = proxy.user.map { HTTPClient.Authorization.basic(username: $0, password: proxy.password ?? "") }
        configuration.proxy = .server(host: proxy.host, port: proxy.port, authorization: user)
      }
      let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
      clients[route] = client
      return client
    }
  }

  /// Where an answer leads, if that is the same site.
  private static func target(
    of response: FetchResponse, _ request: FetchRequest, isLast: Bool
  ) throws -> String {
    func refused(_ problem: String) -> TaskError {
      TaskError(
        code: "fetch_redirect", place: request.label, problem: problem,
        fix: "check the address; where the site has moved, name its new address")
    }
    if isLast { throw refused("it leads from one place to the next, more than \(request.redirects) times") }
    guard let text = response.location, let from = URL(string: request.url),
      let to = URL(string: text, relativeTo: from)
    else { throw refused("status \(response.status) without a place to go to") }
    guard to.scheme == from.scheme, to.host?.lowercased() == from.host?.lowercased(), to.port == from.port else {
      throw refused("it leads to another site, \(Secret.masked(to.absoluteString))")
    }
    return to.absoluteString
  }
}
