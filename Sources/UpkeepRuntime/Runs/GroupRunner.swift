public import UpkeepCore
public import UpkeepRuns

/// What is asked of the ``GroupRunner``: a group's tasks in order.
public struct GroupRequest: Sendable {
  /// The group's name.
  public var group: String
  /// Its tasks, in order.
  public var tasks: [RunnableTask]
  /// Whether they run or preview.
  public var mode: RunMode
  /// What asks.
  public var trigger: RunTrigger
  /// Whether they run although the guard would refuse them.
  public var overrideGuard: Bool
  /// True waits for every rule, false for none; nothing leaves it to the tasks' rules.
  public var waits: Bool?
  /// Stops the group.
  public var stop: RunStop

  /// Creates a request.
  public init(
    group: String, tasks: [RunnableTask], mode: RunMode = .run, trigger: RunTrigger = .manual,
    overrideGuard: Bool = false, waits: Bool? = nil, stop: RunStop = RunStop()
  ) {
    self.group = group
    self.tasks = tasks
    self.mode = mode
    self.trigger = trigger
    self.overrideGuard = overrideGuard
    self.waits = waits
    self.stop = stop
  }
}

/// Runs a group: its members in order, each with a record of its own.
///
/// A member that fails doesn't keep the next from running. A stop ends the present member; those after it are recorded
/// as stopped without having started, so that the group has one result for each member.
public struct GroupRunner: Sendable {
  let runner: Runner

  /// Creates a runner of groups on top of the one of tasks.
  public init(_ runner: Runner) {
    self.runner = runner
  }

  /// Runs a group.
  /// - Parameter observe: Told of the events of each member, in order.
  public func run(
    _ request: GroupRequest, observe: @escaping @Sendable (RunEvent) -> Void = { _ in }
  ) async -> GroupResult {
    let startedAt = runner.wallClock.now()
    let runID = RunID.make(at: startedAt, random: runner.random)
    var results: [RunResult] = []
    for task in request.tasks {
      let member = RunRequest(
        task: task, mode: request.mode, trigger: request.trigger, overrideGuard: request.overrideGuard,
        groupRunID: runID, waits: request.waits, stop: request.stop)
      results.append(await runner.run(member, observe: observe))
    }
    let stopped = request.stop.reason?.status ?? (Task.isCancelled ? .cancelled : nil)
    let status = stopped ?? GroupResult.status(of: results.map(\.status))
    return GroupResult(
      runID: runID, group: request.group, status: status, startedAt: startedAt, finishedAt: runner.wallClock.now(),
      results: results, warnings: request.mode == .preview ? request.dependencies : [])
  }
}

extension GroupRequest {
  /// Says of each member whose result depends on earlier ones that a preview can't know it: every member is shown on the
  /// data as it is now.
  fileprivate var dependencies: [String] {
    tasks.indices.compactMap { index in
      let task = tasks[index]
      let earlier = tasks[..<index].filter { other in
        task.prepared.dependsOn.contains(other.plugin)
          && task.prepared.settings["database"] == other.prepared.settings["database"]
      }
      guard !earlier.isEmpty else { return nil }
      let names = earlier.map(\.name).formatted()
      return "\(task.name) is shown on the data as it is now; in a run of the group \(names) come"
        + "\(earlier.count == 1 ? "s" : "") first and may change what it finds"
    }
  }
}

extension [String] {
  /// `a, b and c`
  fileprivate func formatted() -> String {
    guard count > 1, let last else { return first ?? "" }
    return "\(dropLast().joined(separator: ", ")) and \(last)"
  }
}
