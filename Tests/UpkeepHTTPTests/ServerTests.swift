import Foundation
import Synchronization
import Testing
import UpkeepCore
import UpkeepTestKit

@testable import UpkeepHTTP

/// The server on a real socket.
@Suite struct ServerTests {
  private func serving(
    _ site: Site? = nil, connections: Int = 512, _ body: @escaping @Sendable (Int) async throws -> Void
  ) async throws {
    let host = FakeHost()
    let server = WebServer(
      site ?? host.site(), host: "127.0.0.1", port: 0, wallClock: host.wallClock, clock: ContinuousClock(),
      connections: connections)
    let (ports, send) = AsyncStream.makeStream(of: Int.self)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.run { send.yield($0) } }
      var iterator = ports.makeAsyncIterator()
      let port = try #require(await iterator.next())
      try await body(port)
      group.cancelAll()
    }
  }

  @Test func answersOnOneConnectionAgainAndAgain() async throws {
    try await serving { port in
      let socket = try ClientSocket(port: port)
      for _ in 0..<3 {
        try await socket.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let answer = try await socket.answer()
        #expect(answer.status == 200)
        #expect(answer.body == #"{"status":"ok"}"#)
        #expect(answer.headers["content-type"] == "application/json")
        #expect(answer.headers["date"] == "Mon, 24 Nov 2025 16:00:00 GMT")
        #expect(answer.headers["x-content-type-options"] == "nosniff")
        #expect(answer.headers["cache-control"] == "no-store")
        #expect(answer.headers["content-security-policy"]?.hasPrefix("default-src 'none'; script-src 'self';") == true)
      }
      // What GET would have got, without it; a stream has no length.
      for (path, length) in [("/healthz", "15"), ("/api/v1/events", "0")] {
        try await socket.send("HEAD \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let head = try await socket.answer(hasBody: false)
        #expect(head.status == 200 && head.headers["content-length"] == length)
        #expect(head.headers["transfer-encoding"] == nil)
      }
      try await socket.send("OPTIONS /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
      #expect(try await socket.answer().status == 204)
    }
  }

  /// A disk that hangs, say: whoever asks for something else isn't kept waiting, whichever thread looks after them.
  @Test func aRouteThatHoldsItsThreadHoldsNobodyElseUp() async throws {
    // One after the other: each holds one of the few threads that all tests share.
    for isQuickAtTimes in [false, true] { try await askBesideOneWhoWaits(isQuickAtTimes: isQuickAtTimes) }
  }

  private func askBesideOneWhoWaits(isQuickAtTimes: Bool) async throws {
    let (begun, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    @Sendable func hold() {
      begun.signal()
      // Where nobody else got through after all, the thread is wanted back.
      _ = gate.wait(timeout: .now() + 20)
    }
    let host = FakeHost()
    var slow = Route("GET", "/slow", "Takes long", answers: []) { _ in
      hold()
      return .text("at last")
    }
    if isQuickAtTimes { slow = slow.quick { false } }
    let rules = AccessRules(listen: "127.0.0.1")
    let sessions = Sessions(wallClock: host.wallClock, random: SeededRandom())
    try await serving(Site(routes: host.site().routes + [slow], rules: rules, sessions: sessions)) { port in
      defer { gate.signal() }
      let waiting = try ClientSocket(port: port)
      try await waiting.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
      await withCheckedContinuation { done in
        DispatchQueue.global().async {
          begun.wait()
          done.resume()
        }
      }
      // As many as there may be threads for connections, and one more.
      for _ in 0...ProcessInfo.processInfo.activeProcessorCount {
        let socket = try ClientSocket(port: port)
        try await socket.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(try await socket.answer().status == 200)
      }
      gate.signal()
      #expect(try await waiting.answer().body == "at last")
    }
  }

  @Test func takesABodyThatComesInPieces() async throws {
    try await serving { port in
      let socket = try ClientSocket(port: port)
      try await socket.send(
        "POST /api/v1/tasks/heartbeat/pause HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
          + "Transfer-Encoding: chunked\r\n\r\n")
      try await socket.send("8\r\n{\"for\": \r\n")
      try await socket.send("5\r\n\"2h\"}\r\n0\r\n\r\n")
      #expect(try await socket.answer().status == 200)
    }
  }

  @Test func aLongBodyEndsTheConnection() async throws {
    try await serving { port in
      let head = "POST /api/v1/tasks/heartbeat/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      let announced = try ClientSocket(port: port)
      try await announced.send(head + "Content-Length: 1073741824\r\n\r\n")
      let answer = try await announced.answer()
      #expect(answer.status == 413 && answer.headers["connection"] == "close")
      #expect(try await announced.isClosed())
      // Who sends the body all the same isn't cut off before there was time to read the answer.
      let deaf = try ClientSocket(port: port)
      try await deaf.send(head + "Content-Length: 1073741824\r\n\r\n")
      #expect(try await deaf.answer().status == 413)
      for _ in 0..<3 { try await deaf.send("some of it") }
      #expect(try await deaf.isClosed())
      let chunked = try ClientSocket(port: port)
      try await chunked.send(head + "Transfer-Encoding: chunked\r\n\r\n")
      let piece = "10000\r\n" + String(repeating: " ", count: 65_536) + "\r\n"
      // The server stops reading at some point, and then the connection breaks.
      for _ in 0..<64 { try? await chunked.send(piece) }
      let status = try? await chunked.answer().status
      #expect(status ?? 413 == 413)
    }
  }

  @Test(arguments: [
    ("GET /healthz HTTP/1.1\r\n\r\n", 400), ("GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
    ("GET http://evil.example/x HTTP/1.1\r\nHost: localhost\r\n\r\n", 421), ("NONSENSE\r\n\r\n", 400),
    ("GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    ("POST /api/v1/tasks/heartbeat/run HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 415),
  ])
  func foreignRequestsAreTurnedAway(_ request: String, _ status: Int) async throws {
    try await serving { port in
      let socket = try ClientSocket(port: port)
      try await socket.send(request)
      #expect(try await socket.answer().status == status)
    }
  }

  @Test func requestsThatAreSentAtOnceAreAnsweredInTheirOrder() async throws {
    try await serving { port in
      let socket = try ClientSocket(port: port)
      let paths = (0..<200).map { $0 % 3 == 0 ? "/healthz" : $0 % 3 == 1 ? "/nothing/\($0)" : "/api/v1/tasks" }
      try await socket.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: localhost\r\n\r\n" }.joined())
      for path in paths {
        let answer = try await socket.answer()
        switch path {
        case "/healthz": #expect(answer.body == #"{"status":"ok"}"#)
        case "/api/v1/tasks": #expect(answer.body.hasPrefix(#"{"tasks":["#))
        default: #expect(answer.status == 404 && answer.body.contains("nothing at \(path)\""))
        }
      }
    }
  }

  @Test func whoHasSaidAllGetsTheAnswersAndThenTheEnd() async throws {
    try await serving { port in
      let socket = try ClientSocket(port: port)
      try await socket.send(String(repeating: "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", count: 3))
      socket.endInput()
      for _ in 0..<3 { #expect(try await socket.answer().status == 200) }
      #expect(try await socket.isClosed())
      let silent = try ClientSocket(port: port)
      silent.endInput()
      #expect(try await silent.isClosed())
    }
  }

  @Test(arguments: [
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n",
  ])
  func theConnectionEndsWithAnAnswerWhereTheClientWantsIt(_ request: String) async throws {
    try await serving { port in
      let socket = try ClientSocket(port: port)
      try await socket.send(request)
      let answer = try await socket.answer()
      #expect(answer.status == 200 && answer.headers["connection"] == "close")
      #expect(try await socket.isClosed())
    }
  }

  @Test func aTargetThatNamesItsServerIsHeldToThatName() async throws {
    try await serving { port in
      let socket = try ClientSocket(port: port)
      try await socket.send("GET http://localhost/healthz?x=1 HTTP/1.1\r\nHost: evil.example\r\n\r\n")
      #expect(try await socket.answer().status == 200)
      try await socket.send("GET HTTP://localhost HTTP/1.1\r\nHost: localhost\r\n\r\n")
      #expect(try await socket.answer().status == 200)
      try await socket.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
      let answer = try await socket.answer()
      #expect(answer.status == 400 && answer.body.contains(#""code":"two_hosts""#))
      #expect(try await socket.isClosed())
    }
  }

  /// A site with one more route.
  private func site(_ route: Route) -> Site {
    let host = FakeHost()
    let sessions = Sessions(wallClock: host.wallClock, random: SeededRandom())
    return Site(routes: host.site().routes + [route], rules: AccessRules(listen: "127.0.0.1"), sessions: sessions)
  }

  @Test func whoHasSaidAllWhileALongAnswerIsOnItsWayGetsAllOfIt() async throws {
    let length = 12_000_000
    let long = Route("GET", "/long", "Is long", answers: []) { _ in
      .text(String(repeating: "a", count: length))
    }
    try await serving(site(long)) { port in
      for isAnnounced in [false, true] {
        let socket = try ClientSocket(port: port, receiveBuffer: 4096)
        try await socket.send(
          "GET /long HTTP/1.1\r\nHost: localhost\r\n\(isAnnounced ? "Connection: close\r\n" : "")\r\n")
        var text = try await socket.read(until: "aaaa")
        socket.endInput()
        text += try await socket.read(until: "never")
        #expect(text.count { $0 == "a" } >= length, "\(text.count)")
      }
    }
  }

  @Test func whoSaysNothingMoreAndAsksForEventsIsLetGo() async throws {
    try await serving { port in
      let socket = try ClientSocket(port: port)
      try await socket.send("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
      socket.endInput()
      #expect(try await socket.isClosed())
    }
  }

  /// What is sent while an answer is being made stays in the system's hands.
  @Test func takesNoMoreThanItCanAnswer() async throws {
    let (begun, send) = AsyncStream.makeStream(of: Void.self)
    let slow = Route("GET", "/slow", "Never ends by itself", answers: []) { _ in
      send.yield()
      for await _ in AsyncStream.makeStream(of: Never.self).stream {}
      return .text("over")
    }
    try await serving(site(slow)) { port in
      let socket = try ClientSocket(port: port, sendPatience: 2)
      try await socket.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
      var iterator = begun.makeAsyncIterator()
      await iterator.next()
      let piece = String(repeating: "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", count: 20_000)
      var sent = 0
      while sent < 64, (try? await socket.send(piece)) != nil { sent += 1 }
      #expect(sent < 32, "\(sent * piece.utf8.count / 1_000_000) MB were taken")
    }
  }

  @Test func takesNoMoreConnectionsThanItMay() async throws {
    try await serving(connections: 2) { port in
      let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
      var held: [ClientSocket] = []
      for _ in 0..<2 {
        held.append(try ClientSocket(port: port))
        try await held.last?.send(request)
        #expect(try await held.last?.answer().status == 200)
      }
      let third = try ClientSocket(port: port)
      try await third.send(request)
      // The others are still served.
      for _ in 0..<20 {
        try await held[0].send(request)
        #expect(try await held[0].answer().status == 200)
      }
      #expect(!third.hasInput)
      held.removeLast()
      #expect(try await third.answer().status == 200)
    }
  }

  @Test func theEndOfTheServerEndsWhatItAnswersAndItsConnections() async throws {
    let (begun, send) = AsyncStream.makeStream(of: Void.self)
    let (ended, tell) = AsyncStream.makeStream(of: Bool.self)
    let host = FakeHost()
    let slow = Route("GET", "/slow", "Never ends by itself", answers: []) { _ in
      send.yield()
      for await _ in AsyncStream.makeStream(of: Never.self).stream {}
      tell.yield(Task.isCancelled)
      return .text("over")
    }
    let sessions = Sessions(wallClock: host.wallClock, random: SeededRandom())
    let site = Site(routes: [slow], rules: AccessRules(listen: "127.0.0.1"), sessions: sessions)
    let sockets = Mutex<[ClientSocket]>([])
    try await serving(site) { port in
      let (waiting, idle) = (try ClientSocket(port: port), try ClientSocket(port: port))
      try await waiting.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
      sockets.withLock { $0 = [waiting, idle] }
      var iterator = begun.makeAsyncIterator()
      await iterator.next()
    }
    var iterator = ended.makeAsyncIterator()
    #expect(await iterator.next() == true)
    for socket in sockets.withLock(\.self) { #expect(try await socket.isClosed()) }
  }

  @Test func manyOrLongHeaderFieldsAreTurnedAway() async throws {
    try await serving { port in
      for fields in [
        (0..<200).map { "X-\($0): 1\r\n" }.joined(), "X: \(String(repeating: "a", count: 20_000))\r\n",
      ] {
        let socket = try ClientSocket(port: port)
        try? await socket.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n")
        let answer = try? await socket.answer()
        #expect(answer?.status ?? 400 == 400)
        #expect(answer?.body.contains(#""code":"not_http""#) ?? true)
      }
      let socket = try ClientSocket(port: port)
      try await socket.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
      #expect(try await socket.answer().status == 200)
    }
  }

  @Test func anAddressThatIsTakenIsNamed() async throws {
    try await serving { port in
      let host = FakeHost()
      let second = WebServer(
        host.site(), host: "127.0.0.1", port: port, wallClock: host.wallClock, clock: ContinuousClock())
      await #expect {
        try await second.run { _ in }
      } throws: { error in
        (error as? TaskError)?.code == "cannot_listen"
      }
    }
  }
}
