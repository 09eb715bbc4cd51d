import UpkeepCore

/// One line that says how far a run is.
enum ProgressText {
  private static let barWidth = 24

  /// `odds_retention [############............]  48 %  Deleting market_odds`, cut to fit a terminal's line.
  static func bar(_ result: RunResult, width: Int) -> String {
    let filled = min(barWidth, max(0, Int(result.progress.percent / 100 * Double(barWidth))))
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: barWidth - filled)
    let line = "\(result.task) [\(bar)] \(percent(result))\(rest(result))"
    // The last column stays free: some terminals begin a new line once it is written.
    return TextTable.truncated(line, to: max(1, width - 1))
  }

  /// The same for a log: `odds_retention: 48 %, Deleting market_odds, 76,123 rows deleted`.
  static func line(_ result: RunResult) -> String {
    let parts = [
      "\(Int(result.progress.percent)) %", result.progress.message.isEmpty ? nil : result.progress.message,
      deleted(result) == 0 ? nil : "\(NumberText.counted(deleted(result), "row")) deleted",
    ]
    return "\(result.task): \(parts.compactMap { $0 }.joined(separator: ", "))"
  }

  private static func percent(_ result: RunResult) -> String {
    let number = "\(Int(result.progress.percent))"
    return String(repeating: " ", count: max(0, 3 - number.count)) + number + " %"
  }

  private static func rest(_ result: RunResult) -> String {
    let rows = deleted(result) == 0 ? "" : "  \(NumberText.grouped(deleted(result))) rows"
    return rows + (result.progress.message.isEmpty ? "" : "  \(result.progress.message)")
  }

  private static func deleted(_ result: RunResult) -> Int {
    result.tables.reduce(0) { $0 + $1.deleted }
  }
}
