import Testing
import UpkeepCore

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

  @Test func pausesAsLongAsItHeldWhileOthersWrite() {
    var governor = BatchGovernor()
    governor.note(version: 1, after: .zero)
    #expect(governor.note(hold: .milliseconds(7), rows: 50) == .milliseconds(7))
    governor.note(version: 1, after: .milliseconds(249))
    #expect(governor.othersWrite)
    governor.note(version: 1, after: .milliseconds(1))
    #expect(!governor.othersWrite)
    #expect(governor.note(hold: .milliseconds(7), rows: 50) == .zero)
    governor.note(version: 2, after: .milliseconds(1))
    #expect(governor.note(hold: .milliseconds(7), rows: 50) == .milliseconds(7))
  }

  @Test func checkpointsAboutEveryThousandFrames() {
    var governor = BatchGovernor()
    #expect(!governor.wantsCheckpoint)
    _ = governor.note(hold: .milliseconds(4), rows: 50)
    #expect(governor.wantsCheckpoint)
    governor.note(checkpointOf: 250)
    for _ in 0..<3 { _ = governor.note(hold: .milliseconds(4), rows: 50) }
    #expect(!governor.wantsCheckpoint)
    _ = governor.note(hold: .milliseconds(4), rows: 50)
    #expect(governor.wantsCheckpoint)
  }
}
