public import Logging
import UpkeepConfiguration
import UpkeepCore
import UpkeepRuns
import UpkeepRuntime
import UpkeepSchedule

extension Host {
  /// What the scheduler takes from the configuration.
  var schedulerPlan: SchedulerPlan {
    SchedulerPlan(
      tasks: configuration.tasks.map(\.scheduled), maxConcurrentRuns: configuration.maxConcurrentRuns,
      drainTimeout: configuration.drainTimeout)
  }

  /// Where `serve` listens, for people.
  public var listenAddress: String { configuration.listen.text }

  /// Where the state is kept, for people.
  var statePlace: String {
    switch configuration.state {
    case .path(let path): "the state store \(path)"
    case .database(let name): "the state store in database \(name)"
    }
  }

  /// The log of `serve`, on standard error.
  public func serveLogger() -> Logger {
    let (format, level) = (configuration.logFormat, configuration.logLevel)
    let stream = LogStream()
    var logger = Logger(label: "upkeep") { _ in
      LineLogHandler(asJSON: format == .json, wallClock: Host.systemWallClock, write: { stream.write($0) })
    }
    logger.logLevel = Logger.Level(rawValue: level.rawValue) ?? .info
    return logger
  }
}

extension TaskConfiguration {
  /// The task as the scheduler takes it.
  var scheduled: ScheduledTask {
    ScheduledTask(
      runnable, isEnabled: isEnabled, schedule: schedule, runOnStart: runOnStart, jitter: jitter, missed: missed,
      grace: grace)
  }

  /// When the schedule starts it next, as far as can be told beside `serve`.
  ///
  /// - Parameters:
  ///   - last: The slot up to which `serve` has decided about all; nothing where it has never run.
  ///   - pause: The pause, if there is one.
  ///   - now: The present time; where nobody serves, a slot that has passed isn't the next one.
  ///   - host: The host's name.
  func nextRun(after last: Timestamp?, pause: TaskPause?, at now: Timestamp, host: String) -> Timestamp? {
    var start = last
    if case .cron = schedule { start = last ?? now }
    guard let start, let schedule else { return nil }
    let next = scheduled.nextRun(after: start, pause: pause, at: now, host: host)
    guard let next, next <= now, let passed = schedule.slots(after: start, through: now, limit: 1).last else {
      return next
    }
    return scheduled.nextRun(after: passed, pause: pause, at: now, host: host)
  }
}
