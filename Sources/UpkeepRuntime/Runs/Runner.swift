public import Logging
public import UpkeepCore
public import UpkeepRuns

/// Runs tasks: the one path for a run, whoever asks for it.
///
/// A run is recorded as queued, asks for its lease, is judged by the guard where its task deletes, works under its
/// timeout with a heartbeat, and is recorded with what it did. Whatever the task does, or the state store fails to do,
/// ``run(_:observe:)`` returns a result.
public struct Runner: Sendable {
  /// How often a run says that it lives.
  public static let heartbeat = Duration.seconds(2)
  /// How often a waiting run asks again.
  public static let askInterval = Duration.milliseconds(500)
  /// How long a task that was told to stop may take before it is reported without it.
  public static let grace = Duration.seconds(5)
  /// How often a working run is looked at for those who watch it.
  public static let pulse = Duration.milliseconds(250)
  /// How often the state store gets the live result at the most.
  public static let saveInterval = Duration.seconds(1)

  let store: any RunLifeStore
  let inspector: any ProcessInspector
  let wallClock: any WallClock
  let clock: any Clock<Duration>
  let random: any RandomSource
  let resources: any TaskResources
  let maxConcurrentRuns: Int?
  let endProcesses: @Sendable ([ServerProcess]) async throws -> Void
  let logger: Logger

  /// Creates a runner.
  ///
  /// - Parameters:
  ///   - store: Keeps records and leases.
  ///   - inspector: Says who this process is.
  ///   - wallClock: Tells the time of day.
  ///   - clock: Measures and sleeps.
  ///   - random: Makes run ids, and goes to the tasks.
  ///   - resources: What the host offers to tasks.
  ///   - maxConcurrentRuns: How many runs of all processes may work at once; nothing means any number.
  ///   - endProcesses: Ends processes of servers that work for runs which have lost their leases.
  ///   - logger: Gets the life cycle of runs, and what tasks log.
  public init(
    store: any RunLifeStore, inspector: any ProcessInspector, wallClock: any WallClock,
    clock: any Clock<Duration>, random: any RandomSource, resources: any TaskResources,
    maxConcurrentRuns: Int? = nil,
    endProcesses: @escaping @Sendable ([ServerProcess]) async throws -> Void = { _ in }, logger: Logger
  ) {
    self.store = store
    self.inspector = inspector
    self.wallClock = wallClock
    self.clock = clock
    self.random = random
    self.resources = resources
    self.maxConcurrentRuns = maxConcurrentRuns
    self.endProcesses = endProcesses
    self.logger = logger
  }

  /// Runs a task, or previews it, and returns its result.
  ///
  /// The run ends early where its ``UpkeepRuns/RunStop`` is asked for, or where the Swift task that awaits it is
  /// cancelled.
  /// - Parameter observe: Told of the run's events in order; it must return at once.
  public func run(
    _ request: RunRequest, observe: @escaping @Sendable (RunEvent) -> Void = { _ in }
  ) async -> RunResult {
    // The request's stop may be shared by many runs, so the caller's cancellation goes into one of this run alone.
    let stop = RunStop()
    let key = request.stop.observe { stop.request($0.text, as: $0.status) }
    defer { request.stop.ignore(key) }
    return await withTaskCancellationHandler {
      // It must stop the work, but not the store calls that record how the work ended: so the run is a task of its own,
      // awaited here.
      await Task {
        var session = RunSession(runner: self, request: request, stop: stop, observe: observe)
        return await session.run()
      }.value
    } onCancel: {
      let reason = request.stop.reason ?? RunStop.Reason("its caller stopped it")
      stop.request(reason.text, as: reason.status)
    }
  }

  /// Records that a slot passed without a run.
  public func recordMissed(_ request: RunRequest, because reason: String) async -> RunResult {
    var session = RunSession(runner: self, request: request, stop: request.stop, observe: { _ in })
    return await session.finish(RunMachine.Ending(status: .missed, reason: reason))
  }
}
