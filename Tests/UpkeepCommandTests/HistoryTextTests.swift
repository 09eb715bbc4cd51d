import Testing
import UpkeepCore

@testable import upkeep

/// The list of runs, on wide and on narrow terminals.
@Suite struct HistoryTextTests {
  private func result(_ id: String, _ status: RunStatus, mode: RunMode = .run, why: String? = nil) -> RunResult {
    var result = RunResult(
      runID: id, task: "odds_retention", plugin: "odds_retention", mode: mode, trigger: .scheduled, status: status,
      host: "box")
    result.reason = why
    result.durationMilliseconds = 1234
    result.startedAt = Timestamp(microseconds: 1_790_000_000_000_000)
    result.tables = [TableResult(table: "odds", deleted: 311_830)]
    return result
  }

  private var results: [RunResult] {
    [
      result("01M8F2SQATDCRQTKD8H0XFSZ0H", .completed),
      result("01M8F2SQATDDRQTKD8H0XFSZ0H", .completed, mode: .preview),
      result("01M8F2SQCGDTP9JRPR72SC1KKC", .timedOut, why: "it took longer than its timeout of 100ms"),
    ]
  }

  @Test func showsAllOfItWhereThereIsRoom() {
    let lines = HistoryText.lines(results, width: 150)
    #expect(
      lines[0]
        == "RUN                         TASK            MODE     STATUS     STARTED (UTC)      TOOK     ROWS  WHY")
    #expect(
      lines[3].hasPrefix("01M8F2SQCGDTP9JRPR72SC1KKC  odds_retention  run      timed out  2026-09-21 14:13  1.2 s"))
    #expect(lines[3].hasSuffix("it took longer than its timeout of 100ms"))
  }

  /// Ids are as long as it takes to tell them apart, and a preview says so by its status.
  @Test func keepsTimesAndReasonsOn80Columns() {
    #expect(
      HistoryText.lines(results, width: 80) == [
        "RUN           TASK       STATUS     STARTED (UTC)      TOOK     ROWS  WHY",
        "01M8F2SQATDC  odds_ret…  completed  2026-09-21 14:13  1.2 s  311,830",
        "01M8F2SQATDD  odds_ret…  previewed  2026-09-21 14:13  1.2 s  311,830",
        "01M8F2SQCGDT  odds_ret…  timed out  2026-09-21 14:13  1.2 s  311,830  it took l…",
      ])
  }

  @Test func saysForHowManySlotsARunStands() {
    var missed = result("01M8F2SQATDCRQTKD8H0XFSZ0H", .completed)
    func lines() -> String { HistoryText.whole(missed, width: 150, paint: Paint(isOn: false)).joined(separator: "\n") }
    #expect(!lines().contains("slots"))
    let first = Timestamp(microseconds: 1_790_000_000_000_000)
    missed.slots = SlotRange(first: first, last: first + .seconds(86_400), count: 1441)
    #expect(lines().contains("slots     1,441, from 2026-09-21T14:13:20.000Z to 2026-09-22T14:13:20.000Z"))
  }

  @Test func showsWhenASkippedRunWasDue() {
    var skipped = result("01M8F2SQATDCRQTKD8H0XFSZ0H", .skipped, why: "paused by ann")
    skipped.startedAt = nil
    skipped.scheduledAt = Timestamp(microseconds: 1_790_000_060_000_000)
    #expect(HistoryText.lines([skipped], width: 150)[1].contains("2026-09-21 14:14"))
  }
}
