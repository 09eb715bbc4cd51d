import Foundation
import Synchronization
import Testing

@testable import UpkeepHost

@Suite(.serialized) struct MemoryAtRestTests {
  /// What of files is in this process's memory, in KiB.
  private func ofFiles() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("RssFile:") })
    return try #require(Int(line.filter(\.isNumber)))
  }

  @Test func givesBackTheProgramsOwnPagesAndStillWorks() throws {
    // Other tests fetch what they use at once, and some of them have just given it back themselves.
    let hasFallen = try (1...50).contains { _ in
      let before = try ofFiles()
      #expect(MemoryAtRest(elapsed: { .zero }).turned(working: 0))
      return try ofFiles() < before
    }
    #expect(hasFallen)
    #expect(try JSONDecoder().decode([String: Int].self, from: Data(#"{"a": 1}"#.utf8)) == ["a": 1])
  }

  @Test func leavesAloneWhatIsUsed() {
    let now = Mutex(Duration.zero)
    let sharedNow = { @Sendable in now.withLock { $0 } }
    let memory = MemoryAtRest(elapsed: sharedNow)
    func turned(at time: Duration, working: Int) -> Bool {
      now.withLock { $0 = time }
      return memory.turned(working: working)
    }
    // At its beginning even where runs work: that is when the configuration has been read.
    #expect(turned(at: .zero, working: 3))
    #expect(!turned(at: MemoryAtRest.interval - .nanoseconds(1), working: 0))
    #expect(!turned(at: MemoryAtRest.interval, working: 1))
    #expect(turned(at: MemoryAtRest.interval, working: 0))
    #expect(!turned(at: MemoryAtRest.interval * 2 - .nanoseconds(1), working: 0))
    #expect(turned(at: MemoryAtRest.interval * 2, working: 0))
  }
}
