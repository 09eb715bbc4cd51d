import Testing
import UpkeepCore

@testable import UpkeepPurge

/// What a purge says of the time that is left.
struct PurgeMeterTests {
  /// Batches of a tenth of a second, with so many rows each.
  private func errors(_ batches: [Int], before: Duration = .zero) -> [Double] {
    let (meter, total) = (PurgeMeter(), batches.reduce(0, +))
    return batches.enumerated().compactMap { index, rows -> Double? in
      meter.note(hold: .milliseconds(7), rows: rows, at: before + .milliseconds(100 * (index + 1)))
      let rest = Double(batches.count - index - 1) / 10
      guard let said = meter.figures.remaining(of: total), index + 1 >= batches.count / 4, rest > 0 else { return nil }
      return abs(said.inSeconds - rest) / rest
    }
  }

  /// Small batches at first, as every purge makes them.
  @Test func isRightFromAQuarterOnAfterASlowBeginning() throws {
    let errors = errors([10, 20, 40, 80, 160] + Array(repeating: 300, count: 60))
    #expect(errors.count > 40)
    #expect(try #require(errors.max()) < 0.2)
  }

  /// What came before the first batch, such as making lists, says nothing of the batches.
  @Test func forgetsHowLongItTookToBegin() throws {
    let errors = errors(Array(repeating: 300, count: 100), before: .seconds(3))
    #expect(try #require(errors.max()) < 0.2)
  }

  /// Speed goes up and down by half.
  @Test func isRightWhereBatchesDiffer() throws {
    let errors = errors((0..<120).map { 200 + 100 * ($0 % 3 - 1) })
    #expect(try #require(errors.dropLast(5).max()) < 0.2)
  }

  @Test func saysNothingWhereNothingIsLeftOrKnown() {
    let meter = PurgeMeter()
    #expect(meter.figures.remaining(of: 100) == nil)
    let slow = PurgeMeter()
    slow.note(hold: .milliseconds(500), rows: 1, at: .milliseconds(500))
    #expect(slow.figures.remaining(of: 3) == .seconds(1))
    #expect(slow.figures.remaining(of: 1) == nil)
    meter.note(hold: .zero, rows: 0, at: .seconds(1))
    #expect(meter.figures.remaining(of: 100) == nil)
    meter.note(hold: .zero, rows: 50, at: .seconds(2))
    #expect(meter.figures.remaining(of: 100) != nil)
    #expect(meter.figures.remaining(of: 50) == nil)
    #expect(meter.figures.rowsPerSecond == 25)
  }
}
