import UpkeepCore

/// A cron expression on the clocks of a zone.
struct CronTimetable {
  let expression: CronExpression
  let offsets: ZoneOffsets

  /// The first slot after an instant.
  func next(after instant: Timestamp) -> Timestamp? {
    guard Self.isInReach(instant) else { return nil }
    let after = Int(instant.seconds)
    let found = expression.followsRealTime ? nextInRealTime(after: after) : nextTimeOfDay(after: after)
    return found.map { Timestamp(microseconds: Int64($0) * 1_000_000) }
  }

  /// Beyond these years neither the calendar nor the zone's rules mean anything.
  static func isInReach(_ instant: Timestamp) -> Bool {
    instant.microseconds.magnitude < 250_000_000_000_000_000
  }

  /// The first local time later than all that the clocks have shown, at the first instant at which they show it (or
  /// one later). Both steps are monotonic, so each local time gives one slot, and several times in one gap give one.
  private func nextTimeOfDay(after instant: Int) -> Int? {
    let shown = offsets.latestLocal(through: instant)
    guard let minute = expression.nextMinute(onOrAfter: CronExpression.floorDivided(shown, by: 60) + 1) else {
      return nil
    }
    return offsets.firstInstant(showing: minute * 60)
  }

  /// The first instant at which the clocks show a matching minute: none in a gap, two in a repeated hour.
  private func nextInRealTime(after instant: Int) -> Int? {
    var start = instant + 1
    let horizon = instant + 146_097 * 86_400
    while start < horizon {
      let end = start + ZoneOffsets.reach
      for segment in offsets.segments(from: start, to: end) {
        let local = segment.start + segment.offset
        guard let minute = expression.nextMinute(onOrAfter: CronExpression.floorDivided(local + 59, by: 60)) else {
          return nil
        }
        let found = minute * 60 - segment.offset
        if found < segment.end { return found }
        // Nothing can come until a day or so before this candidate, whatever the offsets do on the way.
        if segment.end == end { start = max(end, found - 2 * ZoneOffsets.reach) }
      }
    }
    return nil
  }
}
