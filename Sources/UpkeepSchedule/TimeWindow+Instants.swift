public import Foundation
public import UpkeepCore

// On each day of the zone's calendar the window is one stretch of time: from the first instant at which the clocks show
// its start (or a later time, where the start is left out by a change of the clocks) to the first at which they show its
// end. So it comes once on a day with a repeated hour, and is shorter, down to nothing, where the clocks skip part of it.

extension TimeWindow {
  /// Whether an instant lies in the window; its first instant does, its end doesn't.
  public func contains(_ instant: Timestamp, in zone: TimeZone) -> Bool {
    end(after: instant, in: zone) != nil
  }

  /// When the window that an instant lies in ends.
  /// - Returns: Nothing where the instant lies in none.
  public func end(after instant: Timestamp, in zone: TimeZone) -> Timestamp? {
    stretches(around: instant, in: zone).first { $0.contains(instant) }?.upperBound
  }

  /// When the window that an instant lies in began.
  /// - Returns: Nothing where the instant lies in none.
  public func start(of instant: Timestamp, in zone: TimeZone) -> Timestamp? {
    stretches(around: instant, in: zone).first { $0.contains(instant) }?.lowerBound
  }

  /// The instant itself where it lies in the window, otherwise the first instant of the next window.
  public func opening(onOrAfter instant: Timestamp, in zone: TimeZone) -> Timestamp? {
    var day = instant
    // Only a window that the clocks skip is missing, so the next one is at most two days away.
    for _ in 0..<4 {
      for stretch in stretches(around: day, in: zone) where stretch.upperBound > instant {
        return max(stretch.lowerBound, instant)
      }
      day = day + .seconds(86_400)
    }
    return nil
  }

  /// The windows of the days around an instant, in order; a day on which the clocks skip all of it has none.
  private func stretches(around instant: Timestamp, in zone: TimeZone) -> [Range<Timestamp>] {
    let offsets = ZoneOffsets(zone)
    let now = Int(instant.seconds)
    let today = CronExpression.floorDivided(now + offsets.offset(at: now), by: 86_400)
    return (today - 2...today + 1).compactMap { day in
      let midnight = day * 86_400
      let first = offsets.firstInstant(showing: midnight + start * 60)
      let last = offsets.firstInstant(showing: midnight + (end <= start ? 86_400 : 0) + end * 60)
      guard first < last else { return nil }
      return Timestamp(microseconds: Int64(first) * 1_000_000)..<Timestamp(microseconds: Int64(last) * 1_000_000)
    }
  }
}
