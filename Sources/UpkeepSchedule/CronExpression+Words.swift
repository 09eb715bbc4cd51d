extension CronExpression {
  /// The expression for people; where no short sentence says it, the expression itself.
  public var words: String {
    guard let times, let dayWords else { return "cron \(text)" }
    return dayWords.isEmpty ? times : "\(times) \(dayWords)"
  }

  private var times: String? {
    let allHours = hours.count == 24
    if allHours, minutes.count == 60 { return "every minute" }
    if allHours, minutes.count == 1 { return minutes == [0] ? "every hour" : "every hour at minute \(minutes[0])" }
    if allHours, let step = Self.step(of: minutes, in: 60) { return "every \(step) min" }
    if minutes == [0], let step = Self.step(of: hours, in: 24) { return "every \(step) h" }
    let times = hours.flatMap { hour in minutes.map { "\(Self.clock(hour, $0))" } }
    if times.count <= 4 { return "at \(Self.list(times))" }
    if allHours, minutes.count <= 4 { return "every hour at minutes \(Self.list(minutes.map(String.init)))" }
    guard let first = hours.first, let last = hours.last, last - first == hours.count - 1 else { return nil }
    if minutes.count == 1 {
      return "every hour from \(Self.clock(first, minutes[0])) to \(Self.clock(last, minutes[0]))"
    }
    let step = minutes.count == 60 ? 1 : Self.step(of: minutes, in: 60)
    guard let step, let end = minutes.last else { return nil }
    return "every \(step == 1 ? "minute" : "\(step) min") from \(Self.clock(first, 0)) to \(Self.clock(last, end))"
  }

  private var dayWords: String? {
    let monthNames = [
      "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
      "December",
    ]
    let month = months.count == 12 ? nil : Self.list(months.sorted().map { monthNames[$0 - 1] })
    let everyDay = days.daysOfMonth.count == 31
    let everyWeekday = days.weekdays.count == 7
    if days.eitherSuffices ? everyDay || everyWeekday : everyDay && everyWeekday {
      let isFrequent = hours.count == 24 || (minutes == [0] && Self.step(of: hours, in: 24) != nil)
      return [isFrequent ? nil : "every day", month.map { "in \($0)" }].compactMap(\.self).joined(separator: " ")
    }
    // A day that must be both has no short name.
    guard days.eitherSuffices || everyDay || everyWeekday else { return nil }
    var which: [String] = []
    if !everyDay {
      guard let days = daysOfMonthWords else { return nil }
      which.append(days + " of \(month ?? "the month")")
    }
    if !everyWeekday { which.append(weekdayWords + (month.map { " in \($0)" } ?? "")) }
    return "on \(which.joined(separator: " or on "))"
  }

  /// `day 1 and the last day`; nothing where the list gets too long.
  private var daysOfMonthWords: String? {
    var which = days.daysOfMonth.sorted().map(String.init)
    which += days.daysBeforeLast.sorted(by: >).map { back in
      back == 0 ? "the last day" : "the day \(back) \(back == 1 ? "day" : "days") before the last"
    }
    guard which.count <= 6 else { return nil }
    return (days.daysOfMonth.isEmpty ? "" : "day ") + Self.list(which)
  }

  private var weekdayWords: String {
    let names = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
    let ordinals = ["first", "second", "third", "fourth", "fifth"]
    if days.weekdays == [1, 2, 3, 4, 5], days.numbered.isEmpty { return "Monday to Friday" }
    let whole = days.weekdays.sorted { ($0 + 6) % 7 < ($1 + 6) % 7 }.map { names[$0] }
    let numbered = days.numbered.map { rule in
      "the \(rule.number.map { ordinals[$0 - 1] } ?? "last") \(names[rule.weekday]) of the month"
    }
    return Self.list(whole + numbered)
  }

  private static func step(of values: [Int], in size: Int) -> Int? {
    guard values.count > 1, values[0] == 0 else { return nil }
    let step = values[1]
    return size % step == 0 && values == Array(stride(from: 0, to: size, by: step)) ? step : nil
  }

  private static func list(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " and " + last
  }

  /// `03:15`
  private static func clock(_ hour: Int, _ minute: Int) -> String {
    [hour, minute].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
  }
}
