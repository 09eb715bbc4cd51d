import Testing
import UpkeepCore
import UpkeepRuns

@testable import UpkeepHTTP

/// Who may ask for what.
@Suite struct AccessTests {
  private let host = FakeHost()

  @Test(arguments: [
    ("127.0.0.1:8787", 200), ("localhost", 200), ("LOCALHOST.:1", 200), ("[::1]:8787", 200), ("box.example", 200),
    ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("localhost:8787@evil.example", 421),
    ("evil.example:127.0.0.1", 421),
    ("", 400), ("[::1", 421), ("[::1].evil.example", 421), ("[::1]:x", 421), ("[evil.example]", 421), (".", 421),
    ("[0:0:0:0:0:0:0:1]", 200), ("::1", 200), ("127.0.0.1.:8787", 200), ("10.0.0.1", 421), ("[fe80::1]", 421),
    ("box-1", 421),
  ])
  func answersToItsOwnNamesOnly(_ name: String, _ status: Int) async throws {
    let site = host.site(AccessRules(listen: "127.0.0.1", hosts: ["box.example:8787"]))
    let answer = try await site.ask("GET", "/healthz", headers: ["host": name])
    #expect(answer.status == status)
  }

  /// Where others reach it, any address will do: no DNS leads it elsewhere. Names are another matter.
  @Test(arguments: [
    ("10.0.0.7", 200), ("10.0.0.7:8787", 200), ("[fe80::1]", 200), ("[2001:db8::7]:8787", 200), ("0.0.0.0:8787", 200),
    ("127.0.0.1", 200), ("localhost:8787", 200), ("Box-1:8787", 200), ("box.example", 200),
    ("evil.example", 421), ("10.0.0.7.evil.example", 421), ("10.0.0.7.evil.example:8787", 421),
    ("box-1.evil.example", 421), ("[2001:db8::7].evil.example", 421), ("2001:db8::7.evil.example", 421),
    ("10.0.0.7@evil.example", 421), ("evil.example:10.0.0.7", 421), ("10.0.0", 421), ("10.0.0.256", 421),
    ("0x0a.0.0.7", 421), ("167772167", 421), ("10-0-0-7.evil.example", 421), ("[fe80::1%25eth0]", 421),
  ])
  func anAddressIsNobodysName(_ name: String, _ status: Int) async throws {
    for listen in ["0.0.0.0", "::", "10.0.0.7"] {
      let rules = AccessRules(listen: listen, machine: "box-1", hosts: ["box.example"], token: "s3cret")
      let answer = try await host.site(rules).ask("GET", "/healthz", headers: ["host": name])
      #expect(answer.status == status && (status == 200 || answer.code == "unknown_host"))
    }
  }

  @Test(arguments: [
    nil, "Bearer", "Bearer ", "Bearer wrong!", "Bearer s3cret!!", "Basic s3cret!", "s3cret!", "Bearer s3cret",
  ])
  func withoutTheTokenEveryAddressGivesOneAnswer(_ field: String?) async throws {
    let site = host.site(AccessRules(listen: "127.0.0.1", token: "s3cret!"))
    let headers = field.map { ["authorization": $0] } ?? [:]
    var bodies: Set<[UInt8]> = []
    for (method, target) in [
      ("GET", "/api/v1/tasks"), ("GET", "/nowhere"), ("POST", "/api/v1/tasks/heartbeat/run"), ("GET", "/metrics"),
      ("GET", "/"), ("DELETE", "/api/v1/tasks/heartbeat"), ("GET", "/api/v1/tasks/unknown"), ("GET", "/healthz/"),
    ] {
      let answer = try await site.ask(method, target, headers: headers)
      #expect(answer.status == 401)
      #expect(answer.response.header("WWW-Authenticate") == "Bearer")
      bodies.insert(answer.response.body)
    }
    #expect(bodies.count == 1)
    #expect(host.seen.starts.isEmpty)
  }

  @Test func withTheTokenAllIsOpen() async throws {
    let site = host.site(AccessRules(listen: "0.0.0.0", token: "s3cret!"))
    #expect(try await site.ask("GET", "/api/v1/tasks", headers: ["authorization": "bearer s3cret!"]).status == 200)
    #expect(try await site.ask("GET", "/healthz").status == 200)
    #expect(try await site.ask("GET", "/readyz").status == 200)
  }

  @Test(arguments: [
    "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "application/jsonx",
    "text/plain; application/json",
  ])
  func aWriteNeedsJSON(_ type: String) async throws {
    let answer = try await host.site().ask("POST", "/api/v1/tasks/heartbeat/run", headers: ["content-type": type])
    #expect(answer.code == "not_json")
    #expect(answer.status == 415)
    #expect(host.seen.starts.isEmpty)
  }

  @Test func aCharacterSetMayBeNamed() async throws {
    let type = "Application/JSON; charset=utf-8"
    let answer = try await host.site().ask("POST", "/api/v1/tasks/heartbeat/run", headers: ["content-type": type])
    #expect(answer.status == 202)
  }

  @Test(arguments: [
    (["origin": "http://127.0.0.1:8787"], true), (["origin": "https://127.0.0.1:8787"], true),
    (["origin": "http://127.0.0.1:9999"], false), (["origin": "http://evil.example"], false),
    (["origin": "null"], false),
    (["origin": "http://127.0.0.1:8787/"], false), (["origin": "http://127.0.0.1:8787.evil.example"], false),
    (["origin": "https://front.example"], false), (["sec-fetch-site": "cross-site"], false),
    (["sec-fetch-site": "same-site"], false), (["sec-fetch-site": "same-origin"], true),
    (["sec-fetch-site": "none"], true),
  ])
  func aPageOfAnotherOriginMayChangeNothing(_ headers: [String: String], _ isAllowed: Bool) async throws {
    let site = host.site(AccessRules(listen: "127.0.0.1", origins: ["https://front.example"]))
    let answer = try await site.ask("POST", "/api/v1/tasks/heartbeat/run", headers: headers)
    #expect(answer.status == (isAllowed ? 202 : 403))
    #expect(host.seen.starts.count == (isAllowed ? 1 : 0))
    #expect(answer.response.header("Access-Control-Allow-Origin") == nil)
    #expect(
      try await site.ask("OPTIONS", "/api/v1/tasks", headers: headers).response.header("Access-Control-Allow-Origin")
        == nil)
  }

  @Test(arguments: [
    ("GET", "/nowhere", 404, "not_found"), ("GET", "/api/v1/tasks/", 404, "unknown_task"),
    ("GET", "/api/v1/tasks/..", 404, "unknown_task"), ("GET", "/api/v1/tasks/%2e%2e%2fconfig", 404, "unknown_task"),
    ("GET", "/api/v1//tasks", 404, "not_found"), ("GET", "/%2e%2e/%2e%2e/etc/passwd", 404, "not_found"),
    ("GET", "/../../etc/passwd", 404, "not_found"), ("GET", "/api/v1/runs/%00", 404, "unknown_run"),
    ("DELETE", "/api/v1/tasks/heartbeat", 405, "method_not_allowed"), ("PUT", "/healthz", 405, "method_not_allowed"),
    ("POST", "/api/v1/tasks", 405, "method_not_allowed"),
    ("GET", "/api/v1/tasks/heartbeat/run", 405, "method_not_allowed"),
    ("BREW", "/healthz", 405, "method_not_allowed"), ("TRACE", "/readyz", 405, "method_not_allowed"),
    ("GET", "/api/v1/tasks/%3Cscript%3E", 404, "unknown_task"),
  ])
  func everythingElseIsAProblem(_ method: String, _ target: String, _ status: Int, _ code: String) async throws {
    let answer = try await host.site().ask(method, target)
    #expect(answer.status == status)
    #expect(answer.code == code)
    #expect(answer.response.header("Content-Type") == "application/problem+json")
    #expect(answer.document["status"] == .integer(status))
  }

  @Test func saysWhichMethodsThereAre() async throws {
    let site = host.site()
    #expect(try await site.ask("POST", "/api/v1/tasks").response.header("Allow") == "GET, HEAD, OPTIONS")
    let answer = try await site.ask("OPTIONS", "/api/v1/tasks/heartbeat")
    #expect(answer.status == 204)
    #expect(answer.response.header("Allow") == "GET, HEAD, OPTIONS, PATCH")
    let head = try await site.ask("HEAD", "/healthz")
    #expect(head.status == 200 && head.response.body.isEmpty)
  }

  @Test(arguments: ["", "api", "http://evil.example/", "*", "/%", "/%2", "/%zz", "/%ff", "/a?b=%ff", "//%c0%af"])
  func readsPathsOnly(_ target: String) {
    #expect(WebRequest("GET", target) == nil)
  }

  @Test func readsPartsAndParameters() throws {
    let request = try #require(WebRequest("GET", "/a%2Fb/c%20d+e/?x=1+2&y&z=%26&x=3#part?q=1"))
    #expect(request.path == ["a/b", "c d+e", ""])
    #expect(request.query == ["x": "3", "y": "", "z": "&"])
  }
}
