import UpkeepCore

/// What a wall clock shows, minute by minute, and which of those minutes are slots: the rule as it is told to people,
/// with no arithmetic over more than a minute.
struct ClockOracle {
  /// All changes of the zone's clocks, in order.
  let changes: [ZoneDump.Change]
  /// The offset where there are none.
  let fixedOffset: Int

  /// The slots of an expression after one instant, up to and including another.
  func slots(_ sample: CronSample, after start: Int, through end: Int) -> [Int] {
    // What the clocks showed before counts too: a time that they have shown isn't shown for the first time again.
    var instant = start - 30 * 3600
    var next = changes.firstIndex { $0.at > instant } ?? changes.count
    var offset = next < changes.count ? changes[next].before : changes.last?.after ?? fixedOffset
    var shown = instant + offset - 1
    var found: [Int] = []
    var day = Day(sample)
    let followsRealTime = sample.followsRealTime
    var change = next < changes.count ? changes[next].at : Int.max
    while instant <= end {
      if change == instant {
        offset = changes[next].after
        next += 1
        change = next < changes.count ? changes[next].at : Int.max
      }
      let local = instant + offset
      let second = Self.rest(local, 60)
      if followsRealTime {
        if second == 0, instant > start, day.matches(local) { found.append(instant) }
      } else if local > shown {
        // Usually one minute; many where the clocks were put forward.
        var minute = shown + 60 - Self.rest(shown, 60)
        var isDue = false
        while minute <= local, !isDue {
          isDue = day.matches(minute)
          minute += 60
        }
        if isDue, instant > start { found.append(instant) }
        shown = local
      }
      instant += 60 - second
      if instant > change { instant = change }
    }
    return found
  }

  static func rest(_ number: Int, _ divisor: Int) -> Int {
    let rest = number % divisor
    return rest < 0 ? rest + divisor : rest
  }

  /// One day of the calendar, looked at once.
  private struct Day {
    let sample: CronSample
    let minutes: UInt64
    let hours: UInt64
    var number = Int.min
    var isDue = false

    init(_ sample: CronSample) {
      self.sample = sample
      (minutes, hours) = (sample.minutes, sample.hours)
    }

    mutating func matches(_ local: Int) -> Bool {
      let second = ClockOracle.rest(local, 86_400)
      let minute = second / 60
      guard minutes & (1 &<< UInt64(minute % 60)) != 0, hours & (1 &<< UInt64(minute / 60)) != 0 else {
        return false
      }
      let today = (local - second) / 86_400
      if today != number {
        number = today
        let date = CivilTime.date(ofDayNumber: today)
        let length = CivilTime.days(inMonth: date.month, of: date.year)
        let weekday = ClockOracle.rest(today + 4, 7)
        isDue = sample.dayIsDue(month: date.month, day: date.day, length: length, weekday: weekday)
      }
      return isDue
    }
  }
}
