import Foundation
import Testing
import UpkeepTestKit

/// Many who listen to the real process at once.
@Suite(.timeLimit(.minutes(15))) struct ListenerTests {
  private static let tasks = """
      one: { plugin: noop, interval: 1s, settings: { duration: 300ms } }
      two: { plugin: noop, interval: 1s, settings: { duration: 500ms } }
      three: { plugin: noop }

    """

  @Test func fiftyListenersSeeEveryEventOnceAndInOrderBesideOneThatDoesNotRead() async throws {
    let isSoak = ProcessInfo.processInfo.environment["UPKEEP_SOAK"] == "1"
    try await ApiTests.serving(Self.tasks) { _, port in
      let request = "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
      let sleeper = try ClientSocket(port: port)
      try await sleeper.send(request)
      var listeners: [ClientSocket] = []
      for _ in 0..<50 {
        let listener = try ClientSocket(port: port)
        try await listener.send(request)
        #expect(try await listener.read(until: "text/event-stream").contains("200 OK"))
        listeners.append(listener)
      }
      // Each reads until the last of these runs has ended; the schedule's runs come in between.
      let count = isSoak ? 3000 : 100
      let heard = try await withThrowingTaskGroup(of: [Int].self) { group in
        for listener in listeners {
          group.addTask {
            try await Self.numbers(
              in: listener.read(until: #""status":"completed","tables":[],"task":"three""#, count: count))
          }
        }
        group.addTask {
          for _ in 0..<count {
            let answer = try await ClientSocket.ask(port, "POST", "/api/v1/tasks/three/run?wait=true", "{}")
            #expect(answer.status == 200)
          }
          return []
        }
        return try await group.reduce(into: []) { $0.append($1) }.filter { !$0.isEmpty }
      }
      #expect(heard.count == 50)
      for numbers in heard {
        let first = try #require(numbers.first)
        #expect(numbers == Array(first..<first + numbers.count))
        #expect(numbers.count > count * 2)
      }
      withExtendedLifetime(sleeper) {}
    }
  }

  /// The numbers of the events in a stream, in the order in which they came.
  private static func numbers(in text: String) -> [Int] {
    text.replacing("\r\n", with: "\n").split(separator: "\n").filter { $0.hasPrefix("id: ") }.compactMap {
      $0.split(separator: "-").last.flatMap { Int($0) }
    }
  }
}
