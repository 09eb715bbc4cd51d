public import Foundation
public import UpkeepCore

/// When a task is due: pure arithmetic on instants.
public enum Schedule: Hashable, Sendable {
  /// Every so often, counted from the slot before.
  case interval(Duration)
  /// At the times of a cron expression on the clocks of a zone.
  case cron(CronExpression, zone: TimeZone)

  /// The first slot after another one (or after the instant at which the schedule began).
  ///
  /// - Returns: Nothing where the calendar ends.
  public func next(after slot: Timestamp) -> Timestamp? {
    switch self {
    case .interval(let interval):
      guard interval > .zero else { return nil }
      let next = slot + interval
      return next.microseconds == .max ? nil : next
    case .cron(let expression, let zone):
      return CronTimetable(expression: expression, offsets: ZoneOffsets(zone)).next(after: slot)
    }
  }

  /// The slots after one instant, up to and including another, however many: they are counted, not walked.
  ///
  /// - Parameters:
  ///   - start: The slot before (or the instant at which the schedule began).
  ///   - end: The last instant that counts.
  ///   - limit: How many of the newest slots are listed; all are counted.
  public func slots(after start: Timestamp, through end: Timestamp, limit: Int = 100) -> DueSlots {
    switch self {
    case .interval(let interval):
      return Self.slots(every: interval, after: start, through: end, limit: limit)
    case .cron(let expression, let zone):
      return CronTimetable(expression: expression, offsets: ZoneOffsets(zone))
        .slots(after: start, through: end, limit: limit)
    }
  }

  private static func slots(
    every interval: Duration, after start: Timestamp, through end: Timestamp, limit: Int
  ) -> DueSlots {
    var due = DueSlots()
    guard interval > .zero, start < end else { return due }
    let step = max(1, interval.microseconds)
    let count = (end - start).microseconds / step
    guard count > 0 else { return due }
    due.count = Int(count)
    due.first = Timestamp(microseconds: start.microseconds + step)
    let listed = min(Int64(max(0, limit)), count)
    due.newest = (0..<listed).map {
      Timestamp(microseconds: start.microseconds + step * (count - listed + 1 + $0))
    }
    due.last = Timestamp(microseconds: start.microseconds + step * count)
    return due
  }
}

/// The slots of a stretch of time.
public struct DueSlots: Hashable, Sendable {
  /// How many there are.
  public internal(set) var count = 0
  /// The first.
  public internal(set) var first: Timestamp?
  /// The last.
  public internal(set) var last: Timestamp?
  /// The newest, as many as were asked for, in the order of time.
  public internal(set) var newest: [Timestamp] = []
}

/// What happens to slots that passed while the host was down or busy.
public enum MissedRule: String, SettingEnumeration, Codable {
  /// One run stands for all of them.
  case runOnce = "run_once"
  /// They are recorded as missed.
  case skip
  /// Each is run, at most the 100 newest.
  case runAll = "run_all"
}
