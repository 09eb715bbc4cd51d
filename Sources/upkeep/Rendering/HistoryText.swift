import UpkeepCore
import UpkeepRuns

/// A list of runs for people.
enum HistoryText {
  static func lines(_ results: [RunResult], width: Int) -> [String] {
    TextTable(
      columns: [
        .text("RUN"), .text("TASK", shrinks: true), .text("MODE"), .text("STATUS"), .text("STARTED (UTC)"),
        .number("TOOK"), .number("ROWS"), .text("WHY", shrinks: true),
      ],
      rows: results.map { result in
        [
          result.runID, result.task, result.mode.rawValue, result.status.rawValue.replacing("_", with: " "),
          result.startedAt?.minuteText ?? "", result.durationMilliseconds.map(NumberText.milliseconds) ?? "",
          NumberText.grouped(result.tables.reduce(0) { $0 + $1.deleted }),
          result.reason ?? result.errors.first?.message ?? "",
        ]
      }
    ).lines(width: width)
  }

  /// One run whole: when, by what, with which settings, and what it did.
  static func whole(_ result: RunResult, width: Int, paint: Paint) -> [String] {
    let settings = result.settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.text)" }
    let facts: [(String, String?)] = [
      ("run", result.runID), ("started", result.startedAt?.rfc3339), ("finished", result.finishedAt?.rfc3339),
      ("trigger", result.trigger.rawValue), ("plugin", result.plugin),
      ("settings", settings.isEmpty ? nil : settings.joined(separator: ", ")),
      ("on", "\(result.host), upkeep \(result.version)"),
    ]
    let lines = facts.compactMap { name, value in
      value.map { "  \(name)\(String(repeating: " ", count: 10 - name.count))\($0)" }
    }
    let text = ResultText.lines(result, width: width, paint: paint, warnings: .max)
    return Array(text.prefix(1)) + lines + Array(text.dropFirst())
  }
}
