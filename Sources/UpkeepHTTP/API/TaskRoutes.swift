import UpkeepCore
import UpkeepRuns

/// The tasks, and starting them.
struct TaskRoutes {
  let parts: SiteParts

  init(_ parts: SiteParts) {
    self.parts = parts
  }

  /// All tasks, as they last stood.
  private struct Tasks: Equatable, Sendable {
    var tasks: [TaskStatus]
    var etag: String
  }

  private struct TaskList: Encodable {
    var tasks: [TaskDocument]
  }

  private let list = LastDocument<Tasks>()

  static let wait = Parameter("wait", .boolean, "Whether the answer waits for the end of the run")

  /// What a start takes.
  private static let startBody = Schema.object([
    Schema.Member("override_guard", .boolean, "Whether it runs although the guard would refuse it", isRequired: false),
    Schema.Member(
      "preview", .runID,
      "A preview whose numbers somebody agreed to: where the data moved by more than 10 % since, nothing is run",
      isRequired: false),
  ])
  private static let startAnswers = [
    RouteAnswer(200, "It is over", .json(.named("Run"))),
    RouteAnswer(202, "It is on its way", .json(.named("Started"))),
  ]

  var routes: [Route] {
    [
      Route(
        "GET", "/api/v1/tasks", "All tasks with schedule, last run, next run and settings",
        answers: RouteAnswer.ok(.object([Schema.Member("tasks", .list(.named("Task")))]), "The tasks, in file order")
      ) { [parts, list] _ in
        let etag = await parts.configuration.configurationStatus().hash
        return try await list.response(to: Tasks(tasks: parts.status.tasks(), etag: etag)) { now in
          TaskList(tasks: now.tasks.map { TaskDocument(task: $0, etag: now.etag) })
        }
      }.quick { [parts] in await parts.hasFewTasks },
      Route("GET", "/api/v1/tasks/{task}", "One task", answers: RouteAnswer.ok(.named("Task"), "The task")) {
        [parts] request in
        let document = try await parts.document(request.value("task"))
        return try .json(document, headers: [("ETag", "\"\(document.etag)\"")])
      },
      Route(
        "POST", "/api/v1/tasks/{task}/run", "Runs a task", [Self.wait], body: Self.startBody,
        answers: Self.startAnswers, problems: [409, 422]
      ) { try await start($0, .run) },
      Route(
        "POST", "/api/v1/tasks/{task}/preview", "Says what a run would do now", [Self.wait], body: Self.startBody,
        answers: Self.startAnswers, problems: [409, 422]
      ) { try await start($0, .preview) },
      Route(
        "GET", "/api/v1/tasks/{task}/stats", "What a task watches over: counts, oldest and newest",
        answers: RouteAnswer.ok(.named("Statistics"), "By table or folder"), problems: [422]
      ) { [parts] request in
        let task = try await parts.task(request.value("task"))
        return try await .json(parts.statistics(of: task.name))
      },
    ]
  }

  /// The body of a start: empty, or an object.
  private struct StartBody: Decodable {
    var overrideGuard: Bool?
    var preview: String?

    enum CodingKeys: String, CodingKey {
      case preview
      case overrideGuard = "override_guard"
    }
  }

  /// What is known of a run that has just been asked for.
  struct Started: Encodable {
    var runID: String
    var task: String
    var mode: RunMode
    var status: RunStatus
    var url: String

    enum CodingKeys: String, CodingKey {
      case task, mode, status, url
      case runID = "run_id"
    }
  }

  private func start(_ request: RoutedRequest, _ mode: RunMode) async throws -> WebResponse {
    let task = try await parts.task(request.value("task"))
    let body = try request.body(StartBody.self)
    let waits = try request.flag(Self.wait)
    if mode == .preview, !task.hasPreview {
      throw Problem(422, "no_preview", "the plugin \(task.plugin) of \(task.name) has no preview; run it instead")
    }
    if let preview = body?.preview { try await parts.starts.agree(to: preview, of: task) }
    let run = try await parts.starts.start(
      StartRequest(task: task.name, mode: mode, overrideGuard: body?.overrideGuard ?? false))
    return try await answer(run, waits: waits)
  }

  private func answer(_ run: StartedRun, waits: Bool) async throws -> WebResponse {
    let result = await parts.starts.follow(run, waits: waits)
    let url = RunRoutes.url(result.runID)
    if result.status == .skipped || result.status == .refused {
      let why = result.reason.map { ": \($0)" } ?? ""
      let what = result.status == .skipped ? "a rule forbids the run" : "the guard refused the run"
      throw Problem(
        409, result.status.rawValue, what + why, more: ["run_id": .string(result.runID), "url": .string(url)],
        headers: ["Location": url])
    }
    if waits { return try .json(result, headers: [("Location", url)]) }
    let started = Started(
      runID: result.runID, task: result.task, mode: result.mode, status: result.status, url: url)
    return try .json(started, status: 202, headers: [("Location", url)])
  }
}
