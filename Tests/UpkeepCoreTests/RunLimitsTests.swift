import Testing
import UpkeepCore

struct RunLimitsTests {
  private let noon = Timestamp(CivilTime(year: 2026, month: 11, day: 20, hour: 12))

  @Test func hasNoneUnlessGiven() {
    #expect(RunLimits().reached(deleted: .max, after: .seconds(1_000_000), at: noon) == nil)
  }

  @Test(arguments: [(999, nil), (1000, StopReason.budget), (1001, .budget)])
  func endsAtItsNumberOfRows(rows: Int, expected: StopReason?) {
    #expect(RunLimits(maxRows: 1000).reached(deleted: rows, after: .zero, at: noon) == expected)
  }

  @Test(arguments: [(59_999, nil), (60_000, StopReason.budget), (60_001, .budget)])
  func endsAtItsDuration(milliseconds: Int, expected: StopReason?) {
    let limits = RunLimits(maxDuration: .seconds(60))
    #expect(limits.reached(deleted: 0, after: .milliseconds(milliseconds), at: noon) == expected)
  }

  @Test(arguments: [(-1, nil), (0, StopReason.window), (1, .window)])
  func endsWithItsWindow(milliseconds: Int, expected: StopReason?) {
    let limits = RunLimits(windowEnd: noon)
    #expect(limits.reached(deleted: 0, after: .zero, at: noon + .milliseconds(milliseconds)) == expected)
  }

  @Test func namesTheBudgetWhereBothAreReached() {
    #expect(RunLimits(maxRows: 1, windowEnd: noon).reached(deleted: 1, after: .zero, at: noon) == .budget)
  }
}
