public import Logging

/// What a room offers to tasks. Rooms refine it: databases, outgoing HTTP.
public protocol TaskResources: Sendable {}

/// What a preview found before the run it precedes.
public struct Forecast: Hashable, Sendable {
  /// Counts by name.
  public var counts: [String: Int]
  /// Counts by table.
  public var tables: [TableResult]
  /// The steps that failed in the preview, so that the guard couldn't judge them.
  public var errors: [RunError]

  /// Creates a forecast.
  public init(counts: [String: Int], tables: [TableResult], errors: [RunError] = []) {
    self.counts = counts
    self.tables = tables
    self.errors = errors
  }

  /// All rows that a run would delete.
  public var deleted: Int {
    tables.reduce(0) { $0 + $1.deleted }
  }
}

/// What a task sees of the run it works in.
///
/// A task has no clock, timer, lock, retry loop or log of its own life cycle: the runner has them.
public struct TaskContext: Sendable {
  /// The task's name.
  public let task: String
  /// The run's identifier.
  public let runID: String
  /// Whether the task runs or previews.
  public let mode: RunMode
  /// What started the run.
  public let trigger: RunTrigger
  /// The instant that every cutoff of this run is computed from.
  public let now: Timestamp
  /// The wall clock.
  public let wallClock: any WallClock
  /// The clock to measure and sleep with.
  public let clock: any Clock<Duration>
  /// Random numbers.
  public let random: any RandomSource
  /// What the host offers: databases and the like.
  public let resources: any TaskResources
  /// Logs what may help somebody who looks for a fault; the run's outcome is logged by the runner.
  public let logger: Logger
  /// What the preview found that the runner made before this run; nothing where it made none.
  public let forecast: Forecast?
  /// Where the run's counts and messages go.
  public let journal: RunJournal
  /// How much this run may do: see ``limitReached()``.
  public let limits: RunLimits
  /// Rows that the run must not touch: see ``exceptions(in:)``.
  public let exceptions: [RowException]
  /// How long the run's right to work holds; nothing where it doesn't end by itself.
  public let lease: LeaseWatch?
  /// The result of the last run of this task (no preview) that was completed, for a task that has to notice that
  /// something changed since; nothing where there is none.
  public let lastCompleted: @Sendable () async throws -> RunResult?
  /// The time since this part of the run began; measured only where a limit needs it.
  let elapsed: @Sendable () -> Duration

  /// Creates a context. Only the runner and tests do.
  public init(
    task: String, runID: String, mode: RunMode, trigger: RunTrigger, now: Timestamp, wallClock: any WallClock,
    clock: any Clock<Duration>, random: any RandomSource, resources: any TaskResources, logger: Logger,
    forecast: Forecast?, journal: RunJournal, limits: RunLimits = RunLimits(),
    exceptions: [RowException] = [], lease: LeaseWatch? = nil,
    lastCompleted: @escaping @Sendable () async throws -> RunResult? = { nil }
  ) {
    self.task = task
    self.runID = runID
    self.mode = mode
    self.trigger = trigger
    self.now = now
    self.wallClock = wallClock
    self.clock = clock
    self.random = random
    self.resources = resources
    self.logger = logger
    self.forecast = forecast
    self.journal = journal
    self.limits = limits
    self.exceptions = exceptions
    self.lease = lease
    self.lastCompleted = lastCompleted
    if limits.maxDuration == nil { elapsed = { .zero } } else { elapsed = clock.stopwatch() }
  }

  /// Adds to a count. In a run: after the commit that makes it true.
  public func add(_ name: String, _ number: Int) {
    journal.update { $0.counts[name, default: 0] += number }
  }

  /// Changes what is said of a table.
  public func update(table name: String, _ change: @Sendable (inout TableResult) -> Void) {
    journal.update { contents in
      if let index = contents.tables.firstIndex(where: { $0.table == name }) {
        change(&contents.tables[index])
      } else {
        var result = TableResult(table: name)
        change(&result)
        contents.tables.append(result)
      }
    }
  }

  /// Says how far the run is.
  ///
  /// - Parameters:
  ///   - fraction: 0 to 1; nothing leaves the percentage as it is. It never falls.
  ///   - message: What the task does now.
  public func report(_ fraction: Double? = nil, _ message: String) {
    journal.update { contents in
      if let fraction { contents.progress.percent = (fraction * 1000).rounded(.down) / 10 }
      contents.progress.message = message
    }
  }

  /// Says something that somebody should know; the same text is kept once.
  public func warn(_ text: String) {
    journal.update { contents in
      if !contents.warnings.contains(text) { contents.warnings.append(text) }
    }
  }

  /// Adds an object to the result's `details`.
  public func detail(_ kind: String, _ values: [String: JSONValue]) {
    var object = values
    object["kind"] = .string(kind)
    let entry = JSONValue.object(object)
    journal.update { $0.details.append(entry) }
  }

  /// Does one step that may fail alone: its error is recorded and the steps after it go on.
  ///
  /// A step that failed in the ``forecast`` isn't done in the run: the guard couldn't judge it. The forecast's error is
  /// recorded in its place.
  ///
  /// - Returns: The step's value, or nothing where it failed; steps that need the value are left out then.
  /// - Throws: `CancellationError`, which ends the run.
  public func step<Value: Sendable>(
    _ name: String, _ body: () async throws -> Value
  ) async throws -> Value? {
    try Task.checkCancellation()
    let unjudged = forecast?.errors.filter { $0.step == name } ?? []
    guard unjudged.isEmpty else {
      journal.update { $0.errors += unjudged }
      return nil
    }
    do {
      return try await body()
    } catch let error where error is CancellationError || Task.isCancelled {
      throw CancellationError()
    } catch {
      record(error, step: name)
      return nil
    }
  }

  /// Records an error of a step.
  public func record(_ error: any Error, step: String) {
    let entry = RunError(error, step: step)
    journal.update { $0.errors.append(entry) }
    logger.error("\(entry.message)", metadata: ["step": "\(step)", "code": "\(entry.code)"])
  }
}

extension RunError {
  /// Describes any error.
  public init(_ error: any Error, step: String) {
    if let error = error as? TaskError {
      self.init(step: step, code: error.code, message: error.description)
    } else {
      self.init(step: step, code: "unexpected", message: String(describing: error))
    }
  }
}
