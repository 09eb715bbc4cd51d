import UpkeepCore
import UpkeepTestKit

/// A cron expression made by chance, with what it means written down beside its text, not read from it.
struct CronSample: Sendable {
  /// Conditions on the day of the month and on the day of the week.
  enum DayRule: Sendable {
    case days(Set<Int>)
    case beforeLast(Int)
    case weekdays(Set<Int>)
    case numbered(weekday: Int, number: Int)
    case last(weekday: Int)

    func holds(day: Int, length: Int, weekday: Int) -> Bool {
      switch self {
      case .days(let days): days.contains(day)
      case .beforeLast(let count): day + count == length
      case .weekdays(let weekdays): weekdays.contains(weekday)
      case .numbered(let wanted, let number): weekday == wanted && day > (number - 1) * 7 && day <= number * 7
      case .last(let wanted): weekday == wanted && day + 7 > length
      }
    }
  }

  /// The expression.
  var text: String
  /// The minutes and the hours, bit by bit.
  var minutes: UInt64
  var hours: UInt64
  private var months: Set<Int>
  /// Any of them; nothing where the field is a star.
  private var dayOfMonth: [DayRule]?
  private var dayOfWeek: [DayRule]?

  /// Whether it comes up more than once in an hour, or in every hour.
  var followsRealTime: Bool { minutes.nonzeroBitCount > 1 || hours.nonzeroBitCount == 24 }

  /// Cron's rule: either day field suffices where both are restricted.
  func dayIsDue(month: Int, day: Int, length: Int, weekday: Int) -> Bool {
    guard months.contains(month) else { return false }
    func holds(_ rules: [DayRule]) -> Bool { rules.contains { $0.holds(day: day, length: length, weekday: weekday) } }
    return switch (dayOfMonth, dayOfWeek) {
    case (nil, nil): true
    case (let rules?, nil), (nil, let rules?): holds(rules)
    case (let days?, let weekdays?): holds(days) || holds(weekdays)
    }
  }
}

extension CronSample {
  /// An expression that likely comes up around a time on the clocks.
  init(near local: Int, _ random: SeededRandom) {
    var maker = Maker(random: random, civil: Timestamp(microseconds: Int64(local) * 1_000_000).civil)
    if maker.chance(3), let word = Self.words.randomElement(using: &maker) {
      self = word
      return
    }
    let minute = maker.minutes()
    let hour = maker.hours()
    let (month, dayOfMonth, dayOfWeek) = (maker.months(), maker.daysOfMonth(), maker.daysOfWeek())
    text = "\(minute.text) \(hour.text) \(dayOfMonth.text) \(month.text) \(dayOfWeek.text)"
    minutes = minute.values.reduce(0) { $0 | 1 << UInt64($1) }
    hours = hour.values.reduce(0) { $0 | 1 << UInt64($1) }
    months = Set(month.values)
    self.dayOfMonth = dayOfMonth.rules
    self.dayOfWeek = dayOfWeek.rules
  }

  private init(word: String, hours: UInt64, months: Set<Int>, days: [DayRule]?, weekdays: [DayRule]?) {
    (text, minutes, self.hours, self.months, dayOfMonth, dayOfWeek) = (word, 1, hours, months, days, weekdays)
  }

  private static let words: [CronSample] = {
    let all = Set(1...12)
    return [
      CronSample(word: "@hourly", hours: (1 << 24) - 1, months: all, days: nil, weekdays: nil),
      CronSample(word: "@daily", hours: 1, months: all, days: nil, weekdays: nil),
      CronSample(word: "@midnight", hours: 1, months: all, days: nil, weekdays: nil),
      CronSample(word: "@weekly", hours: 1, months: all, days: nil, weekdays: [.weekdays([0])]),
      CronSample(word: "@monthly", hours: 1, months: all, days: [.days([1])], weekdays: nil),
      CronSample(word: "@yearly", hours: 1, months: [1], days: [.days([1])], weekdays: nil),
      CronSample(word: "@annually", hours: 1, months: [1], days: [.days([1])], weekdays: nil),
    ]
  }()
}

/// Makes fields by chance.
private struct Maker: RandomNumberGenerator {
  let random: SeededRandom
  let civil: CivilTime

  mutating func next() -> UInt64 { random.next() }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

  /// `5`, `5,20`, `*/15`, `10-30`, `10-50/20` or `*`, near a value.
  mutating func numbers(in range: ClosedRange<Int>, near value: Int, spread: Int) -> (text: String, values: [Int]) {
    let size = range.count
    func wrapped(_ number: Int) -> Int { range.lowerBound + ClockOracle.rest(number - range.lowerBound, size) }
    let first = wrapped(value - spread + below(2 * spread + 1))
    switch below(100) {
    case ..<50:
      return ("\(first)", [first])
    case ..<65:
      let second = range.lowerBound + below(size)
      return ("\(first),\(second)", [first, second])
    case ..<75:
      let last = min(range.upperBound, first + below(4))
      return ("\(first)-\(last)", Array(first...last))
    case ..<83:
      let (step, last) = (1 + below(min(size, 20)), min(range.upperBound, first + below(size)))
      return ("\(first)-\(last)/\(step)", Array(stride(from: first, through: last, by: step)))
    case ..<93:
      let step = 2 + below(size / 2)
      return ("*/\(step)", Array(stride(from: range.lowerBound, through: range.upperBound, by: step)))
    default:
      return ("*", Array(range))
    }
  }

  mutating func minutes() -> (text: String, values: [Int]) {
    // Every minute of an hour is rare: such a window takes long.
    let field = numbers(in: 0...59, near: chance(70) ? 30 : civil.minute, spread: 30)
    return field.values.count > 20 && !chance(15) ? ("\(civil.minute)", [civil.minute]) : field
  }

  mutating func hours() -> (text: String, values: [Int]) {
    chance(15) ? ("*", Array(0...23)) : numbers(in: 0...23, near: civil.hour, spread: 3)
  }

  mutating func months() -> (text: String, values: [Int]) {
    let names = ["JAN", "feb", "Mar", "APR", "may", "Jun", "JUL", "aug", "Sep", "OCT", "nov", "Dec"]
    switch below(20) {
    case ..<16: return ("*", Array(1...12))
    case 16: return (names[civil.month - 1], [civil.month])
    case 17: return ("\(civil.month)-DEC", Array(civil.month...12))
    case 18: return ("jan-\(civil.month)/1", Array(1...civil.month))
    default: return ("2,\(civil.month)", [2, civil.month])
    }
  }

  mutating func daysOfMonth() -> (text: String, rules: [CronSample.DayRule]?) {
    switch below(20) {
    case ..<13: return ("*", nil)
    case 13: return ("?", nil)
    case 14: return ("L", [.beforeLast(0)])
    case 15:
      let back = 1 + below(9)
      return ("L-\(back),15", [.beforeLast(back), .days([15])])
    case 16:
      return ("1-31", [.days(Set(1...31))])
    default:
      let day = min(28, max(1, civil.day - 1 + below(3)))
      return chance(50)
        ? ("\(day)", [.days([day])]) : ("\(day)-31/2", [.days(Set(stride(from: day, through: 31, by: 2)))])
    }
  }

  mutating func daysOfWeek() -> (text: String, rules: [CronSample.DayRule]?) {
    let names = ["Sun", "MON", "tue", "Wed", "THU", "fri", "SAT"]
    let day = below(7)
    switch below(20) {
    case ..<12: return ("*", nil)
    case 12: return ("?", nil)
    case 13: return ("0,\(names[day])", [.weekdays([0, day])])
    case 14: return ("5-7", [.weekdays([5, 6, 0])])
    case 15: return ("fri-SUN,\(day)", [.weekdays([5, 6, 0, day])])
    case 16:
      let number = 1 + below(5)
      return ("\(names[day])#\(number)", [.numbered(weekday: day, number: number)])
    case 17: return ("\(day)L", [.last(weekday: day)])
    case 18: return ("1-5/2", [.weekdays([1, 3, 5])])
    default: return ("7", [.weekdays([0])])
    }
  }
}
