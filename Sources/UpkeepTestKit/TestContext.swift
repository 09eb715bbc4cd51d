public import Logging
public import UpkeepCore

/// Resources of a host that offers none.
public struct NoResources: TaskResources {
  /// Creates them.
  public init() {}
}

extension TaskContext {
  /// A context for tests, with a manual clock unless another is given.
  public static func test(
    task: String = "test", mode: RunMode = .run, now: Timestamp = ManualWallClock.noon,
    clock: any Clock<Duration> = ManualClock(), wallClock: (any WallClock)? = nil,
    random: any RandomSource = SeededRandom(), resources: any TaskResources = NoResources(),
    logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, forecast: Forecast? = nil,
    journal: RunJournal = RunJournal(), limits: RunLimits = RunLimits(), exceptions: [RowException] = [],
    lease: LeaseWatch? = nil, lastCompleted: @escaping @Sendable () async throws -> RunResult? = { nil }
  ) -> TaskContext {
    TaskContext(
      task: task, runID: "01TEST", mode: mode, trigger: .manual, now: now,
      wallClock: wallClock ?? ManualWallClock(start: now), clock: clock, random: random, resources: resources,
      logger: logger, forecast: forecast, journal: journal, limits: limits, exceptions: exceptions, lease: lease,
      lastCompleted: lastCompleted)
  }
}
