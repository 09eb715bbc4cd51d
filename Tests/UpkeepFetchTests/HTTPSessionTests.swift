import Foundation
import Testing
import UpkeepCore
import UpkeepDemo
import UpkeepFetch
import UpkeepTestKit

/// Many requests over kept connections, to real sockets on the loopback interface.
@Suite struct HTTPSessionTests {
  private static func server() -> StandInPlatforms {
    StandInPlatforms(StandInOdds(events: 4, tournaments: 1, firstKickoff: ManualWallClock.noon))
  }

  private func code(_ fetcher: any Fetcher, _ request: FetchRequest) async -> String {
    do {
      return "\(try await fetcher.fetch(request).status)"
    } catch {
      return (error as? TaskError)?.code ?? "\(error)"
    }
  }

  @Test func readsCompressedAnswers() async throws {
    let server = Self.server()
    try await server.serve { () async throws in
      let request = FetchRequest("\(server.url("bet9ja"))/GetEvent?EVENTID=70000001")
      let plain = try await HTTPFetcher(clock: ContinuousClock()).fetch(request)
      let packed = try await HTTPFetcher(clock: ContinuousClock()).keepingConnections { try await $0.fetch(request) }
      #expect(packed == plain)
      #expect(packed.body.first == UInt8(ascii: "{"))
    }
  }

  @Test func followsRedirectsToTheSameSiteAlone() async throws {
    let server = Self.server()
    try await server.serve { () async throws in
      try await HTTPFetcher(clock: ContinuousClock()).keepingConnections { fetcher in
        var request = FetchRequest("\(server.url("betpawa"))/api/sportsbook/v3/events/30000001", redirects: 3)
        server.setFaults([StandInFault(.moved, on: .event)], of: "betpawa")
        #expect(await code(fetcher, request) == "200")
        request.redirects = 0
        #expect(await code(fetcher, request) == "302")
        request.redirects = 3
        server.setFaults([StandInFault(.movedAway, on: .event)], of: "betpawa")
        #expect(await code(fetcher, request) == "fetch_redirect")
      }
    }
  }

  @Test(arguments: [
    (StandInFault.Kind.cutOff, "fetch_failed"), (.huge, "fetch_too_large"), (.broken, "500"), (.slow, "fetch_timeout"),
  ]) func saysWhatWentWrong(kind: StandInFault.Kind, code: String) async throws {
    let server = Self.server()
    try await server.serve { () async throws in
      server.setFaults([StandInFault(kind, on: .event)], of: "betpawa")
      try await HTTPFetcher(clock: ContinuousClock()).keepingConnections { fetcher in
        let request = FetchRequest(
          "\(server.url("betpawa"))/api/sportsbook/v3/events/30000001",
          timeout: kind == .slow ? .milliseconds(100) : .seconds(20), maxBytes: 1 << 17)
        #expect(await self.code(fetcher, request) == code)
      }
    }
  }

  /// What is left on a connection after an answer that wasn't as it should be spoils nobody else's next one.
  @Test func keepsAConnectionForWhomItWasMade() async throws {
    // Each connection is answered once, and kept.
    let server = try StubServer(.stalls("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
    try await HTTPFetcher(clock: ContinuousClock()).keepingConnections { fetcher in
      func ask(_ party: String) async -> String {
        await code(fetcher, FetchRequest(server.url(), timeout: .milliseconds(500), party: party))
      }
      #expect(await ask("betpawa") == "200")
      #expect(await ask("bet9ja") == "200")
      #expect(await ask("betpawa") == "fetch_timeout")
    }
  }

  /// The proxy of the environment gets the request, and this machine is asked without it.
  @Test func asksThroughTheProxyOfTheEnvironment() async throws {
    let proxy = try StubServer.json("no", status: "403 Forbidden")
    let server = try StubServer.json(#"{"from":"server"}"#)
    let fetcher = HTTPFetcher(clock: ContinuousClock(), environment: ["http_proxy": proxy.url()])
    try await fetcher.keepingConnections { session in
      #expect(await code(session, FetchRequest("http://upkeep.invalid/a")) == "fetch_failed")
      let near = try await session.fetch(FetchRequest(server.url("/a")))
      #expect(String(decoding: near.body, as: UTF8.self) == #"{"from":"server"}"#)
    }
    #expect(proxy.requests.count == 1)
    #expect(proxy.requests.first?.hasPrefix("CONNECT upkeep.invalid:80 ") ?? false)
  }

  @Test func readsTheEnvironmentAsOtherProgramsDo() throws {
    let rules = ProxyRules(environment: [
      "HTTPS_PROXY": "http://me:secret@proxy.example:3128", "no_proxy": "example.org, .internal",
    ])
    let proxy = rules.proxy(for: try #require(URL(string: "https://www.betpawa.ng/a")))
    #expect(proxy?.host == "proxy.example")
    #expect(proxy?.port == 3128)
    #expect(proxy?.user == "me")
    for address in [
      "http://www.betpawa.ng", "https://example.org", "https://a.example.org", "https://a.internal",
      "https://localhost", "https://127.0.0.1:80",
    ] { #expect(rules.proxy(for: try #require(URL(string: address))) == nil, "\(address)") }
  }
}
