import UpkeepCore
import UpkeepRuns

/// The history, and stopping runs.
struct RunRoutes {
  let parts: SiteParts

  init(_ parts: SiteParts) {
    self.parts = parts
  }

  private struct List: Encodable {
    var runs: [RunResult]
    var nextCursor: String?

    enum CodingKeys: String, CodingKey {
      case runs
      case nextCursor = "next_cursor"
    }

    /// Writes every key, an absent cursor as null.
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(runs, forKey: .runs)
      try container.encode(nextCursor, forKey: .nextCursor)
    }
  }

  var routes: [Route] {
    [
      Route("GET", "/api/v1/runs", "Runs and previews, newest first") { try await list($0) },
      Route("GET", "/api/v1/runs/{run}", "One run whole") { [parts] request in
        let runID = request.value("run")
        guard let record = try await parts.runs.record(runID) else { throw Self.unknownRun(runID) }
        return try .json(record.result)
      },
      Route("POST", "/api/v1/runs/{run}/cancel", "Asks a run to stop, whichever process runs it") {
        try await cancel($0)
      },
    ]
  }

  private func list(_ request: RoutedRequest) async throws -> WebResponse {
    let limit = try request.number("limit", in: 1...500) ?? 50
    let query = request.request.query
    if let task = query["task"] { _ = try await parts.task(task) }
    var status: RunStatus?
    if let text = query["status"] {
      guard let found = RunStatus(rawValue: text) else {
        let allowed = RunStatus.allCases.map(\.rawValue).joined(separator: ", ")
        throw Problem(400, "bad_parameter", "status: expected one of \(allowed), found \(text)")
      }
      status = found
    }
    if let cursor = query["cursor"], !RunID.isValid(cursor) {
      throw Problem(400, "bad_parameter", "cursor: expected the next_cursor of an earlier answer")
    }
    // One more than asked for says whether there are more.
    let records = try await parts.runs.records(
      RunQuery(task: query["task"], status: status, before: query["cursor"], limit: limit + 1))
    let page = records.prefix(limit).map(\.result)
    return try .json(List(runs: page, nextCursor: records.count > limit ? page.last?.runID : nil))
  }

  private func cancel(_ request: RoutedRequest) async throws -> WebResponse {
    let runID = request.value("run")
    _ = try JSONBody.read(NoBody.self, request.request.body, keys: NoBody.CodingKeys.allCases)
    guard let record = try await parts.runs.record(runID) else { throw Self.unknownRun(runID) }
    guard !record.result.status.isFinal, try await parts.commands.cancel(runID, by: "the API") else {
      throw Problem(409, "run_is_over", "the run is over already: \(record.result.status.rawValue)")
    }
    let url = "/api/v1/runs/\(runID)"
    let result = record.result
    return try .json(
      TaskRoutes.Started(runID: runID, task: result.task, mode: result.mode, status: result.status, url: url),
      status: 202, headers: [("Location", url)])
  }

  private static func unknownRun(_ runID: String) -> Problem {
    Problem(404, "unknown_run", "there is no run \(runID); GET /api/v1/runs lists them")
  }
}

/// The body of a request that says it all by its address: empty, or an empty object.
struct NoBody: Decodable {
  enum CodingKeys: CodingKey, CaseIterable {}
}
