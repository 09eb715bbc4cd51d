import UpkeepCore

/// The rule by which a zone changes its clocks each year, as POSIX's `TZ` writes it: `EET-2EEST,M3.5.0/3,M10.5.0/4`.
///
/// A zone file ends with such a rule; it holds after the last change that the file lists (RFC 9636, section 3.3).
struct ZoneRule: Hashable, Sendable {
  /// The day of a year on which the clocks change.
  enum Day: Hashable, Sendable {
    /// `Jn`: 1 to 365; 29 February is never counted.
    case withoutLeapDay(Int)
    /// `n`: 0 to 365; 29 February is counted.
    case withLeapDay(Int)
    /// `Mm.w.d`: the w-th weekday d (0 for Sunday) of month m; the fifth is the last.
    case weekday(month: Int, week: Int, day: Int)

    /// The day number since 1970-01-01 in a year.
    func number(in year: Int) -> Int {
      let newYear = CivilTime.dayNumber(year: year, month: 1, day: 1)
      switch self {
      case .withLeapDay(let day): return newYear + day
      case .withoutLeapDay(let day):
        let isLeap = CivilTime.days(inMonth: 2, of: year) == 29
        return newYear + day - 1 + (isLeap && day >= 60 ? 1 : 0)
      case .weekday(let month, let week, let day):
        let first = CivilTime.dayNumber(year: year, month: month, day: 1)
        let weekday = ((first + 4) % 7 + 7) % 7
        let date = 1 + (day - weekday + 7) % 7 + (week - 1) * 7
        return first - 1 + (date > CivilTime.days(inMonth: month, of: year) ? date - 7 : date)
      }
    }
  }

  /// A change of the clocks in each year.
  struct Change: Hashable, Sendable {
    var day: Day
    /// Seconds after midnight on the clocks before the change; may be negative, or more than a day.
    var time: Int
  }

  /// Seconds that the standard time is ahead of UTC.
  var standard: Int
  /// Summer time: seconds ahead of UTC, when it begins and when it ends; nothing where there is none.
  var summer: Summer?

  struct Summer: Hashable, Sendable {
    var offset: Int
    var start: Change
    var end: Change
  }

  /// The first change after an instant, and the offset from then on.
  func change(after instant: Int) -> (at: Int, offset: Int)? {
    changes(around: instant).first { $0.at > instant }
  }

  /// The offset at an instant.
  func offset(at instant: Int) -> Int {
    changes(around: instant).last { $0.at <= instant }?.offset ?? standard
  }

  /// The changes of the years around an instant, in order. Of two at the same instant only the start of summer counts:
  /// this is how a zone says that it has summer time all year.
  private func changes(around instant: Int) -> [(at: Int, offset: Int)] {
    guard let summer else { return [] }
    let year = CivilTime.date(ofDayNumber: CronExpression.floorDivided(instant, by: 86_400)).year
    var changes: [(at: Int, offset: Int)] = []
    for year in year - 1...year + 1 {
      changes.append((summer.start.day.number(in: year) * 86_400 + summer.start.time - standard, summer.offset))
      changes.append((summer.end.day.number(in: year) * 86_400 + summer.end.time - summer.offset, standard))
    }
    let starts = Set(changes.filter { $0.offset == summer.offset }.map(\.at))
    return changes.filter { $0.offset == summer.offset || !starts.contains($0.at) }.sorted { $0.at < $1.at }
  }
}

extension ZoneRule {
  /// Reads a rule; nothing for any other text.
  init?(_ text: some StringProtocol) {
    var reader = Reader(rest: text.utf8.map(\.self)[...])
    guard reader.name(), let standard = reader.duration() else { return nil }
    self.standard = -standard
    guard !reader.isAtEnd else { return }
    guard reader.name() else { return nil }
    var offset = self.standard + 3600
    if reader.next != UInt8(ascii: ",") {
      guard let written = reader.duration() else { return nil }
      offset = -written
    }
    guard reader.take(","), let start = reader.change(), reader.take(","), let end = reader.change(), reader.isAtEnd
    else { return nil }
    summer = Summer(offset: offset, start: start, end: end)
  }

  private struct Reader {
    var rest: ArraySlice<UInt8>

    var isAtEnd: Bool { rest.isEmpty }
    var next: UInt8? { rest.first }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard next == UInt8(ascii: character) else { return false }
      rest.removeFirst()
      return true
    }

    /// `EET` or `<+03>`.
    mutating func name() -> Bool {
      if take("<") {
        while let next, next != UInt8(ascii: ">") { rest.removeFirst() }
        return take(">")
      }
      let letters = rest.prefix { ($0 | 32) >= UInt8(ascii: "a") && ($0 | 32) <= UInt8(ascii: "z") }
      rest.removeFirst(letters.count)
      return letters.count >= 3
    }

    /// `3`, `-3`, `3:30` or `3:30:15`, in seconds.
    mutating func duration() -> Int? {
      let sign = take("-") ? -1 : 1
      if sign > 0 { _ = take("+") }
      guard let hours = number() else { return nil }
      var seconds = hours * 3600
      for unit in [60, 1] where take(":") {
        guard let part = number(), part < 60 else { return nil }
        seconds += part * unit
      }
      return sign * seconds
    }

    mutating func number() -> Int? {
      let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
      guard (1...3).contains(digits.count) else { return nil }
      rest.removeFirst(digits.count)
      return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    /// `M3.5.0/3`, `J60` or `59/1`; the time is 2 o'clock where none is given.
    mutating func change() -> Change? {
      let day: Day
      if take("M") {
        guard let month = number(), (1...12).contains(month), take("."), let week = number(), (1...5).contains(week),
          take("."), let weekday = number(), weekday < 7
        else { return nil }
        day = .weekday(month: month, week: week, day: weekday)
      } else if take("J") {
        guard let number = number(), (1...365).contains(number) else { return nil }
        day = .withoutLeapDay(number)
      } else {
        guard let number = number(), number < 366 else { return nil }
        day = .withLeapDay(number)
      }
      guard take("/") else { return Change(day: day, time: 7200) }
      return duration().map { Change(day: day, time: $0) }
    }
  }
}
