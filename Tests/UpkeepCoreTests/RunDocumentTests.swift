import Foundation
import Testing
import UpkeepCore

/// The document of a run as it is written fast: what the general encoder writes.
@Suite struct RunDocumentTests {
  private static let instant = Timestamp(microseconds: 1_764_000_000_123_456)

  private static func plain() -> RunResult {
    RunResult(
      runID: "01M7XY2W6P2NBJ71JT0T71F6M4", task: "tidy", plugin: "noop", mode: .run, trigger: .scheduled,
      status: .queued, settings: ["duration": "0s", "fail": .boolean(false)], host: "box-1")
  }

  /// A result that has something of everything, with texts that have to be escaped.
  private static func full() -> RunResult {
    var result = plain()
    let odd = "\"quoted\" \\ /slash/ \u{1}\u{1f}\u{8}\u{c}\n\r\t\u{7f} é ☃ 🦊 \u{2028}"
    result.status = .completedWithErrors
    result.reason = odd
    result.scheduledAt = instant
    result.slots = SlotRange(first: instant, last: instant, count: 3)
    result.startedAt = instant
    result.finishedAt = instant
    result.durationMilliseconds = 812
    result.progress = RunProgress(percent: 33.4, message: odd)
    result.counts = ["b": 2, "a": -1, odd: .max]
    var table = TableResult(table: odd, deleted: 3, total: 9)
    table.oldest = instant
    result.tables = [table]
    result.details = [.object(["kind": "database", "rate": .number(2.5), "list": .array([.null, .integer(3)])])]
    result.guardVerdict = GuardVerdict(
      wouldRefuse: true, overridden: true, maxPercent: 50, minRows: 1000,
      tables: [GuardedTable(table: "a", doomed: 1200, total: 1300, percent: 92.3)])
    result.remaining = ["a": 7]
    result.warnings = [odd, ""]
    result.errors = [RunError(step: "run", code: "x", message: odd)]
    result.settings = [
      "a": .array([.string(odd), .boolean(true), .null]), "b": .object(["z": .integer(1), "y": .number(0.1)]),
      "c": .number(3), "d": .number(1e300), "e": .array([]), "f": .object([:]),
    ]
    result.host = odd
    return result
  }

  @Test(arguments: [plain(), full()]) func isWhatTheGeneralEncoderWrites(_ result: RunResult) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let expected = String(decoding: try encoder.encode(result), as: UTF8.self)
    #expect(String(decoding: try result.json, as: UTF8.self) == expected)
  }

  @Test(arguments: [plain(), full()]) func isReadBackAsItWas(_ result: RunResult) throws {
    var expected = result
    // Times are written to the millisecond.
    let instant = Timestamp(microseconds: Self.instant.microseconds / 1000 * 1000)
    if result.startedAt != nil {
      (expected.scheduledAt, expected.startedAt, expected.finishedAt) = (instant, instant, instant)
      expected.slots = SlotRange(first: instant, last: instant, count: 3)
      expected.tables[0].oldest = instant
      expected.settings["c"] = .integer(3)
    }
    #expect(try JSONDecoder().decode(RunResult.self, from: Data(try result.json)) == expected)
  }

  @Test func refusesANumberThatIsNone() {
    var result = Self.plain()
    result.progress.percent = .nan
    #expect(throws: EncodingError.self) { try result.json }
    result.progress.percent = .infinity
    #expect(throws: EncodingError.self) { try result.json }
  }
}
