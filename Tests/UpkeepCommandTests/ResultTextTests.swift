import Testing
import UpkeepCore

@testable import upkeep

/// What a run says at its end.
@Suite struct ResultTextTests {
  private static let plain = Paint(isOn: false)

  /// A result with the given changes.
  private func result(
    _ status: RunStatus = .completed, mode: RunMode = .run, _ change: (inout RunResult) -> Void = { _ in }
  ) -> RunResult {
    var result = RunResult(
      runID: "01M7XWEJETMFJ61P1HT6YY1AE4", task: "odds", plugin: "odds_retention", mode: mode, trigger: .manual,
      status: status, host: "box")
    result.startedAt = Timestamp(microseconds: 1_790_000_000_000_000)
    result.durationMilliseconds = 1234
    change(&result)
    return result
  }

  private func lines(_ result: RunResult, known: Set<String> = []) -> [String] {
    ResultText.lines(result, width: 80, paint: Self.plain, known: known)
  }

  @Test func saysWhatWent() {
    let result = result { result in
      result.tables = [
        TableResult(
          table: "snapshots", deleted: 1500, keptReferenced: 2, oldest: Timestamp(microseconds: 0),
          newest: Timestamp(microseconds: 60_000_000)),
        TableResult(table: "empty"),
      ]
      result.tables[0].referencedBy = ["bets", "notes"]
      result.details = [
        .object([
          "kind": .string("database"), "name": .string("odds"), "bytes": .integer(5_000_000),
          "free_bytes": .integer(1_500_000), "longest_hold_ms": .number(6.14), "rows_per_second": .integer(195_000),
        ])
      ]
    }
    #expect(
      lines(result) == [
        "odds: completed in 1.2 s, 1,500 rows deleted",
        "  TABLE      DELETED  KEPT  OLDEST            NEWEST",
        "  snapshots    1,500     2  1970-01-01 00:00  1970-01-01 00:01",
        "  KEPT: old enough to go, but rows that stay refer to them (snapshots: from",
        "    bets, notes)",
        "  195,000 rows/s, longest lock 6.1 ms",
        "  database odds: 5 MB, of which 1.5 MB are free",
        "  the file doesn't shrink: new rows reuse the free pages; only VACUUM gives them",
        "    back, and it locks the database for its whole length",
      ])
  }

  /// A preview that failed didn't find out whether anything would go.
  @Test func saysOfAFailedPreviewThatItFailedAndNoMore() {
    let result = result(mode: .preview) { result in
      result.status = .failed
      result.tables = [TableResult(table: "empty")]
    }
    #expect(lines(result).first == "odds: preview failed in 1.2 s")
  }

  @Test(arguments: [(RunMode.run, "dropped"), (.preview, "would be dropped")])
  func saysWhichPartitionsGoAtOnce(mode: RunMode, words: String) {
    let result = result(mode: mode) { result in
      result.details = (1...4).map { number in
        .object([
          "kind": .string("partition_dropped"), "table": .string("logs"), "partition": .string("logs_\(number)"),
          "rows": .integer(1000 * number), "bytes": .integer(1_500_000),
        ])
      }
    }
    #expect(
      lines(result).dropFirst().map { $0.trimmingPrefix(while: \.isWhitespace) }.joined(separator: " ")
        == "4 partitions of logs \(words), with 10,000 rows (6 MB): logs_1, logs_2, logs_3, 1 more")
  }

  /// Rows that stay and change are as much a part of what a run does as those that go.
  @Test func saysWhichRowsLoseTheirReference() {
    let counts = ["events_deleted": 2, "errors_unlinked": 3, "bets_unlinked": 1, "other_unlinked": 0]
    let preview = result(mode: .preview) { result in
      result.tables = [TableResult(table: "events", deleted: 2, total: 4)]
      result.counts = counts
    }
    #expect(
      lines(preview).suffix(2) == [
        "  bets: 1 row would stay without the row that it referred to",
        "  errors: 3 rows would stay without the row that they referred to",
      ])
    let run = result { result in
      result.tables = [TableResult(table: "events", deleted: 2)]
      result.counts = counts
    }
    #expect(lines(run).contains("  errors: 3 rows stayed without the row that they referred to"))
  }

  @Test func saysWhatThereIsOfATableInAPreview() {
    let result = result(mode: .preview) { result in
      result.tables = [TableResult(table: "snapshots", deleted: 1500, total: 4500)]
    }
    #expect(
      lines(result) == [
        "odds: preview completed in 1.2 s, 1,500 rows would go",
        "  TABLE      WOULD GO     OF   SHARE  OLDEST  NEWEST",
        "  snapshots     1,500  4,500  33.3 %",
      ])
  }

  @Test func showsDaysWhereMinutesDoNotFit() {
    let table = TableResult(
      table: "competitor_odds_snapshots", deleted: 1500, oldest: Timestamp(microseconds: 0),
      newest: Timestamp(microseconds: 60_000_000))
    #expect(
      TableCounts.lines([table], heading: "DELETED", width: 60) == [
        "TABLE                      DELETED  OLDEST      NEWEST",
        "competitor_odds_snapshots    1,500  1970-01-01  1970-01-01",
      ])
  }

  @Test func saysThatThereWasNothing() {
    let result = result { $0.tables = [TableResult(table: "snapshots")] }
    #expect(lines(result) == ["odds: completed in 1.2 s, nothing deleted"])
  }

  @Test func saysWhyTheGuardRefuses() {
    let verdict = GuardVerdict(
      wouldRefuse: true, overridden: false, maxPercent: 50, minRows: 1000,
      tables: [GuardedTable(table: "snapshots", doomed: 2000, total: 3000, percent: 66.7)])
    let refused = result(.refused) { result in
      result.guardVerdict = verdict
      result.reason = "the guard refuses"
    }
    let tail = [
      "    snapshots: 2,000 of 3,000 rows (66.7 %)",
      "    if that is meant: --override-guard, or a larger guard.max_percent",
    ]
    #expect(
      lines(refused) == [
        "odds: refused in 1.2 s", "  the guard refused, nothing was deleted: more than 50 % of a table",
      ] + tail)
    let preview = result(mode: .preview) { $0.guardVerdict = verdict }
    #expect(
      lines(preview) == [
        "odds: preview completed in 1.2 s", "  the guard would refuse this run: more than 50 % of a table",
      ] + tail)
  }

  @Test func saysWhatWentWrong() {
    let result = result(.completedWithErrors) { result in
      result.warnings = ["one", "two"]
      result.errors = [
        RunError(step: "events", code: "x", message: "no such table"), RunError(step: "run", code: "y", message: "bad"),
      ]
    }
    #expect(
      lines(result, known: ["one"]) == [
        "odds: completed with errors in 1.2 s", "  warning: two", "  1 warning as above",
        "  error: events: no such table", "  error: bad",
      ])
  }

  @Test func showsTheFirstWarningsAndWhereTheOthersAre() {
    let result = result { $0.warnings = ["a", "b", "c", "d", "e"] }
    #expect(
      lines(result).dropFirst() == [
        "  warning: a", "  warning: b", "  warning: c", "  2 more warnings: upkeep show 01M7XWEJETMFJ61P1HT6YY1AE4",
      ])
    #expect(HistoryText.whole(result, width: 80, paint: Self.plain).filter { $0.contains("warning:") }.count == 5)
  }

  @Test func listsCountsWhereThereIsNoTable() {
    let result = result { $0.counts = ["failed": 3, "none": 0] }
    #expect(lines(result) == ["odds: completed in 1.2 s", "  failed: 3"])
  }

  @Test func saysWhyARunDidNotStart() {
    let result = result(.skipped) { result in
      result.startedAt = nil
      result.durationMilliseconds = nil
      result.reason = "run 01X of odds is still running"
    }
    #expect(lines(result) == ["odds: skipped: run 01X of odds is still running"])
  }

  @Test func saysWhatWillGoBeforeItGoes() {
    let forecast = Forecast(counts: [:], tables: [TableResult(table: "snapshots", deleted: 2, total: 4)])
    #expect(
      ForecastText.lines("odds", forecast, width: 80) == [
        "odds: 2 rows will go", "  TABLE      WILL GO  OF  SHARE  OLDEST  NEWEST", "  snapshots        2   4   50 %",
      ])
    #expect(
      ForecastText.lines("odds", Forecast(counts: [:], tables: []), width: 80) == ["odds: nothing to delete"])
  }

  @Test func drawsABarThatFitsTheLine() {
    let result = result(.running) { $0.progress = RunProgress(percent: 48.4, message: "Deleting market_odds") }
    #expect(ProgressText.bar(result, width: 80) == "odds [#####.......]  48 %  Deleting market_odds")
    #expect(ProgressText.bar(result, width: 100) == "odds [###########.............]  48 %  Deleting market_odds")
    #expect(ProgressText.bar(result, width: 30).count == 29)
    #expect(ProgressText.line(result) == "odds: 48 %, Deleting market_odds")
  }
}
