public import UpkeepCore

/// What is asked of the runner: one run of one task.
public struct RunRequest: Sendable {
  /// The task.
  public var task: RunnableTask
  /// Whether it runs or previews.
  public var mode: RunMode
  /// What asks.
  public var trigger: RunTrigger
  /// Whether it runs although the guard would refuse it.
  public var overrideGuard: Bool
  /// The run id of the group run it is a member of.
  public var groupRunID: String?
  /// The slot that it covers.
  public var scheduledAt: Timestamp?
  /// True waits for every rule, false for none; nothing leaves it to the task's rules.
  public var waits: Bool?
  /// Stops the run.
  public var stop: RunStop
  /// The record that was made of it already, such as that of its slot; nothing where the runner is to make one.
  public var record: RunRecord?
  /// Called when the run is over and what it held is free, before its end is announced; it must return at once.
  public var whenReleased: @Sendable () -> Void

  /// Creates a request.
  public init(
    task: RunnableTask, mode: RunMode = .run, trigger: RunTrigger = .manual, overrideGuard: Bool = false,
    groupRunID: String? = nil, scheduledAt: Timestamp? = nil, waits: Bool? = nil, stop: RunStop = RunStop(),
    record: RunRecord? = nil, whenReleased: @escaping @Sendable () -> Void = {}
  ) {
    self.task = task
    self.mode = mode
    self.trigger = trigger
    self.overrideGuard = overrideGuard
    self.groupRunID = groupRunID
    self.scheduledAt = scheduledAt
    self.waits = waits
    self.stop = stop
    self.record = record
    self.whenReleased = whenReleased
  }
}

/// What a run tells while it goes on. Every event carries the result as it stands.
public enum RunEvent: Sendable {
  /// It waits for those that stand in its way; for nobody in particular where as many runs work as may.
  case queued(RunResult, behind: [LeaseHolder])
  /// It works.
  case started(RunResult)
  /// The preview before it is made and the guard has let it pass: nothing is deleted yet.
  case forecast(RunResult, Forecast)
  /// Its counts or its progress moved.
  case progress(RunResult)
  /// It is over: the last event of most runs.
  case finished(RunResult)
  /// The work of a run that was reported before it stopped has ended at last, and its lease is free.
  case released(RunResult)

  /// The result as it stood.
  public var result: RunResult {
    switch self {
    case .queued(let result, _), .forecast(let result, _), .started(let result), .progress(let result),
      .finished(let result),
      .released(let result):
      result
    }
  }
}
