import UpkeepCore
import UpkeepRuns

/// Keeping the schedule from starting a task, and letting it again.
struct PauseRoutes {
  let parts: SiteParts

  init(_ parts: SiteParts) {
    self.parts = parts
  }

  private static let pauseBody = Schema.object([
    Schema.Member(
      "for", .text(), "How long, such as 2h; until somebody resumes it where it isn't given", isRequired: false),
    Schema.Member("why", .text(), "Why", isRequired: false),
  ])

  var routes: [Route] {
    [
      Route(
        "POST", "/api/v1/tasks/{task}/pause", "Keeps the schedule from starting a task", body: Self.pauseBody,
        answers: RouteAnswer.ok(.named("Task"), "The task as it is now")
      ) { try await pause($0) },
      Route(
        "POST", "/api/v1/tasks/{task}/resume", "Ends the pause of a task",
        answers: RouteAnswer.ok(.named("Task"), "The task as it is now")
      ) { [parts] request in
        let task = try await parts.task(request.value("task"))
        // Who resumes twice has what they want.
        _ = try await parts.pauses.resume(task.name)
        return try await .json(parts.document(task.name))
      },
    ]
  }

  private struct PauseBody: Decodable {
    var duration: String?
    var why: String?

    enum CodingKeys: String, CodingKey {
      case duration = "for"
      case why
    }
  }

  private func pause(_ request: RoutedRequest) async throws -> WebResponse {
    let task = try await parts.task(request.value("task"))
    let body = try request.body(PauseBody.self)
    let now = parts.wallClock.now()
    let duration = try body?.duration.map { try Self.duration($0) }
    let until = duration.map { now + $0 }
    try await parts.pauses.pause(
      TaskPause(task: task.name, until: until, reason: body?.why ?? "", by: "the API", since: now))
    return try await .json(parts.document(task.name))
  }

  private static func duration(_ text: String) throws(Problem) -> Duration {
    let duration: Duration
    do throws(DurationTextError) {
      duration = try Duration(durationText: text)
    } catch {
      throw Problem(400, "bad_duration", "for: \(error.message)")
    }
    guard duration > .zero else { throw Problem(400, "bad_duration", "for: expected more than 0s, found \(text)") }
    return duration
  }
}
