import UpkeepCore
import UpkeepRuns

/// The odds application's `/api/cleanup`: its clean-up is the first enabled task of the plugin `odds_retention`.
struct CleanupRoutes {
  let parts: SiteParts

  init(_ parts: SiteParts) {
    self.parts = parts
  }

  private let status = LastDocument<CleanupStatus>()

  private static let days = Schema.integer(1...365)
  private static let oddsDays = Parameter("odds_days", days, "Instead of the task's odds_keep, in days")
  private static let matchDays = Parameter("match_days", days, "Instead of the task's match_keep, in days")
  private static let limit = Parameter("limit", .integer(1...100), "How many at the most; 10 where it isn't given")
  private static let executeBody = Schema.object([
    Schema.Member("oddsRetentionDays", .optional(days), "Instead of odds_keep", isRequired: false),
    Schema.Member("matchRetentionDays", .optional(days), "Instead of match_keep", isRequired: false),
  ])

  var routes: [Route] {
    [
      Route(
        "GET", "/api/cleanup/stats", "The odds application's: what its tables hold",
        answers: RouteAnswer.ok(CleanupStats.schema, "By table"), problems: [422]
      ) { [parts] _ in
        let task = try await task()
        return try await .json(CleanupStats(parts.statistics(of: task.name)))
      },
      Route(
        "GET", "/api/cleanup/preview", "The odds application's: what its clean-up would remove",
        [Self.oddsDays, Self.matchDays], answers: RouteAnswer.ok(CleanupPreview.schema, "By table"),
        problems: [409, 422]
      ) { try await preview($0) },
      Route(
        "POST", "/api/cleanup/execute", "The odds application's: runs its clean-up to its end", body: Self.executeBody,
        bodyStatus: 422,
        answers: RouteAnswer.ok(CleanupExecution.schema, "What was removed"), problems: [409, 422]
      ) { try await execute($0) },
      Route(
        "GET", "/api/cleanup/history", "The odds application's: its clean-ups so far, newest first", [Self.limit],
        answers: RouteAnswer.ok(CleanupHistory.schema, "The newest"), problems: [422]
      ) { [parts] request in
        let limit = try request.number(Self.limit, status: 422) ?? 10
        let task = try await task()
        let records = try await parts.runs.records(RunQuery(task: task.name, mode: .run, limit: limit))
        let total = try await parts.runs.count(RunQuery(task: task.name, mode: .run))
        return try .json(CleanupHistory(records, total: total))
      },
      Route(
        "GET", "/api/cleanup/status", "The odds application's: whether its clean-up or a scrape runs",
        answers: RouteAnswer.ok(CleanupStatus.schema, "What runs")
      ) { [parts, status] _ in
        let tasks = try await parts.status.tasks()
        let cleanup = try Self.cleanup(among: tasks)
        let scrapes = tasks.filter { $0.plugin == "scraping" }
        return try status.response(
          to: CleanupStatus(
            isCleanupRunning: !cleanup.running.isEmpty, isScrapingActive: scrapes.contains { !$0.running.isEmpty })
        ) { $0 }
      }.quick { [parts] in await parts.hasFewTasks },
    ]
  }

  private func task() async throws -> TaskStatus {
    try Self.cleanup(among: try await parts.status.tasks())
  }

  private static func cleanup(among tasks: [TaskStatus]) throws -> TaskStatus {
    guard let task = tasks.first(where: { $0.plugin == "odds_retention" && $0.isEnabled })
    else { throw Problem(404, "no_cleanup", "no task of the plugin odds_retention is enabled") }
    return task
  }

  private func preview(_ request: RoutedRequest) async throws -> WebResponse {
    let odds = try request.number(Self.oddsDays, status: 422)
    let matches = try request.number(Self.matchDays, status: 422)
    let task = try await task()
    let result = try await parts.starts.result(
      StartRequest(task: task.name, mode: .preview, settings: Self.settings(odds, matches)))
    try Self.check(result)
    return try .json(CleanupPreview(result))
  }

  private struct ExecuteBody: Decodable {
    var oddsRetentionDays: Int?
    var matchRetentionDays: Int?
  }

  private func execute(_ request: RoutedRequest) async throws -> WebResponse {
    let body = try request.body(ExecuteBody.self)
    let task = try await task()
    if let run = task.running.first {
      throw Problem(
        409, "already_running", "the clean-up runs already",
        more: ["run_id": .string(run), "url": .string(RunRoutes.url(run))])
    }
    let result = try await parts.starts.result(
      StartRequest(
        task: task.name, trigger: .manual, settings: Self.settings(body?.oddsRetentionDays, body?.matchRetentionDays)))
    try Self.check(result)
    return try .json(CleanupExecution(result))
  }

  private static func settings(_ odds: Int?, _ matches: Int?) -> [String: String] {
    var settings: [String: String] = [:]
    settings["settings.odds_keep"] = odds.map { "\($0)d" }
    settings["settings.match_keep"] = matches.map { "\($0)d" }
    return settings
  }

  /// Makes sure that a run did its work.
  private static func check(_ result: RunResult) throws(Problem) {
    let more: [String: JSONValue] = [
      "run_id": .string(result.runID), "url": .string(RunRoutes.url(result.runID)),
    ]
    let why = result.why ?? result.status.rawValue
    switch result.status {
    case .completed, .completedWithErrors: return
    case .skipped, .refused: throw Problem(409, result.status.rawValue, "the clean-up wasn't run: \(why)", more: more)
    default: throw Problem(500, "cleanup_failed", "the clean-up ended as \(result.status.rawValue): \(why)", more: more)
    }
  }
}
