public import UpkeepCore

/// How a column holds instants.
///
/// SQLite has no type for them: one application writes text, another counts seconds, a third stores Julian days. An
/// engine whose columns have types of their own for times gets forms of its own here.
public enum TimeForm: String, Hashable, Sendable, CaseIterable {
  /// Text in any of the forms that ``UpkeepCore/Timestamp/init(text:)`` reads.
  case text
  /// Seconds since 1970, whole or with a fraction.
  case unixSeconds = "unix_seconds"
  /// Milliseconds since 1970.
  case unixMilliseconds = "unix_milliseconds"
  /// Microseconds since 1970.
  case unixMicroseconds = "unix_microseconds"
  /// Nanoseconds since 1970.
  case unixNanoseconds = "unix_nanoseconds"
  /// Days since noon of 24 November 4714 BC, as SQLite's `julianday` gives them: exact to the millisecond.
  case julianDay = "julian_day"

  /// The instants that a number is taken for: 1973-03-03 to 2286-11-20.
  ///
  /// Within these bounds no number means an instant in two forms, so that a number of another form, or a 0 that stands
  /// for "never", isn't read as a date in 1970.
  public static let plausible: ClosedRange<Int64> = 100_000_000_000_000...9_999_999_999_999_999

  /// The forms by their code in SQL.
  static let byCode = allCases

  /// How the form is called in SQL: the second argument of `upkeep_instant`.
  public var code: Int {
    Self.byCode.firstIndex(of: self) ?? 0
  }

  /// A value in this form, for messages.
  public var example: String {
    switch self {
    case .text: "2026-11-20 12:00:00"
    case .unixSeconds: "1795176000"
    case .unixMilliseconds: "1795176000000"
    case .unixMicroseconds: "1795176000000000"
    case .unixNanoseconds: "1795176000000000000"
    case .julianDay: "2461365.0"
    }
  }

  /// The instant that a value of the column stands for in this form; nothing where it is none.
  public func instant(of value: DatabaseValue) -> Timestamp? {
    switch value {
    case .text(let text): self == .text ? Timestamp(text: text) : nil
    case .integer(let number): instant(of: number)
    case .real(let number): instant(of: number)
    case .null, .blob: nil
    }
  }

  func instant(of number: Int64) -> Timestamp? {
    switch self {
    case .text: nil
    case .unixSeconds: Self.plausible(number.multipliedReportingOverflow(by: 1_000_000))
    case .unixMilliseconds: Self.plausible(number.multipliedReportingOverflow(by: 1000))
    case .unixMicroseconds: Self.plausible((number, false))
    case .unixNanoseconds: Self.plausible((number / 1000, false))
    case .julianDay: instant(of: Double(number))
    }
  }

  func instant(of number: Double) -> Timestamp? {
    let microseconds: Double
    switch self {
    case .text: return nil
    case .unixSeconds: microseconds = number * 1e6
    case .unixMilliseconds: microseconds = number * 1e3
    case .unixMicroseconds: microseconds = number
    case .unixNanoseconds: microseconds = number / 1e3
    // A double holds a Julian day to 40 µs, and SQLite counts milliseconds: to those it is rounded.
    case .julianDay: microseconds = ((number - Self.julianDayOf1970) * 86_400_000).rounded() * 1e3
    }
    guard microseconds.isFinite, abs(microseconds) < 1e17 else { return nil }
    return Self.plausible((Int64(microseconds.rounded()), false))
  }

  private static let julianDayOf1970 = 2_440_587.5

  private static func plausible(_ result: (partialValue: Int64, overflow: Bool)) -> Timestamp? {
    guard !result.overflow, plausible.contains(result.partialValue) else { return nil }
    return Timestamp(microseconds: result.partialValue)
  }

  /// A value that sorts behind every value of an earlier instant, whatever way it is written: an upper bound that an
  /// index can use, to stand before the exact comparison.
  public func bound(before instant: Timestamp) -> DatabaseValue {
    let microseconds = instant.microseconds
    switch self {
    case .text: return .text((instant + .seconds(2 * 86_400)).dateText)
    case .unixSeconds: return .integer(instant.seconds + 2)
    case .unixMilliseconds: return .integer(microseconds / 1000 + 2)
    case .unixMicroseconds: return .integer(microseconds + 2)
    case .unixNanoseconds:
      let (nanoseconds, overflow) = microseconds.addingReportingOverflow(2).partialValue
        .multipliedReportingOverflow(by: 1000)
      return .integer(overflow ? (microseconds < 0 ? .min : .max) : nanoseconds)
    case .julianDay: return .real(Double(microseconds) / 86_400e6 + Self.julianDayOf1970 + 1e-4)
    }
  }

  /// The values between which a column in this form holds instants; nothing for text.
  public var plausibleValues: (first: DatabaseValue, last: DatabaseValue)? {
    let (first, last) = (Self.plausible.lowerBound, Self.plausible.upperBound)
    switch self {
    case .text: return nil
    case .unixSeconds: return (.integer(first / 1_000_000), .real(Double(last) / 1e6))
    case .unixMilliseconds: return (.integer(first / 1000), .real(Double(last) / 1e3))
    case .unixMicroseconds: return (.integer(first), .integer(last))
    case .unixNanoseconds: return (.integer(first * 1000), .integer(.max))
    case .julianDay:
      return (
        .real(Double(first) / 86_400e6 + Self.julianDayOf1970), .real(Double(last) / 86_400e6 + Self.julianDayOf1970)
      )
    }
  }
}
