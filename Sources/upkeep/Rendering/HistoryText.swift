import UpkeepCore
import UpkeepRuns

/// A list of runs for people.
enum HistoryText {
  /// How much of an id is shown where the line is short: as much as tells the runs of the list apart, and at least this.
  private static let shortestID = 12
  /// How much of the reason should fit before the list is made narrower.
  private static let reason = 12

  static func lines(_ results: [RunResult], width: Int) -> [String] {
    let wide = table(results, idLength: .max, isNarrow: false)
    var fixed = wide
    fixed.rows = fixed.rows.map { $0.dropLast() + [String($0[$0.count - 1].prefix(reason))] }
    guard fixed.naturalWidth > width else { return wide.lines(width: width) }
    return table(results, idLength: idLength(results.map(\.runID)), isNarrow: true).lines(width: width)
  }

  /// How much of each id tells it from the others.
  private static func idLength(_ ids: [String]) -> Int {
    let longest = ids.map(\.count).max() ?? 0
    return (shortestID..<max(shortestID + 1, longest)).first { length in
      Set(ids.map { $0.prefix(length) }).count == Set(ids).count
    }
      ?? longest
  }

  private static func table(_ results: [RunResult], idLength: Int, isNarrow: Bool) -> TextTable {
    var columns: [TextTable.Column] = [.text("RUN"), .text("TASK", shrinks: true)]
    // A preview that did what it should needs no more to be said.
    if !isNarrow { columns.append(.text("MODE")) }
    columns += [
      .text("STATUS", shrinks: isNarrow), .text("STARTED (UTC)"), .number("TOOK"), .number("ROWS"),
      .text("WHY", shrinks: true),
    ]
    return TextTable(
      columns: columns,
      rows: results.map { result in
        // What is cut off must not read as if it had gone well.
        let status =
          isNarrow && result.status == .completedWithErrors
          ? "with errors" : result.status.rawValue.replacing("_", with: " ")
        var cells = [String(result.runID.prefix(idLength)), result.task]
        if !isNarrow { cells.append(result.mode.rawValue) }
        cells += [
          isNarrow && result.mode == .preview
            ? (result.status == .completed ? "previewed" : "preview \(status)") : status,
          // One that never started has the time at which it should have, or at which that was found out.
          (result.startedAt ?? result.scheduledAt ?? result.finishedAt)?.minuteText ?? "",
          result.durationMilliseconds.map(NumberText.milliseconds) ?? "",
          NumberText.grouped(result.tables.reduce(0) { $0 + $1.deleted }), result.why ?? "",
        ]
        return cells
      })
  }

  /// How many slots a record stands for, where they are several.
  private static func slots(_ result: RunResult) -> String? {
    result.slots.map { "\(NumberText.grouped($0.count)), from \($0.first.rfc3339) to \($0.last.rfc3339)" }
  }

  /// One run whole: when, by what, with which settings, and what it did.
  static func whole(_ result: RunResult, width: Int, paint: Paint) -> [String] {
    let settings = result.settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.text)" }
    let facts: [(String, String?)] = [
      ("run", result.runID), ("due", result.scheduledAt?.rfc3339), ("slots", slots(result)),
      ("started", result.startedAt?.rfc3339),
      ("finished", result.finishedAt?.rfc3339), ("trigger", result.trigger.rawValue), ("plugin", result.plugin),
      ("settings", settings.isEmpty ? nil : settings.joined(separator: ", ")),
      ("on", "\(result.host), upkeep \(result.version)"),
    ]
    let lines = facts.compactMap { name, value in
      value.map { "  \(name)\(String(repeating: " ", count: 10 - name.count))\($0)" }
    }.flatMap { TextTable.wrapped($0, to: width, indent: 12) }
    let text = ResultText.lines(result, width: width, paint: paint, warnings: .max)
    let head = TextTable.wrapped(ResultText.headline(result, paint: paint), to: width, indent: 4).count
    return Array(text.prefix(head)) + lines + Array(text.dropFirst(head))
  }
}
