import UpkeepCore

/// A time as a sidecar has it.
enum SidecarDate: Equatable {
  /// There is none.
  case none
  /// An instant.
  case instant(Timestamp)
  /// A time on the server's clocks, which doesn't say on which: microseconds since 1970-01-01T00:00 there.
  case local(Int64)
  /// Something that can't be read as a time.
  case unreadable

  /// Reads a value: an ISO 8601 text with or without a zone, an RFC 7231 text, or seconds since 1970.
  init(_ value: JSONScanner.Value?, in bytes: UnsafeBufferPointer<UInt8>) {
    switch value {
    case nil, .null?: self = .none
    case .integer(let seconds)?: self = Self.seconds(Double(seconds))
    case .number(let seconds)?: self = Self.seconds(seconds)
    case .text(let range)?: self = Self.text(UnsafeBufferPointer(rebasing: bytes[range]))
    default: self = .unreadable
    }
  }

  /// Zero and less is no time that an upload was made at, and beyond the year 9999 nothing is.
  private static func seconds(_ seconds: Double) -> SidecarDate {
    guard seconds > 0, seconds < 253_402_300_800 else { return .unreadable }
    return .instant(Timestamp(microseconds: Int64((seconds * 1_000_000).rounded())))
  }

  private static func text(_ text: UnsafeBufferPointer<UInt8>) -> SidecarDate {
    if let instant = Timestamp.parse(text) {
      let hasZone = text.dropFirst(10).contains { [UInt8(ascii: "Z"), UInt8(ascii: "z"), 43, 45].contains($0) }
      return hasZone ? .instant(instant) : .local(instant.microseconds)
    }
    return httpDate(text).map { .instant($0) } ?? .unreadable
  }

  /// `Sat, 21 Nov 2026 22:50:09 GMT`, the form that RFC 7231 (7.1.1.1) wants to be written.
  private static func httpDate(_ text: UnsafeBufferPointer<UInt8>) -> Timestamp? {
    let words = text.split(separator: 32)
    guard words.count == 6, words[0].count == 4, words[0].last == UInt8(ascii: ","),
      let day = number(words[1], 2), let month = month(words[2]), let year = number(words[3], 4),
      day >= 1, day <= CivilTime.days(inMonth: month, of: year)
    else { return nil }
    let clock = words[4].split(separator: 58, omittingEmptySubsequences: false)
    guard clock.count == 3, let hour = number(clock[0], 2), let minute = number(clock[1], 2),
      let second = number(clock[2], 2), hour < 24, minute < 60, second <= 60
    else { return nil }
    let zone = String(decoding: words[5], as: UTF8.self)
    guard ["GMT", "UTC", "+0000", "-0000"].contains(zone) else { return nil }
    return Timestamp(
      CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: min(second, 59)))
  }

  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  private static func month(_ word: Slice<UnsafeBufferPointer<UInt8>>) -> Int? {
    months.firstIndex(of: String(decoding: word, as: UTF8.self)).map { $0 + 1 }
  }

  private static func number(_ digits: Slice<UnsafeBufferPointer<UInt8>>, _ count: Int) -> Int? {
    guard digits.count == count, digits.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
    return digits.reduce(0) { $0 * 10 + Int($1) - 48 }
  }
}
