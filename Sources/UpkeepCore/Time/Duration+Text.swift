/// What is wrong with the text of a duration.
public struct DurationTextError: Error, Equatable, Sendable {
  /// What was found and what to write instead.
  public let message: String
}

extension Duration {
  private static let units: [(suffix: String, milliseconds: Int64)] = [
    ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000),
  ]

  /// The longest duration that may be written: 100 years. Beyond it a cutoff leaves the calendar.
  public static let longest = Duration.seconds(36_525 * 86_400)

  /// Reads a duration as people write it: one or more of a whole number and `ms`, `s`, `m`, `h`, `d` or `w`.
  ///
  /// - Throws: ``DurationTextError`` that says what to write instead.
  public init(durationText text: String) throws(DurationTextError) {
    guard !text.isEmpty else {
      throw DurationTextError(message: "expected a duration such as 30s, 90m, 24h or 14d, found nothing")
    }
    if text.hasPrefix("-") {
      throw DurationTextError(message: "a duration can't be negative: \(text); write one such as 30s, 24h or 14d")
    }
    if text.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }) {
      throw DurationTextError(message: "\(text) has no unit; write \(text)s, \(text)m, \(text)h or \(text)d")
    }
    var milliseconds: Int64 = 0
    var rest = Substring(text)
    while !rest.isEmpty {
      let digits = rest.prefix { $0 >= "0" && $0 <= "9" }
      rest = rest.dropFirst(digits.count)
      let suffix = rest.prefix { $0.isASCII && $0.isLetter }
      rest = rest.dropFirst(suffix.count)
      guard !digits.isEmpty, let unit = Self.units.first(where: { $0.suffix == suffix }) else {
        throw DurationTextError(
          message: "\(text) isn't a duration; write whole numbers with ms, s, m, h, d or w, such as 1h30m or 14d")
      }
      let longest = DurationTextError(message: "\(text) is too long; the longest duration is 36525d (100 years)")
      guard let number = Int64(digits) else { throw longest }
      let (part, overflow) = number.multipliedReportingOverflow(by: unit.milliseconds)
      let (sum, overflowed) = milliseconds.addingReportingOverflow(part)
      guard !overflow, !overflowed, .milliseconds(sum) <= Self.longest else { throw longest }
      milliseconds = sum
    }
    self = .milliseconds(milliseconds)
  }

  /// The shortest way to write this duration exactly in whole units, as in `1h30m`, `14d`, `250ms`; `0s` for none.
  ///
  /// Weeks aren't used: people compare days.
  public var durationText: String {
    var rest = Int64(microseconds / 1000)
    guard rest > 0 else { return "0s" }
    var text = ""
    for unit in Self.units.reversed() where unit.suffix != "w" && rest >= unit.milliseconds {
      text += "\(rest / unit.milliseconds)\(unit.suffix)"
      rest %= unit.milliseconds
    }
    return text
  }
}
