public import Logging
import Synchronization
public import UpkeepCore
public import UpkeepRuns

/// Starts tasks when their schedule says so, and runs that somebody asks for, on the same way and under the same rules.
///
/// What happens is decided by ``SchedulerState``; this is the shell around it, with one timer for all tasks. It looks at
/// the clock at least every ``lookInterval``, so a step of the clock or a suspension of the machine is noticed by then.
public actor Scheduler {
  /// How long it sleeps at the most.
  public static let lookInterval = Duration.seconds(10)
  /// By how much the two clocks may differ between two looks before it is worth a line in the log.
  static let clockTolerance = Duration.seconds(2)

  let store: any StateStore
  /// Runs what begins from now on.
  private(set) var runner: Runner
  let maker: RunRecordMaker
  let wallClock: any WallClock
  let clock: any Clock<Duration>
  let logger: Logger
  let hub: RunHub
  private let lookInterval: Duration
  private let onTurn: @Sendable (SchedulerTurn) -> Void
  var state: SchedulerState
  var stops: [String: RunStop] = [:]
  private let incoming: AsyncStream<SchedulerState.Event>
  let send: AsyncStream<SchedulerState.Event>.Continuation
  /// What runs tell: taken in between, so that a place is given away while slots are being recorded.
  private let runEvents: AsyncStream<SchedulerState.Event>
  let sendFromRun: AsyncStream<SchedulerState.Event>.Continuation
  /// The runners of plans that are on their way, in order.
  private let coming = Mutex<[Runner]>([])
  private enum Phase {
    case new, working, over
  }
  private var phase = Phase.new
  private var waitingForPlans: [CheckedContinuation<Void, Never>] = []
  private var timer: (at: Timestamp, task: Task<Void, Never>)?
  private var drainTimer: Task<Void, Never>?
  private var beat: Task<Void, Never>?
  private var lastLook: (wall: Timestamp, elapsed: @Sendable () -> Duration)?
  private var sinceTurn: (@Sendable () -> Duration)?

  /// Creates a scheduler.
  ///
  /// - Parameters:
  ///   - store: Keeps slots, records, leases and pauses.
  ///   - runner: Runs the tasks.
  ///   - inspector: Says who this process is.
  ///   - wallClock: Tells the time of day.
  ///   - clock: Measures and sleeps.
  ///   - random: Makes run ids.
  ///   - logger: Gets what happens.
  ///   - lookInterval: How long it sleeps at the most.
  ///   - observe: Told of every event of every run, and of slots that are skipped or missed; it must return at once.
  ///   - onTurn: Told of each turn of the loop; it must return at once.
  public init(
    store: any StateStore, runner: Runner, inspector: any ProcessInspector, wallClock: any WallClock,
    clock: any Clock<Duration>, random: any RandomSource, logger: Logger,
    lookInterval: Duration = Scheduler.lookInterval, observe: @escaping @Sendable (RunEvent) -> Void = { _ in },
    onTurn: @escaping @Sendable (SchedulerTurn) -> Void = { _ in }
  ) {
    self.store = store
    self.runner = runner
    maker = RunRecordMaker(identity: inspector.current, random: random)
    self.wallClock = wallClock
    self.clock = clock
    self.logger = logger
    self.lookInterval = min(lookInterval, Self.lookInterval)
    self.onTurn = onTurn
    hub = RunHub(observe: observe)
    state = SchedulerState(maker: maker)
    (incoming, send) = AsyncStream.makeStream(of: SchedulerState.Event.self)
    (runEvents, sendFromRun) = AsyncStream.makeStream(of: SchedulerState.Event.self)
  }

  /// Works until it was told to ``stop()`` and no run works any more.
  ///
  /// - Returns: How many runs had begun and were interrupted.
  /// - Throws: ``UpkeepCore/TaskError`` where the store can't be read at the start.
  public func run(_ plan: SchedulerPlan) async throws -> Int {
    defer {
      phase = .over
      plansHold()
    }
    try await endDeadRuns()
    let (grids, pauses) = (try await store.grids(), try await store.pauses())
    let runs = Task { [runEvents] in
      for await event in runEvents { await self.handle(event) }
    }
    await handle(.began(plan, grids: grids, pauses: pauses))
    phase = .working
    plansHold()
    turn()
    for await event in incoming {
      if case .planned = event { runner = coming.withLock { $0.removeFirst() } }
      await handle(await completed(event))
      plansHold()
      if state.isOver { break }
      turn()
    }
    runs.cancel()
    timer?.task.cancel()
    drainTimer?.cancel()
    beat?.cancel()
    hub.finish()
    return state.interrupted
  }

  /// Takes another plan over, whole and at the loop's next turn: runs that work go on as they began. It can't fail, and
  /// plans are taken over in the order in which they come.
  /// - Parameter runner: Runs what begins from then on.
  public nonisolated func apply(_ plan: SchedulerPlan, runner: Runner) {
    coming.withLock { coming in
      coming.append(runner)
      send.yield(.planned(plan))
    }
  }

  /// Lets nothing begin any more; runs that work have the drain timeout to end.
  public nonisolated func stop() {
    send.yield(.stop)
  }

  /// Stops the runs that still work, now.
  public nonisolated func interruptAll(_ reason: String) {
    send.yield(.interruptAll(reason: reason))
  }

  /// Has the pauses read now, since somebody changed them: what is new is logged at once.
  public nonisolated func pausesChanged() {
    send.yield(.pausesChanged)
  }

  /// Waits until every plan that was handed in is in force, so that whoever asks hears of its tasks.
  func untilPlansHold() async {
    guard !holdsAllPlans else { return }
    await withCheckedContinuation { waitingForPlans.append($0) }
  }

  private var holdsAllPlans: Bool {
    switch phase {
    case .new: false
    case .working: coming.withLock { $0.isEmpty }
    case .over: true
    }
  }

  private func plansHold() {
    guard holdsAllPlans else { return }
    for waiting in waitingForPlans { waiting.resume() }
    waitingForPlans = []
  }

  /// When the schedule starts each task next; those of which nobody knows aren't among them.
  ///
  /// - Parameter pauses: The pauses by task.
  public func nextRuns(_ pauses: [String: TaskPause]) async -> [String: Timestamp] {
    await untilPlansHold()
    let now = wallClock.now()
    return state.entries.compactMapValues { state.nextRun(of: $0, pause: pauses[$0.task.name], at: now) }
  }

  /// When each task runs next, and the runs in line for a place, by task.
  public func standing(
    _ pauses: [String: TaskPause]
  ) async -> (next: [String: Timestamp], inLine: [String: [String]]) {
    let next = await nextRuns(pauses)
    var inLine: [String: [String]] = [:]
    for run in state.runs.values {
      if case .inLine = run.phase { inLine[run.task.name, default: []].append(run.id) }
    }
    return (next, inLine)
  }

  /// Whether the loop is still to begin.
  public var isStarting: Bool { phase == .new }

  /// Whether the loop turns, or is still to begin.
  public var isAlive: Bool {
    if isStarting { return true }
    return sinceTurn.map { $0() < lookInterval * 3 } ?? false
  }

  /// Whether nothing begins any more.
  public var isStopping: Bool { state.isStopping }

  /// Gives an event the pauses, where it needs them.
  private func completed(_ event: SchedulerState.Event) async -> SchedulerState.Event {
    switch event {
    case .pausesChanged: break
    case .tick where state.isDue(at: wallClock.now()): break
    default: return event
    }
    do {
      return .tick(pauses: try await store.pauses())
    } catch {
      logger.warning("the pauses can't be read, so those known hold on: \(error)")
      return event
    }
  }

  func handle(_ event: SchedulerState.Event) async {
    for action in state.handle(event, at: wallClock.now()) {
      if let next = await perform(action) { await handle(next) }
    }
    if state.isOver { send.yield(.tick(pauses: nil)) }
  }

  /// Does one action.
  /// - Returns: What came of it, where that is known at once.
  private func perform(_ action: SchedulerState.Action) async -> SchedulerState.Event? {
    switch action {
    case .place(let grids):
      do {
        try await store.place(grids)
      } catch {
        // The first record of each finds out, and has it placed again.
        logger.error("the beginning of \(grids.count) schedules isn't recorded: \(error)")
      }
    case .record(let slots):
      do {
        let outcomes = try await store.record(slots)
        for (entry, outcome) in zip(slots, outcomes) where outcome == .recorded { tell(entry) }
        return .recorded(slots, outcomes)
      } catch {
        logger.error("\(slots.count) slots aren't recorded, so their tasks wait: \(error)")
        return .notRecorded(slots)
      }
    case .start(let run):
      start(run)
    case .stop(let run, let reason, let status):
      stops[run]?.request(reason, as: status)
    case .abandon(let runs, let reason):
      for run in runs { await abandon(run, reason) }
    case .startDrainTimer(let duration):
      drainTimer = Task { [clock, send] in
        try? await clock.sleep(for: duration)
        guard !Task.isCancelled else { return }
        let reason = "serve stops, and it didn't end within the drain timeout of \(duration.durationText)"
        send.yield(.interruptAll(reason: reason))
      }
    case .log(let line):
      logger.log(
        level: line.isWarning ? .warning : .info, "\(line.text)", metadata: line.task.map { ["task": "\($0)"] })
    }
    return nil
  }

  /// Tells of slots that have no run.
  private func tell(_ entry: SlotEntry) {
    for result in entry.records.map(\.result) where result.status.isFinal {
      // Somebody wanted it so, and was told: a pause of a week isn't worth a warning a slot.
      let isPaused = result.reason != nil && result.reason == state.pauses[result.task]?.words
      logger.log(
        level: isPaused ? .info : .warning, "\(result.status.rawValue): \(result.reason ?? "")",
        metadata: ["task": "\(result.task)", "run_id": "\(result.runID)"])
      hub.tell(.finished(result))
    }
  }

  /// Ends a turn of the loop: looks at the clocks, tells that it lives, and sleeps until something is due.
  private func turn() {
    let now = wallClock.now()
    compareClocks(now)
    sinceTurn = clock.stopwatch()
    onTurn(
      SchedulerTurn(
        working: state.placed, waiting: state.runs.count - state.placed, next: state.nextTask,
        isStopping: state.isStopping))
    let latest = now + lookInterval
    let at = min(state.wakeAt ?? latest, latest)
    if let timer, timer.at > now, timer.at <= at { return }
    timer?.task.cancel()
    timer = (
      at,
      Task { [clock, send] in
        try? await clock.sleep(for: max(.zero, at - now))
        if !Task.isCancelled { send.yield(.tick(pauses: nil)) }
      }
    )
  }

  private func compareClocks(_ now: Timestamp) {
    if let lastLook {
      let step = (now - lastLook.wall) - lastLook.elapsed()
      if step > Self.clockTolerance || step < .zero - Self.clockTolerance {
        let direction = step > .zero ? "forward" : "back"
        let size = (step > .zero ? step : .zero - step).milliseconds
        logger.warning("the clock stepped \(direction) by \(Duration.milliseconds(size).durationText)")
      }
      if lastLook.elapsed() >= lookInterval / 2 { renew() } else { return }
    }
    lastLook = (now, clock.stopwatch())
  }

  /// Says to the store that this process lives, and ends the runs of those that don't.
  private func renew() {
    guard beat == nil else { return }
    beat = Task { [store, owner = maker.identity, logger] in
      do {
        try await store.renewServe(owner)
        try await self.endDeadRuns()
        // Another process may have paused a task of which nothing is due for long.
        self.pausesChanged()
      } catch {
        logger.warning("the state store can't be written: \(error)")
      }
      self.beatIsOver()
    }
  }

  /// Ends the runs of processes that are gone, and tells of them as of any other end: nobody else will.
  private func endDeadRuns() async throws {
    for runID in try await store.reap() {
      guard let result = try await store.record(runID)?.result, result.status == .interrupted else { continue }
      logger.error(
        "\(result.status.rawValue)\(result.why.map { ": \($0)" } ?? "")",
        metadata: ["task": "\(result.task)", "run_id": "\(runID)", "mode": "\(result.mode.rawValue)"])
      hub.tell(.finished(result))
    }
  }

  private func beatIsOver() {
    beat = nil
  }
}

/// One turn of the scheduler's loop, for those who watch over it.
public struct SchedulerTurn: Sendable, Hashable {
  /// How many runs work or ask for their lease.
  public var working: Int
  /// How many runs wait.
  public var waiting: Int
  /// The task that is due next, and when.
  public var next: NextTask?
  /// Whether nothing begins any more.
  public var isStopping: Bool

  /// The task that is due next.
  public struct NextTask: Sendable, Hashable {
    /// The task.
    public var task: String
    /// When.
    public var at: Timestamp
  }
}

extension SchedulerState {
  var nextTask: SchedulerTurn.NextTask? {
    heap.next.map { SchedulerTurn.NextTask(task: $0.task, at: $0.at) }
  }
}
