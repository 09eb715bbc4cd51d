import UpkeepCore
import UpkeepRuns

/// What a result says of a database after the run: the entry of kind `database` in its `details`.
struct DatabaseDetail {
  let name: String
  let bytes: Int?
  let freeBytes: Int?
  let longestHoldMilliseconds: Double?
  let rowsPerSecond: Int?

  /// Reads an entry; nothing where it is of another kind.
  init?(_ detail: JSONValue) {
    guard case .object(let values) = detail, values["kind"] == .string("database"),
      case .string(let name)? = values["name"]
    else { return nil }
    self.name = name
    bytes = values["bytes"]?.double.map { Int($0) }
    freeBytes = values["free_bytes"]?.double.map { Int($0) }
    longestHoldMilliseconds = values["longest_hold_ms"]?.double
    rowsPerSecond = values["rows_per_second"]?.double.map { Int($0) }
  }

  /// How fast it went, how long others had to wait at most, how large the file is and why it doesn't shrink.
  func lines(_ result: RunResult) -> [String] {
    var lines: [String] = []
    let hasDeleted = result.mode == .run && result.tables.contains { $0.deleted > 0 }
    if hasDeleted {
      let speed = rowsPerSecond.map { "\(NumberText.grouped($0)) rows/s" }
      let hold = longestHoldMilliseconds.map { "longest lock \(NumberText.tenths($0)) ms" }
      let facts = [speed, hold].compactMap { $0 }
      if !facts.isEmpty { lines.append("  \(facts.joined(separator: ", "))") }
    }
    guard let bytes else { return lines }
    let free = freeBytes ?? 0
    let share = bytes > 0 && free > 0 ? ", of which \(NumberText.bytes(free)) are free" : ""
    lines.append("  database \(name): \(NumberText.bytes(bytes))\(share)")
    if hasDeleted, free > 0 {
      lines.append(
        "  the file doesn't shrink: new rows reuse the free pages; only VACUUM gives them back, and it locks the "
          + "database for its whole length")
    }
    return lines
  }
}

extension JSONValue {
  /// The number, where it is one.
  fileprivate var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
}
