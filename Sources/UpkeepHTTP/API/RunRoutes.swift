import UpkeepCore
import UpkeepRuns

/// The history, and stopping runs.
struct RunRoutes {
  let parts: SiteParts

  init(_ parts: SiteParts) {
    self.parts = parts
  }

  private static let limit = Parameter("limit", .integer(1...500), "How many at the most; 50 where it isn't given")
  private static let cursor = Parameter("cursor", .runID, "The next_cursor of an earlier answer")
  private static let task = Parameter("task", .text(), "Only runs of this task")
  private static let status = Parameter(
    "status", .choice(RunStatus.allCases.map(\.rawValue)), "Only runs that stand so")

  /// A run's address.
  static func url(_ runID: String) -> String { "/api/v1/runs/\(runID)" }

  var routes: [Route] {
    [
      Route(
        "GET", "/api/v1/runs", "Runs and previews, newest first", [Self.limit, Self.cursor, Self.task, Self.status],
        answers: RouteAnswer.ok(
          .object([
            Schema.Member("runs", .list(.named("Run"))),
            Schema.Member("next_cursor", .optional(.runID), "For the next page; null on the last"),
          ]), "A page")
      ) { try await list($0) },
      Route(
        "GET", "/api/v1/runs/{run}", "One run, or run of a group, whole",
        answers: RouteAnswer.ok(.either([.named("Run"), .named("Group")]), "The run"), problems: [409]
      ) { [parts] request in
        let runID = try await parts.runID(request.value("run"))
        if let record = try await parts.runs.record(runID) { return try .json(record.result) }
        guard let group = try await parts.groups.document(runID) else { throw SiteParts.unknownRun(runID) }
        return try .json(group)
      },
      Route(
        "POST", "/api/v1/runs/{run}/cancel", "Asks a run to stop, whichever process runs it",
        answers: [RouteAnswer(202, "It was asked to stop", .json(.either([.named("Started"), .named("Group")])))],
        problems: [409]
      ) { try await cancel($0) },
    ]
  }

  private func list(_ request: RoutedRequest) async throws -> WebResponse {
    let limit = try request.number(Self.limit) ?? 50
    let task = try request.text(Self.task)
    if let task { _ = try await parts.task(task) }
    let status = try request.text(Self.status).flatMap { RunStatus(rawValue: $0) }
    let cursor = try request.text(Self.cursor)
    // One more than asked for says whether there are more.
    let records = try await parts.runs.records(
      RunQuery(task: task, status: status, before: cursor, limit: limit + 1))
    return try .json(RunPage(records, limit: limit))
  }

  private func cancel(_ request: RoutedRequest) async throws -> WebResponse {
    let runID = try await parts.runID(request.value("run"))
    guard let record = try await parts.runs.record(runID) else {
      guard let group = try await parts.groups.cancel(runID, by: "the API") else { throw SiteParts.unknownRun(runID) }
      return try .json(group, status: 202, headers: [("Location", Self.url(runID))])
    }
    guard !record.result.status.isFinal, try await parts.commands.cancel(runID, by: "the API") else {
      throw Problem(409, "run_is_over", "the run is over already: \(record.result.status.rawValue)")
    }
    let url = Self.url(runID)
    let result = record.result
    return try .json(
      TaskRoutes.Started(runID: runID, task: result.task, mode: result.mode, status: result.status, url: url),
      status: 202, headers: [("Location", url)])
  }
}
