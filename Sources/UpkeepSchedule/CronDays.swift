import UpkeepCore

/// The days on which a cron expression comes up, as far as its two day fields say.
struct CronDays: Hashable, Sendable {
  /// Days of the month.
  var daysOfMonth: Set<Int> = []
  /// Days of the month counted back from the last, which is 0.
  var daysBeforeLast: Set<Int> = []
  /// Days of the week, 0 for Sunday.
  var weekdays: Set<Int> = []
  /// Days of the week of which only the n-th in a month counts.
  var numbered: [Numbered] = []
  /// Whether either field suffices.
  var eitherSuffices = false

  /// The n-th weekday of a month.
  struct Numbered: Hashable, Sendable {
    var weekday: Int
    /// 1 to 5; nothing means the last.
    var number: Int?
  }

  init(dayOfMonth: String, dayOfWeek: String) throws(CronError) {
    for part in dayOfMonth.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
      if let back = try Self.daysBeforeLast(part) {
        daysBeforeLast.insert(back)
      } else {
        daysOfMonth.formUnion(try CronFieldReader(.dayOfMonth).values(dayOfMonth == "?" ? "*" : part))
      }
    }
    for part in dayOfWeek.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
      if let day = try Self.numbered(part) {
        numbered.append(day)
      } else {
        weekdays.formUnion(try CronFieldReader(.dayOfWeek).values(dayOfWeek == "?" ? "*" : part))
      }
    }
    let open: (String) -> Bool = { $0.hasPrefix("*") || $0 == "?" }
    eitherSuffices = !open(dayOfMonth) && !open(dayOfWeek)
  }

  /// `L` or `L-3`; nothing for anything else.
  private static func daysBeforeLast(_ part: String) throws(CronError) -> Int? {
    guard part.uppercased().hasPrefix("L") else { return nil }
    guard part.count > 1 else { return 0 }
    guard part.dropFirst().first == "-", let number = CronFieldReader.number(String(part.dropFirst(2))),
      (1...30).contains(number)
    else { throw CronError(.dayOfMonth, found: part) }
    return number
  }

  /// `5#2` or `5L`; nothing for anything else.
  private static func numbered(_ part: String) throws(CronError) -> Numbered? {
    let reader = CronFieldReader(.dayOfWeek)
    if let sign = part.firstIndex(of: "#") {
      let weekday = try reader.value(String(part[..<sign]), part: part) % 7
      guard let number = CronFieldReader.number(String(part[part.index(after: sign)...])), (1...5).contains(number)
      else { throw CronError(.dayOfWeek, found: part) }
      return Numbered(weekday: weekday, number: number)
    }
    guard part.uppercased().hasSuffix("L") else { return nil }
    return Numbered(weekday: try reader.value(String(part.dropLast()), part: part) % 7, number: nil)
  }

  func contains(year: Int, month: Int, day: Int, dayNumber: Int) -> Bool {
    let length = CivilTime.days(inMonth: month, of: year)
    let byMonth = daysOfMonth.contains(day) || daysBeforeLast.contains(length - day)
    let weekday = ((dayNumber + 4) % 7 + 7) % 7
    let byWeek =
      weekdays.contains(weekday)
      || numbered.contains { rule in
        guard rule.weekday == weekday else { return false }
        return rule.number.map { (day - 1) / 7 + 1 == $0 } ?? (day + 7 > length)
      }
    return eitherSuffices ? byMonth || byWeek : byMonth && byWeek
  }
}
