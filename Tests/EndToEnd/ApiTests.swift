import Foundation
import Testing
import UpkeepTestKit

/// The HTTP API of the real program, over real sockets.
@Suite struct ApiTests {
  private static let tasks = """
      nap: { plugin: noop, interval: 1h, settings: { duration: 0s } }
      long: { plugin: noop, settings: { duration: 1h } }

    """

  /// Serves a configuration while `body` asks.
  static func serving(
    _ tasks: String, host: String = "", environment: [String: String] = [:],
    _ body: (Workplace, Int) async throws -> Void
  ) async throws {
    let place = try Workplace(
      "version: 1\nhost: { listen: \"127.0.0.1:0\", drain_timeout: 50ms\(host) }\ntasks:\n\(tasks)")
    try await serving(place, environment: environment) { try await body(place, $0) }
  }

  /// Serves a folder's configuration while `body` asks.
  static func serving(
    _ place: Workplace, environment: [String: String] = [:], _ body: (Int) async throws -> Void
  ) async throws {
    let serve = try place.start(["serve"], environment: environment)
    let line = try await serve.waitForError(containing: "serving address=")
    let address = line.split(separator: " ").first { $0.hasPrefix("address=") }
    let port = try #require(address?.split(separator: ":").last.flatMap { Int($0) })
    do {
      try await body(port)
    } catch {
      serve.signal(SIGKILL)
      throw error
    }
    serve.signal(SIGTERM)
    _ = await serve.outcome()
  }

  static func json(_ answer: ClientSocket.Answer) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any], "\(answer.body)")
  }

  /// Asks once for a document.
  static func document(
    _ port: Int, _ method: String, _ target: String, _ body: String? = nil
  ) async throws -> [String: Any] {
    try json(try await ClientSocket.ask(port, method, target, body))
  }

  @Test func aRunIsStartedFollowedAndFound() async throws {
    try await Self.serving(Self.tasks) { _, port in
      let result = try await Self.document(port, "POST", "/api/v1/tasks/nap/run?wait=true", "{}")
      #expect(result["status"] as? String == "completed" && result["trigger"] as? String == "api")
      let run = try #require(result["run_id"] as? String)
      #expect(try await Self.document(port, "GET", "/api/v1/runs/\(run)")["run_id"] as? String == run)
      let page = try await Self.document(port, "GET", "/api/v1/runs?task=nap")
      #expect((page["runs"] as? [[String: Any]])?.map { $0["run_id"] as? String } == [run])
      let list = try await Self.document(port, "GET", "/api/v1/tasks")
      #expect((list["tasks"] as? [[String: Any]])?.map { $0["name"] as? String } == ["nap", "long"])
      for path in ["/healthz", "/readyz"] { #expect(try await ClientSocket.ask(port, "GET", path).status == 200) }
      let metrics = try await ClientSocket.ask(port, "GET", "/metrics").body
      #expect(metrics.contains("upkeep_task_runs_total{task=\"nap\",status=\"completed\"} 1\n"))
    }
  }

  /// A rule's durations and numbers can be tuned; its table and what it is about can't.
  @Test func aPartOfAListIsTuned() async throws {
    let rules = "[{ table: logs, time_column: at, keep: 30d }, { table: runs, keep_rows: 9, where: done }]"
    let yaml = """
      host: { listen: "127.0.0.1:0" }
      databases: { app: { sqlite: app.sqlite } }
      tasks:
        tidy:
          plugin: table_retention
          settings: { database: app, rules: \(rules) }

      """
    let place = try Workplace(yaml)
    try await Self.serving(place) { port in
      let page = try await ClientSocket.ask(port, "GET", "/tasks/tidy").body
      for key in ["0.keep", "1.keep_rows"] { #expect(page.contains("data-key=\"settings.rules.\(key)\""), "\(key)") }
      for key in ["0.table", "0.time_column", "1.where"] { #expect(!page.contains("settings.rules.\(key)"), "\(key)") }
      func patch(_ rules: String) async throws -> ClientSocket.Answer {
        try await ClientSocket.ask(
          port, "PATCH", "/api/v1/tasks/tidy", "{\"settings\": {\"rules\": \(rules)}}", headers: ["If-Match": "*"])
      }
      #expect(try await patch(#"{"1": {"where": "true"}}"#).status == 403)
      #expect(try await patch(#"{"0": {"table": "runs"}}"#).status == 403)
      #expect(try await patch(#"{"2": {"keep": "1d"}}"#).status == 422)
      #expect(try await patch(#"[{"keep": "1d"}]"#).status == 400)
      let path = place.path("upkeep.yaml")
      #expect(try String(contentsOfFile: path, encoding: .utf8) == yaml)
      #expect(try await patch(#"{"0": {"keep": "7d"}}"#).status == 200)
      #expect(try String(contentsOfFile: path, encoding: .utf8) == yaml.replacing("30d", with: "7d"))
      // Who raises a retention and starts a run at once must not delete by the old one.
      for keep in ["8d", "9d", "10d", "11d", "12d"] {
        let answer = try await patch(#"{"0": {"keep": "\#(keep)"}}"#)
        let task = try await Self.document(port, "GET", "/api/v1/tasks/tidy")
        #expect(task["etag"] as? String == (try Self.json(answer))["etag"] as? String)
        let settings = (task["settings"] as? [String: Any])?["rules"] as? [String: Any]
        #expect(((settings?["value"] as? [[String: Any]])?.first?["keep"] as? String) == keep)
      }
    }
  }

  @Test func aRunIsWatchedAndCancelled() async throws {
    try await Self.serving(Self.tasks) { _, port in
      let everything = try ClientSocket(port: port)
      try await everything.send("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
      #expect(try await everything.read(until: "text/event-stream").contains("200 OK"))
      let started = try await ClientSocket.ask(port, "POST", "/api/v1/tasks/long/run", "{}")
      #expect(started.status == 202)
      let run = try #require(try Self.json(started)["run_id"] as? String)
      #expect(started.headers["location"] == "/api/v1/runs/\(run)")
      let stream = try ClientSocket(port: port)
      try await stream.send("GET /api/v1/runs/\(run)/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
      #expect(try await stream.read(until: "event: run").contains(run))
      #expect(try await ClientSocket.ask(port, "POST", "/api/v1/runs/\(run)/cancel", "{}").status == 202)
      // The stream of a run ends with it, and so does its connection.
      let rest = try await stream.read(until: "\n\n0\r\n\r\n", count: 1)
      #expect(rest.contains("event: end") && rest.contains("cancelled by the API"))
      #expect(try await everything.read(until: "event: end").contains("\"status\":\"cancelled\""))
      let last = try #require(rest.components(separatedBy: "id: ").last?.split(separator: "\n").first)
      let again = try await ClientSocket.ask(
        port, "GET", "/api/v1/runs/\(run)/events", headers: ["Last-Event-ID": String(last)])
      #expect(again.status == 204)
    }
  }

  @Test func theTokenOpensEverythingElse() async throws {
    let token = ["UPKEEP_TOKEN": "s3cret"]
    try await Self.serving(Self.tasks, host: ", allowed_hosts: [box.example]", environment: token) { _, port in
      #expect(try await ClientSocket.ask(port, "GET", "/healthz").status == 200)
      var bodies: Set<String> = []
      for path in ["/api/v1/tasks", "/nowhere", "/", "/openapi.json", "/metrics"] {
        let answer = try await ClientSocket.ask(port, "GET", path, headers: ["Authorization": "Bearer s3cres"])
        #expect(answer.status == 401)
        bodies.insert(answer.body)
      }
      #expect(bodies.count == 1)
      let bearer = ["Authorization": "Bearer s3cret", "Host": "box.example"]
      #expect(try await ClientSocket.ask(port, "GET", "/api/v1/tasks", headers: bearer).status == 200)
      let form = "token=s3cret"
      let login = try await ClientSocket.ask(
        port, "POST", "/login", form, headers: ["Content-Type": "application/x-www-form-urlencoded"])
      #expect(login.status == 303 && login.headers["location"] == "/")
      let cookie = try #require(login.headers["set-cookie"])
      #expect(cookie.hasSuffix("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict") && !cookie.contains("s3cret"))
      let session = ["Cookie": String(cookie.prefix { $0 != ";" })]
      #expect(try await ClientSocket.ask(port, "GET", "/api/v1/tasks", headers: session).status == 200)
      let foreign = session.merging(["Origin": "http://evil.example"]) { $1 }
      let write = try await ClientSocket.ask(port, "POST", "/api/v1/tasks/nap/run", "{}", headers: foreign)
      #expect(write.status == 403)
    }
  }

  @Test(arguments: [
    ("listen: \"0.0.0.0:0\"", [:], "host.listen: 0.0.0.0:0 can be reached by others, so it needs a token"),
    ("listen: \"127.0.0.1:0\"", ["UPKEEP_TOKEN": " "], "UPKEEP_TOKEN: the token is empty"),
    ("token_file: nowhere", [:], "can't be read; write the token into it as one line"),
  ])
  func whatIsUnsafeIsRefusedAtTheStart(_ host: String, _ environment: [String: String], _ text: String) async throws {
    let place = try Workplace("version: 1\nhost: { \(host) }\ntasks:\n\(Self.tasks)")
    let outcome = try await place.run("serve", environment: environment)
    #expect(outcome.status == 4)
    #expect(outcome.errors.contains(text), "\(outcome.errors)")
  }

  @Test func anAddressThatIsTakenIsNamedBeforeAnythingRuns() async throws {
    try await Self.serving(Self.tasks) { _, port in
      let other = try Workplace(
        "version: 1\nhost: { listen: \"127.0.0.1:\(port)\" }\ntasks:\n  nap: { plugin: noop, run_on_start: true }\n")
      let outcome = try await other.run("serve")
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("127.0.0.1:\(port): it can't be listened on"), "\(outcome.errors)")
      #expect((try await other.run("history", "--json").json()["runs"] as? [Any])?.isEmpty == true)
    }
  }

  @Test func theOddsApplicationWorksUnchanged() async throws {
    let place = try Workplace()
    try #require(try await Program.run(["demo", "demo", "--scale", "0.02"], in: place.folder).status == 0)
    let yaml = try String(contentsOfFile: place.path("demo/upkeep.yaml"), encoding: .utf8)
    try place.write(yaml.replacing("\nhost:\n", with: "\nhost:\n  listen: 127.0.0.1:0\n"), to: "demo/upkeep.yaml")
    try await Self.serving(place, environment: ["UPKEEP_CONFIG": "demo/upkeep.yaml"]) { port in
      let preview = try await Self.document(port, "GET", "/api/cleanup/preview?odds_days=20")
      let doomed = try #require(preview["oddsSnapshotsCount"] as? Int)
      #expect(doomed > 0)
      let done = try await Self.document(port, "POST", "/api/cleanup/execute", #"{"oddsRetentionDays": 20}"#)
      #expect(done["oddsDeleted"] as? Int == doomed)
      let stats = try await Self.document(port, "GET", "/api/cleanup/stats")
      #expect(((stats["oddsSnapshots"] as? [String: Any])?["count"] as? Int ?? 0) > 0)
      let history = try await Self.document(port, "GET", "/api/cleanup/history")
      let newest = try #require((history["runs"] as? [[String: Any]])?.first)
      #expect(newest["oddsDeleted"] as? Int == doomed && newest["oddsRetentionDays"] as? Int == 20)
      let job = try await Self.document(port, "POST", "/api/jobs/run", #"{"job_type": "cleanup"}"#)
      let id = try #require(job["job_id"] as? String)
      var group: [String: Any] = ["status": "running"]
      while group["status"] as? String == "running" {
        group = try await Self.document(port, "GET", "/api/v1/runs/\(id)")
      }
      #expect(group["status"] as? String == "completed" && group["old_jobs_deleted"] as? Int == 0)
    }
  }
}
