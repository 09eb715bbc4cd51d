import UpkeepRuns

/// The lines in which two versions of a file differ.
enum LineDifference {
  /// What stands between the lines that both begin with and those that both end with; secrets masked.
  static func between(_ old: ConfigurationSource, _ new: ConfigurationSource) -> LineChange {
    let (before, after) = (lines(old), lines(new))
    let limit = min(before.count, after.count)
    var head = 0
    while head < limit, before[head] == after[head] { head += 1 }
    var tail = 0
    while tail < limit - head, before[before.count - 1 - tail] == after[after.count - 1 - tail] { tail += 1 }
    return LineChange(
      line: head + 1, removed: shown(old, head..<(before.count - tail)), added: shown(new, head..<(after.count - tail)))
  }

  /// The lines as they are; the empty one behind the last line break isn't one.
  private static func lines(_ source: ConfigurationSource) -> [String] {
    var lines = (1...source.text.lineStarts.count).compactMap { source.text.line($0) }
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }

  private static func shown(_ source: ConfigurationSource, _ range: Range<Int>) -> [String] {
    range.compactMap { source.maskedLine($0 + 1)?.text }
  }
}
