import UpkeepCore
import UpkeepRuns

/// The tasks, and starting them.
struct TaskRoutes {
  let parts: SiteParts

  init(_ parts: SiteParts) {
    self.parts = parts
  }

  private struct List: Encodable {
    var tasks: [TaskDocument]
  }

  var routes: [Route] {
    [
      Route("GET", "/api/v1/tasks", "All tasks with schedule, last run, next run and settings") { [parts] _ in
        let etag = await parts.configuration.configurationStatus().hash
        return try await .json(List(tasks: parts.status.tasks().map { TaskDocument(task: $0, etag: etag) }))
      },
      Route("GET", "/api/v1/tasks/{task}", "One task") { [parts] request in
        let document = try await parts.document(request.value("task"))
        return try .json(document, headers: [("ETag", "\"\(document.etag)\"")])
      },
      Route("POST", "/api/v1/tasks/{task}/run", "Runs a task") { try await start($0, .run) },
      Route("POST", "/api/v1/tasks/{task}/preview", "Says what a run would do now") { try await start($0, .preview) },
    ]
  }

  /// The body of a start: empty, or an object.
  private struct StartBody: Decodable {
    var overrideGuard: Bool?

    enum CodingKeys: String, CodingKey, CaseIterable {
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
    let body = try JSONBody.read(StartBody.self, request.request.body, keys: StartBody.CodingKeys.allCases)
    let waits = try request.flag("wait")
    if mode == .preview, !task.hasPreview {
      throw Problem(422, "no_preview", "the plugin \(task.plugin) of \(task.name) has no preview; run it instead")
    }
    let run: StartedRun
    do {
      run = try await parts.commands.start(
        StartRequest(task: task.name, mode: mode, overrideGuard: body?.overrideGuard ?? false))
    } catch {
      throw Self.problem(error)
    }
    return try await answer(run, waits: waits)
  }

  private static func problem(_ refusal: StartRefusal) -> Problem {
    switch refusal {
    case .unknownTask(let name): SiteParts.unknownTask(name)
    case .stopping: Problem(503, "stopping", "the host stops and starts no more runs")
    case .store(let error): Problem(error)
    }
  }

  /// How long an answer waits for what becomes of a run that nobody waits for.
  private static let glance = Duration.milliseconds(250)

  /// The run at its end; or, where nobody waits for that, as soon as it is known whether it starts or is forbidden. A run
  /// that waits for a place may not be known of for long.
  private func follow(_ run: StartedRun, waits: Bool) async -> RunResult {
    let first = run.record.result
    return await withTaskGroup(of: RunResult?.self) { group in
      group.addTask {
        var result = first
        for await event in run.events {
          result = event.result
          if result.status.isFinal || !waits { break }
        }
        return result
      }
      if !waits {
        group.addTask { [clock = parts.clock] in
          try? await clock.sleep(for: Self.glance)
          return nil
        }
      }
      defer { group.cancelAll() }
      return await group.next().flatMap(\.self) ?? first
    }
  }

  private func answer(_ run: StartedRun, waits: Bool) async throws -> WebResponse {
    let result = await follow(run, waits: waits)
    let url = "/api/v1/runs/\(result.runID)"
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
