import UpkeepCore
import UpkeepRuns

/// The media application's `POST /api/jobs/run`: `job_type` names a group or a task.
struct JobRoutes {
  let parts: SiteParts

  init(_ parts: SiteParts) {
    self.parts = parts
  }

  private static let body = Schema.object([
    Schema.Member("job_type", .text(), "A group or a task", isRequired: false),
    Schema.Member("metadata", .optional(.map(.any)), "Comes back with the answer", isRequired: false),
  ])
  private static let refused = Schema.object([
    Schema.Member("success", .boolean), Schema.Member("error", .text()), Schema.Member("detail", .text()),
  ])
  private static let accepted = Schema.object([
    Schema.Member("success", .boolean), Schema.Member("message", .text()), Schema.Member("job_id", .runID),
    Schema.Member("job_type", .text()), Schema.Member("metadata", .map(.any)),
  ])

  var routes: [Route] {
    [
      Route(
        "POST", "/api/jobs/run", "The media application's: starts a group or a task", body: Self.body,
        answers: [
          RouteAnswer(200, "It is on its way", .json(Self.accepted)),
          RouteAnswer(400, "There is no such group or task", .json(.either([Self.refused, .named("Problem")]))),
          RouteAnswer(409, "It runs already", .json(.either([Self.refused, .named("Problem")]))),
        ], problems: [422]
      ) { try await start($0) }
    ]
  }

  private struct Refused: Encodable {
    var success = false
    var error: String
    var detail: String
  }

  private struct Accepted: Encodable {
    var success = true
    var message: String
    var jobID: String
    var jobType: String
    var metadata: [String: JSONValue]

    enum CodingKeys: String, CodingKey {
      case success, message, metadata
      case jobID = "job_id"
      case jobType = "job_type"
    }
  }

  private struct Body: Decodable {
    var jobType: String?
    var metadata: [String: JSONValue]?

    enum CodingKeys: String, CodingKey {
      case metadata
      case jobType = "job_type"
    }
  }

  private func start(_ request: RoutedRequest) async throws -> WebResponse {
    let body = try request.body(Body.self)
    guard let name = body?.jobType, !name.isEmpty else { return try Self.refuse(400, "job_type is missing") }
    let group = await parts.status.groups().first { $0.name == name }
    let jobID: String
    if let group {
      if let running = try await running(group) { return try Self.conflict(name, running) }
      switch await parts.groups.start(name, group.tasks) {
      case .success(let runID): jobID = runID
      case .failure(let running): return try Self.conflict(name, running.runID)
      }
    } else if let task = try await parts.status.task(name) {
      if let running = task.running.first { return try Self.conflict(name, running) }
      let run = try await parts.starts.start(StartRequest(task: name))
      let result = await parts.starts.follow(run, waits: false)
      if result.status == .skipped || result.status == .refused {
        return try Self.refuse(409, "\(name) job wasn't started: \(result.reason ?? result.status.rawValue)")
      }
      jobID = result.runID
    } else {
      return try Self.refuse(400, "unknown job_type \(name)")
    }
    let metadata = (body?.metadata ?? [:]).merging(["triggered_by": "manual", "source": "api"]) { $1 }
    return try .json(
      Accepted(message: "\(name) job started successfully", jobID: jobID, jobType: name, metadata: metadata))
  }

  /// The run of a group, or of one of its members, that works now, whatever started it.
  private func running(_ group: (name: String, tasks: [String])) async throws -> String? {
    for task in try await parts.status.tasks() where group.tasks.contains(task.name) {
      guard let runID = task.running.first else { continue }
      return try await parts.runs.record(runID)?.groupRunID ?? runID
    }
    return nil
  }

  private static func conflict(_ name: String, _ runID: String) throws -> WebResponse {
    try refuse(409, "\(name) job already running: \(runID)")
  }

  private static func refuse(_ status: Int, _ text: String) throws -> WebResponse {
    try .json(Refused(error: text, detail: text), status: status)
  }
}
