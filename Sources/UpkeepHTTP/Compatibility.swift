import UpkeepRuns

/// Routes that keep the shapes of the applications whose jobs Upkeep takes over: their front ends work unchanged.
struct Compatibility {
  let parts: SiteParts

  init(_ parts: SiteParts) {
    self.parts = parts
  }

  /// Whether a path is one of them.
  static func holds(_ path: [String]) -> Bool {
    path.count > 1 && path[0] == "api" && ["cleanup", "jobs"].contains(path[1])
  }

  private struct CleanupStatus: Encodable {
    var isCleanupRunning: Bool
    var isScrapingActive: Bool
  }

  var routes: [Route] {
    [
      Route("GET", "/api/cleanup/status", "The odds application's: whether its clean-up or a scrape runs") {
        [parts] _ in
        let tasks = try await parts.status.tasks()
        guard let cleanup = tasks.first(where: { $0.plugin == "odds_retention" && $0.isEnabled }) else {
          throw Problem(404, "no_cleanup", "no task of the plugin odds_retention is enabled")
        }
        let scrapes = tasks.filter { $0.plugin == "scraping" }
        return try .json(
          CleanupStatus(
            isCleanupRunning: !cleanup.running.isEmpty, isScrapingActive: scrapes.contains { !$0.running.isEmpty }))
      }
    ]
  }
}
