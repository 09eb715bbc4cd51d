import Testing
import UpkeepCore
import UpkeepDatabase

@testable import UpkeepPurge

struct BatchGovernorTests {
  @Test func growsAtMostTwofoldAndShrinksAtMostToAQuarter() {
    var governor = BatchGovernor()
    #expect(governor.size == 50)
    _ = governor.note(hold: .microseconds(1), rows: 50)
    #expect(governor.size == 100)
    _ = governor.note(hold: .seconds(1), rows: 100)
    #expect(governor.size == 25)
  }

  @Test func staysWithinItsBounds() {
    var governor = BatchGovernor()
    for _ in 0..<40 { _ = governor.note(hold: .microseconds(1), rows: governor.size) }
    #expect(governor.size == 20_000)
    for _ in 0..<40 { _ = governor.note(hold: .seconds(9), rows: governor.size) }
    #expect(governor.size == 8)
  }

  @Test func keepsItsSizeAfterABatchThatWasNotFull() {
    var governor = BatchGovernor()
    _ = governor.note(hold: .microseconds(1), rows: 3)
    #expect(governor.size == 50)
  }

  @Test func pausesOnlyWhileOthersWrite() {
    var governor = BatchGovernor()
    governor.note(version: 1, after: .zero)
    #expect(governor.note(hold: .milliseconds(7), rows: 50) == .microseconds(5500))
    governor.note(version: 1, after: .milliseconds(249))
    #expect(governor.othersWrite)
    governor.note(version: 1, after: .milliseconds(1))
    #expect(!governor.othersWrite)
    #expect(governor.note(hold: .milliseconds(7), rows: 50) == .zero)
    governor.note(version: 2, after: .milliseconds(1))
    #expect(governor.note(hold: .milliseconds(7), rows: 50) == .microseconds(5500))
  }

  /// A writer looks 1, 3, 8 and 18 ms after it found the lock taken.
  @Test func letsAWaitingWriterInAtItsThirdLookAtTheLatest() {
    let (hold, pause) = (BatchGovernor.hold.microseconds, BatchGovernor.pause.microseconds)
    for arrival in stride(from: 0, to: hold, by: 10) {
      let looks = [1000, 3000, 8000].map { arrival + $0 }
      #expect(looks.contains { $0 >= hold && $0 < hold + pause }, "a writer that came \(arrival) µs into a hold")
    }
  }

  @Test func checkpointsBeforeTheApplicationHasTo() {
    var governor = BatchGovernor()
    governor.note(version: 1, after: .zero)
    #expect(!governor.wantsCheckpoint(LogState(frames: 1799, checkpointed: 1000, pageSize: 4096)))
    #expect(governor.wantsCheckpoint(LogState(frames: 1800, checkpointed: 1000, pageSize: 4096)))
    governor.note(version: 1, after: .seconds(1))
    #expect(!governor.wantsCheckpoint(LogState(frames: 3499, checkpointed: 0, pageSize: 4096)))
    #expect(governor.wantsCheckpoint(LogState(frames: 3500, checkpointed: 0, pageSize: 4096)))
  }
}
