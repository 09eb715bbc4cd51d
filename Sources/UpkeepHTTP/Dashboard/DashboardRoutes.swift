import UpkeepCore

/// The pages for people, and the files that they load.
struct DashboardRoutes {
  let parts: SiteParts
  /// Whether people log in.
  let hasSessions: Bool

  private static let answers = [RouteAnswer(200, "The page", .page)]

  var routes: [Route] {
    [
      page("/") { _ in try await TaskPages(parts: parts).list() },
      page("/tasks/{task}") { try await TaskPages(parts: parts).one($0.value("task")) },
      page("/runs/{run}") { try await RunPages(parts: parts).one(parts.runID($0.value("run"))) },
      page("/timeline") { _ in try await TimelinePage(parts: parts).page() },
      page("/configuration") { _ in await ConfigurationPage(parts: parts).page() },
      Route("GET", "/assets/app.css", "The style of the pages", answers: Self.answers) { _ in Assets.style },
      Route("GET", "/assets/app.js", "What the pages do", answers: Self.answers) { _ in Assets.script },
      Route("GET", "/assets/icon.svg", "The icon", answers: Self.answers) { _ in Assets.icon },
    ]
  }

  private func page(_ template: String, _ make: @escaping @Sendable (RoutedRequest) async throws -> Page) -> Route {
    Route("GET", template, "A page", answers: Self.answers) { request in
      do {
        var page = try await make(request)
        page.canLogOut = hasSessions
        return .page(page.document)
      } catch let problem as Problem {
        return .page(fault(problem).document, status: problem.status)
      }
    }
  }

  private func fault(_ problem: Problem) -> Page {
    Page(
      title: Problem.title(problem.status), place: nil,
      content: """
        <h1>\(Problem.title(problem.status))</h1><p>\(problem.detail)</p><p><a href="/">All tasks</a></p>
        """)
  }
}
