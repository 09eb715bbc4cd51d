import UpkeepCore

/// All routes behind the rules of access: a function from requests to answers, without a socket.
public struct Site: Sendable {
  /// The routes, in the order of the documentation.
  public let routes: [Route]
  private let rules: AccessRules
  private let sessions: Sessions
  private let index: [Int: [Route]]

  /// Creates a site.
  public init(_ parts: SiteParts, rules: AccessRules) {
    let sessions = Sessions(wallClock: parts.wallClock, random: parts.random)
    let api =
      HealthRoutes(parts).routes + TaskRoutes(parts).routes + RunRoutes(parts).routes + EventRoutes(parts).routes
      + PauseRoutes(parts).routes + ConfigurationRoutes(parts).routes + MetricsRoutes(parts).routes
      + CleanupRoutes(parts).routes + JobRoutes(parts).routes
    self.init(
      routes: Self.described(api, rules) + LoginRoutes(rules, sessions).routes
        + DashboardRoutes(parts: parts, hasSessions: rules.wantsToken).routes, rules: rules, sessions: sessions)
  }

  init(routes: [Route], rules: AccessRules, sessions: Sessions) {
    self.routes = routes
    self.rules = rules
    self.sessions = sessions
    index = Dictionary(grouping: routes) { $0.template.count { $0 == "/" } }
  }

  /// Some routes and the one that describes them, itself included.
  private static func described(_ routes: [Route], _ rules: AccessRules) -> [Route] {
    func route(_ document: JSONValue) -> Route {
      Route(
        "GET", "/openapi.json", "This description, in OpenAPI 3.1", answers: RouteAnswer.ok(.map(.any), "It")
      ) { _ in try .json(document) }
    }
    let document = Description(routes + [route(.null)], hasToken: rules.wantsToken).document
    return routes + [route(document)]
  }

  /// Answers a request. It never throws: what goes wrong is an answer too.
  public func respond(to request: WebRequest) async -> WebResponse {
    var response: WebResponse
    do {
      if let problem = rules.problem(request, isLoggedIn: sessions.holds(request)) {
        // A browser gets the page to log in at, the same at every address.
        response = problem.status == 401 && request.wantsPage ? LoginRoutes.page(status: 401) : problem.response
      } else {
        response = try await route(request)
      }
    } catch {
      response = Problem(error).response
    }
    if request.method == "HEAD" {
      response.events?.drop()
      response = response.withoutBody
    }
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
      if let problem = rules.bodyProblem(request) { throw problem }
      return try await route.answer(request, values)
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
