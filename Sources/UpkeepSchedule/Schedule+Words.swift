import Foundation
import UpkeepCore

extension Schedule {
  /// The schedule for people: `every 24 h`, `at 03:15 every day, Europe/Riga`.
  public var words: String {
    switch self {
    case .interval(let interval): "every \(interval.spacedText)"
    case .cron(let expression, let zone): "\(expression.words), \(Self.name(of: zone))"
    }
  }

  private static func name(of zone: TimeZone) -> String {
    zone.identifier == "GMT" ? "UTC" : zone.identifier
  }
}

extension Duration {
  /// `1 h 30 min`, `14 d`.
  fileprivate var spacedText: String {
    var text = ""
    var letters = ""
    func end() {
      guard !letters.isEmpty else { return }
      text += " \(letters == "m" ? "min" : letters) "
      letters = ""
    }
    for character in durationText {
      if character.isNumber {
        end()
        text.append(character)
      } else {
        letters.append(character)
      }
    }
    end()
    return text.trimmingCharacters(in: .whitespaces)
  }
}

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
    let times = hours.flatMap { hour in minutes.map { "\(Self.padded(hour)):\(Self.padded($0))" } }
    guard times.count <= 4 else { return nil }
    return "at \(Self.list(times))"
  }

  private var dayWords: String? {
    let everyDay = days.daysOfMonth.count == 31
    let everyWeekday = days.weekdays.count == 7
    let names = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
    let monthNames = [
      "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
      "December",
    ]
    let isFrequent = hours.count == 24 || (minutes == [0] && Self.step(of: hours, in: 24) != nil)
    let month = months.count == 12 ? nil : Self.list(months.sorted().map { monthNames[$0 - 1] })
    if days.eitherSuffices { return nil }
    if everyDay, everyWeekday {
      return [isFrequent ? nil : "every day", month.map { "in \($0)" }].compactMap(\.self).joined(separator: " ")
    }
    var which: [String] = []
    if everyDay {
      if days.weekdays == [1, 2, 3, 4, 5], days.numbered.isEmpty {
        which = ["Monday to Friday"]
      } else {
        which = days.weekdays.sorted { ($0 + 6) % 7 < ($1 + 6) % 7 }.map { names[$0] }
      }
      let ordinals = ["first", "second", "third", "fourth", "fifth"]
      which += days.numbered.map { rule in
        "the \(rule.number.map { ordinals[$0 - 1] } ?? "last") \(names[rule.weekday]) of the month"
      }
      return "on \(Self.list(which))" + (month.map { " in \($0)" } ?? "")
    }
    guard everyWeekday else { return nil }
    which = days.daysOfMonth.sorted().map(String.init)
    if which.count > 6 { return nil }
    if days.includesLastDay { which.append("the last day") }
    return "on \(days.daysOfMonth.isEmpty ? "" : "day ")\(Self.list(which)) of \(month ?? "the month")"
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

  private static func padded(_ number: Int) -> String {
    number < 10 ? "0\(number)" : "\(number)"
  }
}
