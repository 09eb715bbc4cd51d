public import UpkeepCore
public import UpkeepRuns
import UpkeepSchedule

extension ScheduledTask {
  /// When a slot's run is due: its jitter later, and not before the window opens.
  ///
  /// - Parameters:
  ///   - now: No window that is over by then counts.
  ///   - host: The host's name, for the jitter.
  func due(_ slot: Timestamp, at now: Timestamp, host: String) -> Timestamp? {
    guard let schedule else { return nil }
    let due = slot + jitter(on: host).delay(of: slot, in: schedule)
    guard let window = runnable.rules.window else { return due }
    return window.opening(onOrAfter: max(due, now), in: runnable.rules.timeZone)
  }

  func jitter(on host: String) -> Jitter {
    Jitter(upTo: jitter, host: host, task: name)
  }

  /// When the schedule starts it next: the first slot that is due when no pause holds any more.
  ///
  /// - Parameters:
  ///   - last: The slot up to which all are decided about.
  ///   - pause: The pause, if there is one; those that come before its end are skipped.
  ///   - now: The present time.
  ///   - host: The host's name, for the jitter.
  /// - Returns: Nothing where it never does, or not before somebody ends the pause.
  public func nextRun(after last: Timestamp, pause: TaskPause?, at now: Timestamp, host: String) -> Timestamp? {
    guard isEnabled, let schedule, let slot = schedule.next(after: last), let first = due(slot, at: now, host: host)
    else { return nil }
    guard let pause, pause.holds(at: now) else { return first }
    guard let end = pause.until else { return nil }
    guard first < end else { return first }
    // However many are skipped, they aren't walked: no jitter delays those before this one up to the end.
    var next = schedule.slots(after: last, through: end - jitter, limit: 1).last ?? slot
    while let due = due(next, at: now, host: host) {
      if due >= end { return due }
      guard let following = schedule.next(after: next) else { break }
      next = following
    }
    return nil
  }
}
