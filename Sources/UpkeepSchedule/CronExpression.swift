import UpkeepCore

/// A cron expression: minute, hour, day of month, month and day of week, or a word such as `@daily`.
///
/// Lists, ranges, steps, names of months and days, `?`, `L` (the last day of the month), `L-3` (three days before it), `5L` (the last Friday) and `5#2`
/// (the second Friday) are understood. As in Vixie's cron, a day comes up when either day field matches, where both are
/// restricted; a field that begins with `*` or `?` isn't.
public struct CronExpression: Hashable, Sendable {
  /// The text as it was given.
  public let text: String
  let minutes: [Int]
  let hours: [Int]
  let months: Set<Int>
  let days: CronDays

  /// Reads an expression.
  ///
  /// - Throws: ``CronError`` that names the field, what was found and what may stand there; also where the day never
  ///   comes, such as 30 February.
  public init(_ text: String) throws(CronError) {
    self.text = text
    var words = text.split(whereSeparator: \.isWhitespace).map(String.init)
    if let word = words.first, word.hasPrefix("@") {
      guard words.count == 1, let expansion = Self.words[word.lowercased()] else {
        let allowed = Self.words.keys.sorted().joined(separator: ", ")
        let hint = Self.hints[word.lowercased()].map { "write \($0) instead" } ?? "expected one of \(allowed)"
        throw CronError(nil, found: text, allowed: allowed, "unknown word \(text); \(hint)")
      }
      words = expansion.split(separator: " ").map(String.init)
    }
    guard words.count == 5 else {
      throw CronError(
        nil, found: text, allowed: "5 fields",
        "expected 5 fields (minute, hour, day of month, month, day of week), found \(words.count)")
    }
    minutes = try CronFieldReader(.minute).values(words[0])
    hours = try CronFieldReader(.hour).values(words[1])
    months = Set(try CronFieldReader(.month).values(words[3]))
    days = try CronDays(dayOfMonth: words[2], dayOfWeek: words[4])
    guard nextDay(onOrAfter: CivilTime.dayNumber(year: 2000, month: 1, day: 1)) != nil else {
      throw CronError(
        .dayOfMonth, found: text, allowed: "a day that comes",
        "the day \(words[2]) of month \(words[3]) never comes; write a day that the month has")
    }
  }

  private static let words = [
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
  ]

  /// Words of other programs, and the task keys that say the same here.
  private static let hints = ["@reboot": "run_on_start: true", "@every": "interval"]

  /// Whether it comes up more than once within some hour, or in every hour.
  ///
  /// Such a schedule follows real time through a change of the clocks. Any other one means a time of day: it comes up
  /// once where the clocks are put back, and at the end of the gap where they are put forward.
  public var followsRealTime: Bool {
    minutes.count > 1 || hours.count == 24
  }

  /// The first day on or after a day number that the day and month fields allow; nothing within 400 years means never.
  func nextDay(onOrAfter start: Int) -> Int? {
    var day = start
    let last = start + 146_097
    while day <= last {
      let date = CivilTime.date(ofDayNumber: day)
      guard months.contains(date.month) else {
        day += CivilTime.days(inMonth: date.month, of: date.year) - date.day + 1
        continue
      }
      if days.contains(year: date.year, month: date.month, day: date.day, dayNumber: day) { return day }
      day += 1
    }
    return nil
  }

  /// The first matching minute on or after a minute, both counted from 1970-01-01T00:00 in local time.
  func nextMinute(onOrAfter minute: Int) -> Int? {
    let today = Self.floorDivided(minute, by: 1440)
    let rest = minute - today * 1440
    if nextDay(onOrAfter: today) == today {
      for hour in hours where hour >= rest / 60 {
        for candidate in minutes where hour * 60 + candidate >= rest { return today * 1440 + hour * 60 + candidate }
      }
    }
    guard let day = nextDay(onOrAfter: today + 1), let hour = hours.first, let first = minutes.first else { return nil }
    return day * 1440 + hour * 60 + first
  }

  static func floorDivided(_ number: Int, by divisor: Int) -> Int {
    number >= 0 ? number / divisor : (number - divisor + 1) / divisor
  }
}
