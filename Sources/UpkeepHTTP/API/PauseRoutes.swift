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
    Schema.Member(
      "until", .text(), "Until when, in place of for: a date and time, UTC unless it says more", isRequired: false),
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
    var length: String?
    var until: String?
    var why: String?

    enum CodingKeys: String, CodingKey {
      case length = "for"
      case until, why
    }
  }

  private func pause(_ request: RoutedRequest) async throws -> WebResponse {
    let task = try await parts.task(request.value("task"))
    let body = try request.body(PauseBody.self)
    let now = parts.wallClock.now()
    let until = try Self.end(of: body, now: now)
    try await parts.pauses.pause(
      TaskPause(task: task.name, until: until, reason: body?.why ?? "", by: "the API", since: now))
    return try await .json(parts.document(task.name))
  }

  private static func end(of body: PauseBody?, now: Timestamp) throws(Problem) -> Timestamp? {
    do throws(PauseEnd.Problem) {
      return try PauseEnd.of(length: body?.length, until: body?.until, now: now)
    } catch {
      throw Problem(400, error.code, error.message)
    }
  }
}
