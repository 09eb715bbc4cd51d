public import Logging
import UpkeepConfiguration
import UpkeepRuns
import UpkeepRuntime

extension Host {
  /// What the scheduler takes from the configuration.
  var schedulerPlan: SchedulerPlan {
    SchedulerPlan(
      tasks: configuration.tasks.map { task in
        ScheduledTask(
          task.runnable, isEnabled: task.isEnabled, schedule: task.schedule, runOnStart: task.runOnStart,
          jitter: task.jitter, missed: task.missed, grace: task.grace)
      }, maxConcurrentRuns: configuration.maxConcurrentRuns, drainTimeout: configuration.drainTimeout)
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
