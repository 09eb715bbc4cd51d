import UpkeepCore
import UpkeepRuns

/// One line that says how far a run is.
enum ProgressText {
  /// `odds_retention [#####.......]  48 %  Deleting market_odds`, cut to fit a terminal's line.
  static func bar(_ result: RunResult, width: Int) -> String {
    let barWidth = width >= 100 ? 24 : 12
    let filled = min(barWidth, max(0, Int(result.progress.percent / 100 * Double(barWidth))))
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: barWidth - filled)
    let line = "\(result.task) [\(bar)] \(percent(result))\(rest(result))"
    // The last column stays free: some terminals begin a new line once it is written.
    return TextTable.truncated(line, to: max(1, width - 1))
  }

  /// The same for a log: `odds_retention: 48 %, market_odds: 76,123 rows deleted`.
  static func line(_ result: RunResult) -> String {
    "\(result.task): \(Int(result.progress.percent)) %\(what(result).map { ", \($0)" } ?? "")"
  }

  private static func percent(_ result: RunResult) -> String {
    let number = "\(Int(result.progress.percent))"
    return String(repeating: " ", count: max(0, 3 - number.count)) + number + " %"
  }

  private static func rest(_ result: RunResult) -> String {
    what(result).map { "  \($0)" } ?? ""
  }

  /// What the task says it does; where it says nothing, how many rows it has deleted.
  private static func what(_ result: RunResult) -> String? {
    if !result.progress.message.isEmpty { return result.progress.message }
    let deleted = result.tables.reduce(0) { $0 + $1.deleted }
    return deleted == 0 ? nil : "\(NumberText.counted(deleted, "row")) deleted"
  }
}
