import Testing
import UpkeepCore

import UpkeepTestKit

@testable import UpkeepHTTP

/// Logging in with a browser.
@Suite struct LoginTests {
  private let host = FakeHost()
  private let site: Site

  init() {
    site = host.site(AccessRules(listen: "127.0.0.1", token: "s3cret"))
  }

  private static let form = ["content-type": "application/x-www-form-urlencoded"]

  private func cookie() async throws -> String {
    let answer = try await site.ask("POST", "/login", "token=s3cret", headers: Self.form)
    #expect(answer.status == 303 && answer.response.header("Location") == "/")
    return String((answer.response.header("Set-Cookie") ?? "").prefix { $0 != ";" })
  }

  @Test func aBrowserGetsOnePageAtEveryAddress() async throws {
    var bodies: Set<String> = []
    for path in ["/", "/tasks/odds_retention", "/nowhere", "/api/v1/tasks"] {
      let answer = try await site.ask("GET", path, headers: ["accept": "text/html,*/*"])
      #expect(answer.status == 401)
      bodies.insert(answer.text)
    }
    #expect(bodies.count == 1)
    #expect(bodies.first?.contains("<form method=\"post\" action=\"/login\">") == true)
    #expect(try await site.ask("GET", "/login?style").response.header("Content-Type") == "text/css; charset=utf-8")
  }

  @Test func theCookieOpensUntilItEnds() async throws {
    let cookie = try await cookie()
    #expect(cookie.hasPrefix("upkeep_session=") && !cookie.contains("s3cret"))
    #expect(try await site.ask("GET", "/api/v1/tasks", headers: ["cookie": "a=b; \(cookie); c=d"]).status == 200)
    #expect(try await site.ask("GET", "/api/v1/tasks", headers: ["cookie": "upkeep_session="]).status == 401)
    #expect(try await site.ask("GET", "/api/v1/tasks", headers: ["cookie": "\(cookie)x"]).status == 401)
    host.wallClock.set(host.wallClock.now() + Sessions.length)
    #expect(try await site.ask("GET", "/api/v1/tasks", headers: ["cookie": cookie]).status == 401)
  }

  @Test func whoLogsOutIsOut() async throws {
    let cookie = try await cookie()
    let answer = try await site.ask("POST", "/logout", headers: ["cookie": cookie])
    #expect(answer.status == 204 && answer.response.header("Set-Cookie")?.contains("Max-Age=0") == true)
    #expect(try await site.ask("GET", "/api/v1/tasks", headers: ["cookie": cookie]).status == 401)
  }

  @Test(arguments: ["", "token=", "token=wrong!", "token=s3cret!", "other=s3cret", "token=s3cret&token=x"])
  func anythingElseIsNoToken(_ form: String) async throws {
    let answer = try await site.ask("POST", "/login", form, headers: Self.form)
    #expect(answer.status == 401 && answer.response.header("Set-Cookie") == nil)
    #expect(answer.text.contains("This isn&#39;t the token of this server."))
  }

  @Test func aPageOfAnotherOriginCanNotLogIn() async throws {
    let headers = Self.form.merging(["origin": "http://evil.example"]) { $1 }
    #expect(try await site.ask("POST", "/login", "token=s3cret", headers: headers).status == 403)
    // A form opens nothing but the page to log in at.
    let write = Self.form.merging(["authorization": "Bearer s3cret"]) { $1 }
    #expect(try await site.ask("POST", "/api/v1/tasks/heartbeat/run", "a=b", headers: write).status == 415)
  }

  @Test func withoutATokenNobodyLogsIn() async throws {
    let answer = try await host.site().ask("POST", "/login", "token=", headers: Self.form)
    #expect(answer.status == 401)
  }
}
