import Foundation
import Testing
import UpkeepTestKit

/// Attacks on the real process: none gets through, none costs much, and the schedule goes on.
@Suite(.timeLimit(.minutes(6))) struct AttackTests {
  private static let tasks =
    "  tick: { plugin: noop, interval: 1s }\n  long: { plugin: noop, settings: { duration: 1h } }\n"

  /// Serves while `body` attacks, and looks afterwards whether the host took harm.
  private func attacking(_ body: (Int) async throws -> Void) async throws {
    let place = try Workplace("version: 1\nhost: { listen: \"127.0.0.1:0\" }\ntasks:\n\(Self.tasks)")
    let serve = try place.start(["serve"])
    let line = try await serve.waitForError(containing: "serving address=")
    let address = line.split(separator: " ").first { $0.hasPrefix("address=") }
    let port = try #require(address?.split(separator: ":").last.flatMap { Int($0) })
    try await body(port)
    // The schedule goes on.
    for _ in 1...2 { _ = try await serve.waitForError(containing: "task=tick trigger=scheduled") }
    #expect(try await ClientSocket.ask(port, "GET", "/healthz").status == 200)
    let status = try String(contentsOfFile: "/proc/\(serve.pid)/status", encoding: .utf8)
    let peak = try #require(status.firstMatch(of: /VmHWM:\s+(\d+) kB/).flatMap { Int($0.1) })
    #expect(peak < 100_000, "it took \(peak) kB")
    serve.signal(SIGTERM)
    #expect(await serve.outcome().status == 0)
    // Whatever an attack asked for, nothing ran but what the schedule started.
    let runs = try #require(try await place.run("history", "--json").json()["runs"] as? [[String: Any]])
    #expect(runs.allSatisfy { $0["trigger"] as? String == "scheduled" })
  }

  @Test func foreignHostsAndOriginsGetNothing() async throws {
    try await attacking { port in
      let run = "/api/v1/tasks/long/run"
      for headers in [
        ["Host": "evil.example"], ["Host": "127.0.0.1.evil.example:\(port)"],
        ["Host": "10.1.2.3"], ["Host": "[::1].evil.example"], ["Origin": "http://evil.example"],
        ["Origin": "null"], ["Sec-Fetch-Site": "cross-site"],
        ["Content-Type": "text/plain"], ["Content-Type": "application/x-www-form-urlencoded"],
      ] {
        #expect(try await ClientSocket.ask(port, "POST", run, "{}", headers: headers).status >= 403, "\(headers)")
      }
      let read = try await ClientSocket.ask(port, "GET", "/api/v1/tasks", headers: ["Origin": "http://evil.example"])
      #expect(read.headers["access-control-allow-origin"] == nil)
      let asked = try await ClientSocket.ask(port, "OPTIONS", run, headers: ["Origin": "http://evil.example"])
      #expect(asked.headers["access-control-allow-origin"] == nil)
      #expect(asked.headers["access-control-allow-methods"] == nil)
    }
  }

  @Test func beyondLoopbackAddressesAndItsOwnNameLeadToItAndForeignNamesDoNot() async throws {
    let place = try Workplace("version: 1\nhost: { listen: \"0.0.0.0:0\" }\ntasks:\n\(Self.tasks)")
    try await ApiTests.serving(place, environment: ["UPKEEP_TOKEN": "s3cret"]) { port in
      let own = ProcessInfo.processInfo.hostName
      for name in ["127.0.0.1:\(port)", "10.1.2.3:\(port)", "[::1]:\(port)", "[fe80::1]", "localhost", own] {
        let headers = ["Host": name, "Authorization": "Bearer s3cret"]
        #expect(try await ClientSocket.ask(port, "GET", "/api/v1/tasks", headers: headers).status == 200, "\(name)")
        #expect(try await ClientSocket.ask(port, "GET", "/api/v1/tasks", headers: ["Host": name]).status == 401)
      }
      for name in [
        "evil.example", "10.1.2.3.evil.example:\(port)", "\(own).evil.example", "[::1].evil.example", "0x7f.1",
        "2130706433",
      ] {
        for (method, path) in [("GET", "/api/v1/tasks"), ("POST", "/api/v1/tasks/long/run"), ("GET", "/healthz")] {
          let headers = ["Host": name, "Authorization": "Bearer s3cret"]
          let answer = try await ClientSocket.ask(port, method, path, method == "GET" ? nil : "{}", headers: headers)
          #expect(answer.status == 421, "\(name)")
        }
      }
    }
  }

  @Test func pathsThatClimbFindNothing() async throws {
    try await attacking { port in
      for path in [
        "/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/assets/../../etc/passwd", "/assets/%2e%2e%2fapp.js",
        "/assets/app.css%00", "/..%5c..%5cetc", "//etc/passwd", "/tasks/..%2f..%2fetc%2fpasswd", "/runs/%00",
        "/api/v1/runs/..%2f..%2f..%2fetc%2fpasswd", "/%c0%ae%c0%ae/etc/passwd",
      ] {
        let answer = try await ClientSocket.ask(port, "GET", path)
        #expect([400, 404].contains(answer.status), "\(path): \(answer.status)")
        #expect(!answer.body.contains("root:"))
      }
    }
  }

  @Test func aBodyOfAGigabyteIsCutOff() async throws {
    try await attacking { port in
      let head = "POST /api/v1/tasks/long/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      let announced = try ClientSocket(port: port)
      try await announced.send(head + "Content-Length: 1073741824\r\n\r\n")
      #expect(try await announced.answer().status == 413)
      let chunked = try ClientSocket(port: port)
      try await chunked.send(head + "Transfer-Encoding: chunked\r\n\r\n")
      let piece = "100000\r\n" + String(repeating: "a", count: 1 << 20) + "\r\n"
      var sent = 0
      // A gigabyte, or as much of it as is taken.
      while sent < 1024 {
        do { try await chunked.send(piece) } catch { break }
        sent += 1
      }
      #expect(sent < 64, "\(sent) MB were taken")
    }
  }

  @Test func aThousandSlowConnectionsAreEndured() async throws {
    try await attacking { port in
      // In a process of its own: this one may hold only so many files.
      let attack = """
        import socket, sys
        held = []
        for number in range(1000):
            s = socket.socket()
            s.settimeout(5)
            try:
                s.connect(("127.0.0.1", \(port)))
                s.sendall(b"GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nX-Slow: ")
                held.append(s)
            except OSError:
                pass
        print(len(held), flush=True)
        sys.stdin.read()
        """
      let attacker = try ChildProcess("python3", ["-c", attack], holdsInput: true)
      let held = await attacker.output.lines().first { _ in true } ?? ""
      #expect(Int(held) ?? 0 > 500, "\(held)")
      // The slow ones are cut off while they are still held open, and then there is room for others.
      var status: Int?
      while status == nil, !Task.isCancelled { status = try? await ClientSocket.ask(port, "GET", "/healthz").status }
      #expect(status == 200)
      attacker.closeInput()
      await attacker.status()
    }
  }

  @Test func whoAsksOnAndReadsNothingIsCutOff() async throws {
    try await attacking { port in
      let socket = try ClientSocket(port: port, receiveBuffer: 4096)
      let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
      // More than all that lies between the two can hold.
      await #expect(throws: ClientSocket.Failure.self) {
        try await socket.send(String(repeating: request, count: 600_000))
      }
    }
  }

  @Test func listenersThatDoNotReadHoldNothingUp() async throws {
    try await attacking { port in
      var sleepers: [ClientSocket] = []
      for _ in 0..<50 {
        let socket = try ClientSocket(port: port)
        try await socket.send("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        sleepers.append(socket)
      }
      for _ in 0..<200 {
        let answer = try await ClientSocket.ask(
          port, "POST", "/api/v1/tasks/tick/pause", #"{"why": "an attack"}"#)
        #expect(answer.status == 200)
        #expect(try await ClientSocket.ask(port, "POST", "/api/v1/tasks/tick/resume", "{}").status == 200)
      }
      #expect(sleepers.count == 50)
    }
  }
}
