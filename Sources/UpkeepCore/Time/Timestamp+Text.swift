/// A date and a time of day on the proleptic Gregorian calendar, without a zone.
public struct CivilTime: Hashable, Sendable {
  /// The year, as in `2026`.
  public var year: Int
  /// The month, 1 to 12.
  public var month: Int
  /// The day of the month, 1 to 31.
  public var day: Int
  /// The hour, 0 to 23.
  public var hour: Int
  /// The minute, 0 to 59.
  public var minute: Int
  /// The second, 0 to 59.
  public var second: Int
  /// Microseconds, 0 to 999,999.
  public var microsecond: Int

  /// Creates a civil time; fields aren't checked here.
  public init(
    year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0, microsecond: Int = 0
  ) {
    self.year = year
    self.month = month
    self.day = day
    self.hour = hour
    self.minute = minute
    self.second = second
    self.microsecond = microsecond
  }

  /// Days since 1970-01-01 of a civil date (Howard Hinnant's `days_from_civil`).
  public static func dayNumber(year: Int, month: Int, day: Int) -> Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// The civil date of a day number since 1970-01-01 (Howard Hinnant's `civil_from_days`).
  public static func date(ofDayNumber number: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = number + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthIndex = (5 * dayOfYear + 2) / 153
    let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthIndex + 2) / 5 + 1)
  }

  /// The number of days of a month.
  public static func days(inMonth month: Int, of year: Int) -> Int {
    switch month {
    case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}

extension Timestamp {
  /// The instant of a civil time read as UTC.
  public init(_ civil: CivilTime) {
    let days = CivilTime.dayNumber(year: civil.year, month: civil.month, day: civil.day)
    let seconds = days * 86_400 + civil.hour * 3600 + civil.minute * 60 + civil.second
    self.init(microseconds: Int64(seconds) * 1_000_000 + Int64(civil.microsecond))
  }

  /// The civil time of this instant in UTC.
  public var civil: CivilTime {
    let whole = Int(seconds)
    let day = whole >= 0 ? whole / 86_400 : (whole - 86_399) / 86_400
    let rest = whole - day * 86_400
    let date = CivilTime.date(ofDayNumber: day)
    return CivilTime(
      year: date.year, month: date.month, day: date.day, hour: rest / 3600, minute: rest / 60 % 60, second: rest % 60,
      microsecond: Int(microseconds - Int64(whole) * 1_000_000))
  }

  /// RFC 3339 in UTC with milliseconds, as in `2026-11-20T12:00:00.123Z`.
  public var rfc3339: String {
    let time = civil
    guard (0...9999).contains(time.year) else {
      return "\(Self.dateText(time))T\(Self.clockText(time)).\(Self.padded(time.microsecond / 1000, 3))Z"
    }
    // In place, since each document and each line of the log has some.
    return String(unsafeUninitializedCapacity: 24) { bytes in
      func put(_ number: Int, _ width: Int, at start: Int, then sign: Unicode.Scalar) {
        var rest = number
        for place in (start..<start + width).reversed() {
          bytes[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
          rest /= 10
        }
        bytes[start + width] = UInt8(ascii: sign)
      }
      put(time.year, 4, at: 0, then: "-")
      put(time.month, 2, at: 5, then: "-")
      put(time.day, 2, at: 8, then: "T")
      put(time.hour, 2, at: 11, then: ":")
      put(time.minute, 2, at: 14, then: ":")
      put(time.second, 2, at: 17, then: ".")
      put(time.microsecond / 1000, 3, at: 20, then: "Z")
      return 24
    }
  }

  /// `2026-11-20 12:00:00.123456` in UTC, trailing zeros of the fraction (and an empty fraction) left out.
  ///
  /// Texts of this form without a zone compare as instants, whatever the width of their fraction.
  public var sqlText: String {
    let time = civil
    var text = "\(Self.dateText(time)) \(Self.clockText(time))"
    if time.microsecond != 0 {
      var fraction = Self.padded(time.microsecond, 6)
      while fraction.last == "0" { fraction.removeLast() }
      text += ".\(fraction)"
    }
    return text
  }

  /// `2026-11-20 12:00:00.123456` in UTC, always with six digits of the fraction: the width that SQLAlchemy writes.
  public var microsecondText: String {
    let time = civil
    return "\(Self.dateText(time)) \(Self.clockText(time)).\(Self.padded(time.microsecond, 6))"
  }

  /// `2026-11-20 12:00` in UTC, for people.
  public var minuteText: String {
    let time = civil
    return "\(Self.dateText(time)) \(Self.padded(time.hour, 2)):\(Self.padded(time.minute, 2))"
  }

  /// `2026-11-20`, the date in UTC.
  public var dateText: String {
    Self.dateText(civil)
  }

  /// Reads a date and time in any of the forms that databases hold: `2026-11-20`, with a time after a blank or a `T`,
  /// seconds and fraction optional, ended by nothing (UTC), `Z` or an offset (`+02:00`, `+0200`, `+02`).
  ///
  /// - Returns: Nothing for any other text, an impossible date included.
  public init?(text: some StringProtocol) {
    var copy = String(text)
    let parsed = copy.withUTF8 { Timestamp.parse($0) }
    guard let parsed else { return nil }
    self = parsed
  }

  /// As ``init(text:)``, on bytes, without allocating.
  public static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> Timestamp? {
    if let instant = parsePlain(bytes) { return instant }
    var reader = DateReader(bytes)
    return reader.read()
  }

  /// Reads the form that nearly all rows of a database have, `2026-11-20 12:00:00` and an optional fraction, without a
  /// branch for each character; nothing for every other form.
  private static func parsePlain(_ bytes: UnsafeBufferPointer<UInt8>) -> Timestamp? {
    guard isPlain(bytes), separatesAsPlain(bytes), let seconds = microsecondsOfMinute(bytes) else { return nil }
    var bad: UInt8 = 0
    func pair(_ index: Int) -> Int { Self.digit(bytes, index, &bad) &* 10 &+ Self.digit(bytes, index &+ 1, &bad) }
    let (year, month, day) = (pair(0) &* 100 &+ pair(2), pair(5), pair(8))
    let (hour, minute) = (pair(11), pair(14))
    guard bad == 0, month >= 1, month <= 12, day >= 1, hour < 24, minute < 60,
      day <= 28 || day <= CivilTime.days(inMonth: month, of: year)
    else { return nil }
    let days = CivilTime.dayNumber(year: year, month: month, day: day)
    let minutes = days * 1440 + hour * 60 + minute
    return Timestamp(microseconds: Int64(minutes) * 60_000_000 + seconds)
  }

  /// Whether a text has a length of that form, and a point where its fraction begins.
  static func isPlain(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    bytes.count == 19 || (bytes.count > 20 && bytes.count <= 26 && bytes[19] == 46)
  }

  /// Whether a text of such a length has that form's signs between its numbers, up to the minute.
  static func separatesAsPlain(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    bytes[4] == 45 && bytes[7] == 45 && (bytes[10] == 32 || bytes[10] == 84) && bytes[13] == 58
  }

  /// What a text of such a length has beyond its minute; nothing where that is no number of seconds.
  static func microsecondsOfMinute(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
    var bad: UInt8 = 0
    let second = digit(bytes, 17, &bad) &* 10 &+ digit(bytes, 18, &bad)
    var fraction = 0
    if bytes.count > 20 {
      for index in 20..<bytes.count { fraction = fraction &* 10 &+ digit(bytes, index, &bad) }
      for _ in bytes.count..<26 { fraction = fraction &* 10 }
    }
    guard bad == 0, second < 60, bytes[16] == 58 else { return nil }
    return Int64(second) * 1_000_000 + Int64(fraction)
  }

  private static func digit(_ bytes: UnsafeBufferPointer<UInt8>, _ index: Int, _ bad: inout UInt8) -> Int {
    let value = bytes[index] &- 48
    bad |= value > 9 ? 1 : 0
    return Int(value)
  }

  private static func dateText(_ time: CivilTime) -> String {
    "\(padded(time.year, 4))-\(padded(time.month, 2))-\(padded(time.day, 2))"
  }

  private static func clockText(_ time: CivilTime) -> String {
    "\(padded(time.hour, 2)):\(padded(time.minute, 2)):\(padded(time.second, 2))"
  }

  static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number.magnitude)
    let zeros = String(repeating: "0", count: max(0, width - digits.count))
    return (number < 0 ? "-" : "") + zeros + digits
  }
}

extension Timestamp: Codable {
  /// Reads RFC 3339.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let value = Timestamp(text: text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a date and time: \(text)")
    }
    self = value
  }

  /// Writes ``rfc3339``.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rfc3339)
  }
}

/// Reads one date and time from bytes, left to right.
private struct DateReader {
  let bytes: UnsafeBufferPointer<UInt8>
  var position = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) {
    self.bytes = bytes
  }

  mutating func read() -> Timestamp? {
    guard let year = digits(4), take("-"), let month = digits(2), take("-"), let day = digits(2),
      (1...12).contains(month), day >= 1, day <= 28 || day <= CivilTime.days(inMonth: month, of: year)
    else { return nil }
    var civil = CivilTime(year: year, month: month, day: day)
    guard position < bytes.count else { return Timestamp(civil) }
    guard take(" ") || take("T") || take("t") else { return nil }
    guard let hour = digits(2), hour < 24, take(":"), let minute = digits(2), minute < 60 else { return nil }
    civil.hour = hour
    civil.minute = minute
    if take(":") {
      guard let second = digits(2), second < 60 else { return nil }
      civil.second = second
      if take(".") || take(",") {
        guard let fraction = fraction() else { return nil }
        civil.microsecond = fraction
      }
    }
    guard let offset = zone() else { return nil }
    return Timestamp(microseconds: Timestamp(civil).microseconds - Int64(offset) * 1_000_000)
  }

  /// The offset from UTC in seconds that ends the text; 0 where there is none.
  private mutating func zone() -> Int? {
    guard position < bytes.count else { return 0 }
    _ = take(" ")
    if take("Z") || take("z") { return position == bytes.count ? 0 : nil }
    let sign: Int
    if take("+") {
      sign = 1
    } else if take("-") {
      sign = -1
    } else {
      return nil
    }
    guard let hours = digits(2), hours < 24 else { return nil }
    var minutes = 0
    if position < bytes.count {
      _ = take(":")
      guard let read = digits(2), read < 60 else { return nil }
      minutes = read
    }
    return position == bytes.count ? sign * (hours * 3600 + minutes * 60) : nil
  }

  /// Microseconds from one or more digits; what lies beyond the sixth is cut off.
  private mutating func fraction() -> Int? {
    var value = 0
    var count = 0
    while position < bytes.count, let digit = digit(bytes[position]) {
      if count < 6 { value = value * 10 + digit }
      count += 1
      position += 1
    }
    guard count > 0 else { return nil }
    while count < 6 {
      value *= 10
      count += 1
    }
    return value
  }

  private mutating func digits(_ count: Int) -> Int? {
    guard position + count <= bytes.count else { return nil }
    var value = 0
    for offset in 0..<count {
      guard let digit = digit(bytes[position + offset]) else { return nil }
      value = value * 10 + digit
    }
    position += count
    return value
  }

  private func digit(_ byte: UInt8) -> Int? {
    byte >= 48 && byte <= 57 ? Int(byte) - 48 : nil
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard position < bytes.count, UInt32(bytes[position]) == character.value else { return false }
    position += 1
    return true
  }
}
