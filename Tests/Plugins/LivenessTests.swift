import UpkeepPurge
import DatabaseFixture
import StaleJobsPlugin
import Testing
import UpkeepCore
import UpkeepTestKit

/// Jobs are spared that the application itself says are active; where it can't say, nothing is marked.
struct LivenessTests {
  private func settings(_ url: String) -> StaleJobsSettings {
    var settings = StaleJobsSettings()
    settings.database = DatabaseName("stash")
    settings.liveness = .http
    settings.livenessURL = url
    return settings
  }

  private func fixture() async throws -> MediaFixture {
    try await MediaFixture(
      MediaFixture.job("a", started: "2026-11-20 01:00:00"), MediaFixture.job("b", started: "2026-11-20 01:00:00"),
      MediaFixture.job("7", started: "2026-11-20 01:00:00"))
  }

  @Test(arguments: [
    (#"[{"id": "a", "status": "running"}, {"id": 7}]"#, "b"), (#"{"jobs": [{"id": "b"}]}"#, "7 a"),
    (#"{"jobs": [{"job_id": "b"}], "total": 1}"#, "7 a"), (#"["a", "b", 7]"#, ""), ("[]", "7 a b"),
    (#"{"jobs": []}"#, "7 a b"), (#"[{"id": "x'); DROP TABLE job; --"}]"#, "7 a b"),
  ])
  func sparesTheJobsThatAreActive(list: String, marked: String) async throws {
    let server = try StubServer.json(list)
    let fixture = try await fixture()
    _ = try await fixture.work(StaleJobsTask(), settings(server.url("/api/jobs/active")))
    #expect(try await fixture.text("SELECT id FROM job WHERE status = 'failed' ORDER BY id") == marked)
    #expect(server.requests.count == 3)
  }

  @Test(arguments: ["", "/", "/other/list"]) func asksAtTheAddressThatItIsGiven(path: String) async throws {
    let server = try StubServer.json("[]")
    let fixture = try await fixture()
    try await StaleJobsTask().preview(settings(server.url(path)), in: fixture.context(.preview))
    let expected = path.count > 1 ? path : "/api/jobs/active"
    #expect(server.requests.first?.hasPrefix("GET \(expected) HTTP/1.1\r\n") == true)
  }

  @Test(arguments: [
    ("{", "expected a list of jobs, found no JSON"), ("", "expected a list of jobs, found no JSON"),
    ("<html>", "expected a list of jobs, found no JSON"), ("null", "expected a list of jobs, found none"),
    (#"{"items": []}"#, "expected a list of jobs, found {items: []}"),
    (#"{"jobs": {}}"#, "expected a list of jobs, found {jobs: {}}"),
    (#"[{"name": "a"}]"#, "expected jobs with an id each, found {name: a}"),
    (#"[null]"#, "expected jobs with an id each, found none"), (#"[""]"#, "expected jobs with an id each, found "),
    (#"[{"id": ["a"]}]"#, "expected jobs with an id each, found {id: [a]}"),
  ])
  func marksNothingWhereTheAnswerIsNoList(body: String, problem: String) async throws {
    let server = try StubServer.json(body)
    let fixture = try await fixture()
    let error = await fixture.failure(StaleJobsTask(), settings(server.url("/jobs")))
    #expect(error?.code == "wrong_shape")
    #expect(error?.problem == "\(problem), so that no job was marked")
    #expect(error?.place == "GET \(server.url("/jobs"))")
    #expect(try await fixture.text("SELECT count(*) FROM job WHERE status = 'running'") == "3")
  }

  @Test(arguments: ["404 Not Found", "500 Internal Server Error", "204 No Content", "302 Found\r\nLocation: /"])
  func marksNothingWhereTheStatusIsNot200(status: String) async throws {
    let server = try StubServer.json("[]", status: status)
    let fixture = try await fixture()
    let error = await fixture.failure(StaleJobsTask(), settings(server.url("/jobs")))
    #expect(error?.problem == "expected status 200, found \(status.prefix(3)), so that no job was marked")
    #expect(try await fixture.text("SELECT count(*) FROM job WHERE status = 'running'") == "3")
  }

  @Test func marksNothingWhereTheConnectionIsRefused() async throws {
    let server = try StubServer.json("[]")
    server.stop()
    let fixture = try await fixture()
    let error = await fixture.failure(StaleJobsTask(), settings(server.url("/jobs")))
    #expect(error?.problem == "the connection was refused, so that no job was marked")
    #expect(try await fixture.text("SELECT count(*) FROM job WHERE status = 'running'") == "3")
  }

  @Test func marksNothingWhereNoAnswerComes() async throws {
    let server = try StubServer(.stalls("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n["))
    let fixture = try await fixture()
    var settings = settings(server.url("/jobs"))
    settings.livenessTimeout = .milliseconds(50)
    #expect(await fixture.failure(StaleJobsTask(), settings)?.code == "fetch_timeout")
    #expect(try await fixture.text("SELECT count(*) FROM job WHERE status = 'running'") == "3")
  }

  @Test func marksNothingWhereTheListIsTooLong() async throws {
    let server = try StubServer.json("[\"" + String(repeating: "x", count: 4 << 20) + "\"]")
    let fixture = try await fixture()
    #expect(await fixture.failure(StaleJobsTask(), settings(server.url("/jobs")))?.code == "fetch_too_large")
    #expect(try await fixture.text("SELECT count(*) FROM job WHERE status = 'running'") == "3")
  }

  @Test(
    arguments: [
      (nil, "liveness: http needs liveness_url, such as http://127.0.0.1:8000/api/jobs/active"),
      ("127.0.0.1:8000", "liveness_url: expected an address such as http://127.0.0.1:8000/api/jobs/active"),
      ("file:///etc/passwd", "liveness_url: expected an address such as http://127.0.0.1:8000/api/jobs/active"),
    ] as [(String?, String)])
  func wantsAnAddress(url: String?, message: String) {
    var values: [String: JSONValue] = ["database": "stash", "liveness": "http"]
    values["liveness_url"] = url.map { .string($0) }
    let scope = SettingScope(folder: "/", databases: ["stash"])
    let (_, problems) = StaleJobsSettings.read(.test(.object(values)), owner: .standard, in: scope)
    #expect(problems.map(\.message) == [message])
  }
}
