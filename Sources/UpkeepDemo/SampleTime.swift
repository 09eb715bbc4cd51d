import UpkeepCore

/// Writes times the ways that applications write them into SQLite.
enum SampleTime {
  /// `2026-11-20 12:00:00.123456`: what nearly every row holds.
  static func usual(_ instant: Timestamp) -> String {
    instant.sqlText
  }

  /// One of the forms that other writers leave beside the usual one: with a `T`, a `Z`, an offset, without a fraction.
  static func unusual(_ instant: Timestamp, _ choice: Int) -> String {
    let text = instant.sqlText
    let whole = String(text.prefix(19))
    switch choice % 4 {
    case 0: return text.replacing(" ", with: "T") + "Z"
    case 1: return whole
    case 2: return whole.replacing(" ", with: "T")
    default: return text + "+00:00"
    }
  }
}
