import UpkeepCore

/// All routes behind the rules of access: a function from requests to answers, without a socket.
public struct Site: Sendable {
  /// The routes, in the order of the documentation.
  public let routes: [Route]
  private let rules: AccessRules
  private let index: [Int: [Route]]

  /// Creates a site.
  public init(_ parts: SiteParts, rules: AccessRules) {
    self.init(
      routes: HealthRoutes(parts).routes + TaskRoutes(parts).routes + RunRoutes(parts).routes
        + PauseRoutes(parts).routes + ConfigurationRoutes(parts).routes + MetricsRoutes(parts).routes
        + Compatibility(parts).routes, rules: rules)
  }

  init(routes: [Route], rules: AccessRules) {
    self.routes = routes
    self.rules = rules
    index = Dictionary(grouping: routes) { $0.template.count { $0 == "/" } }
  }

  /// Answers a request. It never throws: what goes wrong is an answer too.
  public func respond(to request: WebRequest) async -> WebResponse {
    var response: WebResponse
    do {
      if let problem = rules.problem(request) { throw problem }
      response = try await route(request)
    } catch {
      response = Problem(error).response
    }
    if request.method == "HEAD" { response.body = [] }
    if let origin = rules.allowedOrigin(request) {
      response.headers += [("Access-Control-Allow-Origin", origin), ("Vary", "Origin")]
    }
    return response
  }

  private func route(_ request: WebRequest) async throws -> WebResponse {
    let found = (index[request.path.count] ?? []).compactMap { route in route.match(request.path).map { (route, $0) } }
    guard !found.isEmpty else {
      throw Problem(404, "not_found", "there is nothing at /\(request.path.joined(separator: "/"))")
    }
    let method = request.method == "HEAD" ? "GET" : request.method
    if let (route, values) = found.first(where: { $0.0.method == method }) {
      return try await route.handle(RoutedRequest(request, values))
    }
    let methods = found.map(\.0.method)
    let allowed = (methods + (methods.contains("GET") ? ["HEAD"] : []) + ["OPTIONS"]).sorted().joined(separator: ", ")
    if method == "OPTIONS" {
      // What a browser asks before it lets a page of another origin in.
      let grants =
        rules.allowedOrigin(request) == nil
        ? []
        : [("Access-Control-Allow-Methods", allowed), ("Access-Control-Allow-Headers", "Content-Type, Authorization")]
      return WebResponse(status: 204, headers: [("Allow", allowed)] + grants)
    }
    throw Problem(405, "method_not_allowed", "expected \(allowed), found \(method)", headers: ["Allow": allowed])
  }
}
