import UpkeepCore
import UpkeepRuns

/// What a run did, or a preview found, for people.
enum ResultText {
  /// The whole result: how it ended, what went, how fast, and what the databases look like now.
  ///
  /// - Parameters:
  ///   - known: Warnings that somebody has just read; they are counted only.
  ///   - warnings: How many warnings are shown at most.
  static func lines(
    _ result: RunResult, width: Int, paint: Paint, known: Set<String> = [], warnings limit: Int = 3
  ) -> [String] {
    var lines = [headline(result, paint: paint)]
    lines += verdict(result)
    let heading = result.mode == .preview || result.status == .refused ? "WOULD GO" : "DELETED"
    lines += TableCounts.lines(result.tables, heading: heading, width: width - 2).map { "  \($0)" }
    lines += unlinked(result)
    lines += otherCounts(result)
    lines += DroppedPartitions.all(in: result).map { "  \($0.text(would: result.mode == .preview))" }
    lines += result.details.flatMap { DatabaseDetail($0)?.lines(result) ?? FolderDetail($0)?.lines(result) ?? [] }
    if let remaining = result.remaining {
      let left = remaining.sorted { $0.key < $1.key }.map { "\($0.key) \(NumberText.grouped($0.value))" }
      lines.append("  left for the next run: \(left.joined(separator: ", "))")
    }
    lines += warnings(result, paint: paint, known: known, limit: limit)
    lines += result.errors.map { "  \(paint.red("error:")) \($0.step == "run" ? "" : "\($0.step): ")\($0.message)" }
    return lines.flatMap { TextTable.wrapped($0, to: width, indent: 4) }
  }

  /// Rows that stay and lose what they referred to, where no other line says so.
  private static func unlinked(_ result: RunResult) -> [String] {
    guard result.tables.contains(where: { $0.deleted > 0 }) else { return [] }
    let suffix = "_unlinked"
    return result.counts.filter { $0.key.hasSuffix(suffix) && $0.value > 0 }.sorted { $0.key < $1.key }.map {
      let rows = NumberText.counted($0.value, "row")
      return "  \($0.key.dropLast(suffix.count)): \(rows) \(result.mode == .preview ? "would stay" : "stayed")"
        + " without the row that \($0.value == 1 ? "it" : "they") referred to"
    }
  }

  private static func warnings(
    _ result: RunResult, paint: Paint, known: Set<String>, limit: Int
  ) -> [String] {
    let news = result.warnings.filter { !known.contains($0) }
    var lines = news.prefix(limit).map { "  \(paint.yellow("warning:")) \($0)" }
    let more = news.count - lines.count
    if more > 0 { lines.append("  \(NumberText.counted(more, "more warning")): upkeep show \(result.runID)") }
    let old = result.warnings.count - news.count
    if old > 0 { lines.append("  \(NumberText.counted(old, "warning")) as above") }
    return lines
  }

  /// `odds_retention: completed in 1.2 s, 234,567 rows deleted`
  static func headline(_ result: RunResult, paint: Paint) -> String {
    let time = result.durationMilliseconds.map { " in \(NumberText.milliseconds($0))" } ?? ""
    // Why the guard refused is said below, table by table.
    let reason = result.status == .refused ? "" : result.reason.map { ": \($0)" } ?? ""
    let preview = result.mode == .preview ? " preview" : ""
    return
      "\(paint.bold(result.task)):\(preview) \(status(result.status, paint: paint))\(time)\(reason)\(total(result))"
  }

  /// A status as words, coloured by how good it is.
  static func status(_ status: RunStatus, paint: Paint) -> String {
    let words = status.rawValue.replacing("_", with: " ")
    return switch status {
    case .completed: paint.green(words)
    case .queued, .running: words
    case .skipped, .missed, .cancelled, .refused, .completedWithErrors: paint.yellow(words)
    case .failed, .timedOut, .interrupted: paint.red(words)
    }
  }

  private static func total(_ result: RunResult) -> String {
    let rows = result.tables.reduce(0) { $0 + $1.deleted }
    let noun = result.details.contains { FolderDetail($0) != nil } ? "upload" : "row"
    if result.tables.isEmpty || rows == 0 && !changes(result).isEmpty { return "" }
    if result.mode == .preview {
      // What failed didn't find out.
      if rows == 0, result.status == .failed { return "" }
      return rows == 0 ? ", nothing to delete" : ", \(NumberText.counted(rows, noun)) would go"
    }
    guard result.startedAt != nil, result.status != .refused else { return "" }
    return rows == 0 ? ", nothing deleted" : ", \(NumberText.counted(rows, noun)) deleted"
  }

  /// What the guard has to say.
  private static func verdict(_ result: RunResult) -> [String] {
    guard let verdict = result.guardVerdict, verdict.wouldRefuse else { return [] }
    let limit = NumberText.tenths(verdict.maxPercent)
    let lead =
      result.mode == .preview
      ? (verdict.overridden ? "the guard is overridden" : "the guard would refuse this run")
      : (verdict.overridden ? "the guard was overridden" : "the guard refused, nothing was deleted")
    let tables = verdict.tables.map { table in
      "    \(table.table): \(NumberText.grouped(table.doomed)) of \(NumberText.grouped(table.total)) rows "
        + "(\(NumberText.tenths(table.percent)) %)"
    }
    let advice = verdict.overridden ? [] : ["    if that is meant: --override-guard, or a larger guard.max_percent"]
    return ["  \(lead): more than \(limit) % of a table"] + tables + advice
  }

  /// Counts that no table says already.
  private static func otherCounts(_ result: RunResult) -> [String] {
    guard result.tables.allSatisfy({ $0.deleted == 0 }) else { return [] }
    return changes(result).map { "  \($0.key): \(NumberText.grouped($0.value))" }
  }

  private static func changes(_ result: RunResult) -> [(key: String, value: Int)] {
    // The lines about the folder say them all.
    if result.details.contains(where: { FolderDetail($0) != nil }) { return [] }
    return result.counts.filter { $0.value != 0 }.sorted { $0.key < $1.key }
  }
}
