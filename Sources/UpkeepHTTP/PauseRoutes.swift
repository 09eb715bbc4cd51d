import UpkeepCore
import UpkeepRuns

/// Keeping the schedule from starting a task, and letting it again.
struct PauseRoutes {
  let parts: SiteParts

  init(_ parts: SiteParts) {
    self.parts = parts
  }

  var routes: [Route] {
    [
      Route("POST", "/api/v1/tasks/{task}/pause", "Keeps the schedule from starting a task") { try await pause($0) },
      Route("POST", "/api/v1/tasks/{task}/resume", "Ends the pause of a task") { [parts] request in
        let task = try await parts.task(request.value("task"))
        _ = try JSONBody.read(NoBody.self, request.request.body, keys: NoBody.CodingKeys.allCases)
        // Who resumes twice has what they want.
        _ = try await parts.pauses.resume(task.name)
        return try await .json(parts.document(task.name))
      },
    ]
  }

  private struct PauseBody: Decodable {
    var duration: String?
    var why: String?

    enum CodingKeys: String, CodingKey, CaseIterable {
      case duration = "for"
      case why
    }
  }

  private func pause(_ request: RoutedRequest) async throws -> WebResponse {
    let task = try await parts.task(request.value("task"))
    let body = try JSONBody.read(PauseBody.self, request.request.body, keys: PauseBody.CodingKeys.allCases)
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
