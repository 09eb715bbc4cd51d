import UpkeepCore
import UpkeepRuns

/// Whether the host lives, and whether it can work.
struct HealthRoutes {
  let parts: SiteParts

  init(_ parts: SiteParts) {
    self.parts = parts
  }

  var routes: [Route] {
    [
      Route("GET", "/healthz", "Whether the scheduler's loop turns", answers: Self.answers) { [parts] _ in
        guard await parts.status.isAlive() else {
          throw Problem(503, "not_alive", "the scheduler's loop stands still")
        }
        return Self.fine
      }.quick(),
      Route("GET", "/readyz", "Whether the host can do its work", answers: Self.answers) { [parts] _ in
        let troubles = await parts.status.troubles()
        guard troubles.isEmpty else {
          let more: [String: JSONValue] = ["troubles": .array(troubles.map { .string($0) })]
          throw Problem(503, "not_ready", troubles.joined(separator: "; "), more: more)
        }
        return Self.fine
      },
    ]
  }

  private static let answers = RouteAnswer.ok(.object([Schema.Member("status", .choice(["ok"]))]), "It is so")
  private static let fine = WebResponse(
    status: 200, headers: [("Content-Type", "application/json")], body: Array(#"{"status":"ok"}"#.utf8))
}
