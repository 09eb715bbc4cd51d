import UpkeepCore

// Slots are counted in days, not one by one: years of every minute take no longer than a look at each of their days.

extension CronTimetable {
  /// The slots after one instant, up to and including another; the newest of them are listed.
  func slots(after start: Timestamp, through end: Timestamp, limit: Int) -> DueSlots {
    var due = DueSlots()
    guard start < end, Self.isInReach(start), Self.isInReach(end) else { return due }
    let (from, to) = (Int(start.seconds), Int(end.seconds))
    due.count = count(after: from, through: to)
    guard due.count > 0 else { return due }
    due.first = next(after: start)
    let listed = min(max(1, limit), due.count)
    var slot = Timestamp(microseconds: Int64(self.start(of: listed, after: from, through: to)) * 1_000_000)
    while due.newest.count < listed, let next = next(after: slot) {
      due.newest.append(next)
      slot = next
    }
    due.last = due.newest.last
    if limit < 1 { due.newest = [] }
    return due
  }

  /// The latest instant behind which there are so many slots up to `end`; `start` where there are no more.
  private func start(of wanted: Int, after start: Int, through end: Int) -> Int {
    var span = 3600
    while end - span > start, count(after: end - span, through: end) < wanted { span *= 2 }
    var (low, high) = (max(start, end - span), end)
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if count(after: middle, through: end) >= wanted { low = middle } else { high = middle }
    }
    return low
  }

  /// How many slots come after an instant, up to and including another.
  func count(after start: Int, through end: Int) -> Int {
    guard start < end else { return 0 }
    return expression.followsRealTime
      ? countInRealTime(after: start, through: end) : countTimesOfDay(after: start, through: end)
  }

  private func countInRealTime(after start: Int, through end: Int) -> Int {
    offsets.segments(from: start + 1, to: end + 1).reduce(0) { sum, segment in
      let shown = (segment.start + segment.offset)..<(segment.end + segment.offset)
      return sum + expression.count(showingAfter: shown.lowerBound - 1, through: shown.upperBound - 1)
    }
  }

  /// Each matching time up to the latest that the clocks have shown counts once, however it was passed; but those within
  /// one gap, and the time at its end, are one slot.
  private func countTimesOfDay(after start: Int, through end: Int) -> Int {
    let latest = offsets.latestLocal(through: end)
    var count = expression.count(showingAfter: offsets.latestLocal(through: start), through: latest)
    for segment in offsets.segments(from: start + 1, to: end + 1) {
      let before = offsets.latestLocal(through: segment.start - 1)
      let shown = segment.start + segment.offset
      guard shown > before + 1 else { continue }
      count -= max(0, expression.count(showingAfter: before, through: shown) - 1)
    }
    return count
  }
}

extension CronExpression {
  /// How many matching minutes begin after one local time, up to and including another, both in seconds.
  func count(showingAfter start: Int, through end: Int) -> Int {
    let (first, last) = (Self.floorDivided(start, by: 60) + 1, Self.floorDivided(end, by: 60))
    guard first <= last else { return 0 }
    let (firstDay, lastDay) = (Self.floorDivided(first, by: 1440), Self.floorDivided(last, by: 1440))
    var count = 0
    var day = firstDay
    while let next = nextDay(onOrAfter: day), next <= lastDay {
      count += minutes.count * hours.count
      if next == firstDay { count -= minutesOfDay(before: first - firstDay * 1440) }
      if next == lastDay { count -= minutes.count * hours.count - minutesOfDay(before: last - lastDay * 1440 + 1) }
      day = next + 1
    }
    return count
  }

  /// How many matching minutes a day has before a minute of it.
  private func minutesOfDay(before minute: Int) -> Int {
    let (hour, rest) = (minute / 60, minute % 60)
    let whole = hours.count { $0 < hour } * minutes.count
    return whole + (hours.contains(hour) ? minutes.count { $0 < rest } : 0)
  }
}
