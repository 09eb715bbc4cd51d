import Logging
import Synchronization
import UpkeepCore
import UpkeepRuns

/// One run: does what its ``RunMachine`` says, and feeds it what happens.
struct RunSession {
  typealias Event = RunMachine.Event

  let runner: Runner
  let request: RunRequest
  let stop: RunStop
  let observe: @Sendable (RunEvent) -> Void
  let logger: Logger
  /// What the run reports of itself.
  let journal = RunJournal()
  let events: AsyncStream<Event>
  let send: AsyncStream<Event>.Continuation
  var machine: RunMachine
  var record: RunRecord
  var measure: (@Sendable () -> Duration)?
  var work: Task<Void, Never>?
  var heartbeat: Task<Void, Never>?
  var pulse: Task<Void, Never>?
  var timers: [Task<Void, Never>] = []
  /// Timers that are still to be started, as soon as it shows that the work takes a while.
  private var late: [(duration: Duration, event: Event)] = []
  private var needsHeartbeat = false
  private var needsPulse = false
  let hasReturned = RunFlag()
  /// What of the journal was told when the work began.
  var revision = 0
  var leased = false
  /// How long what it was granted holds; nothing where that doesn't end by itself.
  var lease: LeaseWatch?

  init(runner: Runner, request: RunRequest, stop: RunStop, observe: @escaping @Sendable (RunEvent) -> Void) {
    let task = request.task
    let maker = RunRecordMaker(identity: runner.inspector.current, random: runner.random)
    var record =
      request.record
      ?? maker.record(of: task, mode: request.mode, trigger: request.trigger, at: runner.wallClock.now())
    if request.record == nil {
      record.groupRunID = request.groupRunID
      record.result.scheduledAt = request.scheduledAt
    }
    var logger = runner.logger
    logger[metadataKey: "task"] = "\(task.name)"
    logger[metadataKey: "run_id"] = "\(record.result.runID)"
    self.runner = runner
    self.request = request
    self.stop = stop
    self.observe = observe
    self.logger = logger
    self.record = record
    machine = RunMachine(
      RunMachine.Plan(
        task: task.name, mode: request.mode, rules: task.rules, isGuarded: task.isGuarded,
        overrideGuard: request.overrideGuard, waits: request.waits))
    (events, send) = AsyncStream.makeStream(of: Event.self)
  }

  var store: any RunLifeStore { runner.store }
  var runID: String { record.result.runID }

  mutating func run() async -> RunResult {
    let send = send
    let key = stop.observe { send.yield(.stopRequested(reason: $0.text, status: $0.status)) }
    defer { stop.ignore(key) }
    var pending = [await prepare()]
    var incoming = events.makeAsyncIterator()
    while true {
      let event: Event
      if pending.isEmpty {
        // The stream ends only with this session, so there is always a next event.
        await startTimers()
        guard let next = await incoming.next() else { return await finish(.init(status: .interrupted)) }
        event = next
      } else {
        event = pending.removeFirst()
      }
      for action in machine.handle(event) {
        if case .finish(let ending) = action { return await finish(ending) }
        if let event = await perform(action) { pending.append(event) }
      }
    }
  }

  /// Records the run, so that nobody can miss it, and says how it begins.
  private mutating func prepare() async -> Event {
    if let reason = stop.reason { return .stopRequested(reason: reason.text, status: reason.status) }
    if request.mode == .preview, request.task.prepared.preview == nil {
      let error = TaskError(
        code: "no_preview", place: "task \(request.task.name)",
        problem: "its plugin \(request.task.plugin) has no preview", fix: "run it instead")
      return .couldNotAsk(RunError(error, step: "run"))
    }
    do {
      if request.record == nil { try await store.save(record) }
    } catch {
      guard request.mode == .preview else { return .couldNotAsk(RunError(error, step: "run")) }
      warn(unrecorded: "this preview", error)
    }
    return .begin
  }

  /// Does one action.
  /// - Returns: What came of it, where that is known at once.
  private mutating func perform(_ action: RunMachine.Action) async -> Event? {
    switch action {
    case .ask(let waits):
      return await ask(waits: waits)
    case .askAgainLater:
      after(Runner.askInterval, .timeToAskAgain)
    case .announceWait(let holders):
      logger.info("waits", metadata: ["for": holders.isEmpty ? "a place" : "\(holders.map(\.task))"])
      observe(.queued(record.result, behind: holders))
    case .startWaitTimer(let duration):
      after(duration, .waitIsOver)
    case .cancelRuns(let runs):
      for run in runs {
        do {
          _ = try await store.requestCancel(run, by: "run \(runID), which takes its place")
        } catch {
          return .couldNotAsk(RunError(error, step: "run"))
        }
      }
    case .markStarted:
      await markStarted()
    case .startTimeout(let duration):
      late.append((duration, .timeIsUp))
    case .start(let phase):
      start(phase)
      needsPulse = true
    case .cancelWork:
      work?.cancel()
    case .startGrace:
      after(Runner.grace, .graceIsOver)
    case .finish:
      break
    }
    return nil
  }

  private mutating func after(_ duration: Duration, _ event: Event) {
    timers.append(
      Task { [clock = runner.clock, send] in
        try? await clock.sleep(for: duration)
        if !Task.isCancelled { send.yield(event) }
      })
  }

  private mutating func ask(waits: Bool) async -> Event {
    do {
      return try await beginning(waits: waits)
    } catch {
      // It may be there all the same, so it is given back at the end.
      leased = true
      guard (error as? TaskError)?.code == "connection_lost" else { return .couldNotAsk(RunError(error, step: "run")) }
    }
    do {
      // The server was started anew, or this host stood still. Then the run may have been declared dead meanwhile: this
      // time it says first that it lives.
      return try await beginning(waits: waits)
    } catch {
      return .couldNotAsk(RunError(error, step: "run"))
    }
  }

  private mutating func beginning(waits: Bool) async throws -> Event {
    let rules = request.task.rules
    if leased {
      // It has its place in the queue: say that it lives, and look whether somebody wants it to stop.
      if let event = try await store.renew(runID, owner: runner.inspector.current).event { return event }
    }
    let sinceAsked = runner.clock.stopwatch()
    let beginning = try await store.begin(
      LeaseRequest(
        runID: runID, task: request.task.name, owner: runner.inspector.current, overlap: rules.overlap,
        exclusiveWith: rules.exclusiveWith, waits: waits, limit: runner.maxConcurrentRuns)
    ) { [record] now in record.started(at: now) }
    if waits || beginning.answer.isGranted { leased = true }
    if let started = beginning.record { record = started }
    if store.leasesLapse, case .granted(let granted) = beginning.answer {
      lease = LeaseWatch(clock: runner.clock, timeToLive: LeaseQueue.timeToLive, fence: store.fence(of: granted)) {
        [store, runID] process in try await store.note(process, of: runID)
      }
      lease?.renewed(sinceAsked)
    }
    if !beginning.orphans.isEmpty { await end(beginning.orphans) }
    return .answered(beginning.answer)
  }

  /// Ends what still works for runs that have lost their leases, so that it can't get in this one's way.
  private func end(_ orphans: [ServerProcess]) async {
    let numbers = orphans.map { "\($0.number) of \($0.database)" }.joined(separator: ", ")
    do {
      try await runner.endProcesses(orphans)
      logger.notice("ended the connections of runs that lost their leases", metadata: ["processes": "\(numbers)"])
    } catch {
      logger.warning(
        "the connections of runs that lost their leases can't be ended; their servers end them within half a minute",
        metadata: ["processes": "\(numbers)", "error": "\(error)"])
    }
    // Where this doesn't succeed the next run tries once more.
    try? await store.forget(orphans)
  }

  private mutating func markStarted() async {
    measure = runner.clock.stopwatch()
    // The start of what needs a lease is recorded together with it.
    if record.result.status != .running {
      record = record.started(at: runner.wallClock.now())
      do {
        try await store.save(record)
      } catch {
        warn(unrecorded: "the start of this run", error)
      }
    }
    logger.info("started", metadata: ["mode": "\(request.mode.rawValue)", "trigger": "\(request.trigger.rawValue)"])
    observe(.started(record.result))
    needsHeartbeat = true
  }

  /// Starts the timers of what works: not where it is over at once, since where a thousand runs are due together, their
  /// timers would cost more than all else.
  private mutating func startTimers() async {
    for _ in 0..<Self.glances where !late.isEmpty || needsHeartbeat || needsPulse {
      if hasReturned.isSet { return }
      await Task.yield()
    }
    for (duration, event) in late { after(duration, event) }
    late = []
    if needsHeartbeat { heartbeat = startHeartbeat() }
    if needsPulse {
      pulse?.cancel()
      pulse = startPulse()
    }
    (needsHeartbeat, needsPulse) = (false, false)
  }

  /// How often others get their turn before work counts as one that takes a while.
  private static let glances = 4
}

/// Says that something has happened.
final class RunFlag: Sendable {
  private let value = Mutex(false)

  var isSet: Bool { value.withLock { $0 } }

  func set(_ isSet: Bool) { value.withLock { $0 = isSet } }
}

extension RunRecord {
  /// The record of this run when it begins.
  fileprivate func started(at now: Timestamp) -> RunRecord {
    var record = self
    record.result.status = .running
    record.result.startedAt = now
    return record
  }
}

extension LeaseRenewal {
  /// What it means for the run; nothing where it just goes on.
  var event: RunMachine.Event? {
    switch self {
    case .held: nil
    case .cancelRequested(let by): .stopRequested(reason: "cancelled by \(by)", status: .cancelled)
    case .lost: .leaseLost(reason: "its lease is lost: it was declared dead, so it must not go on")
    }
  }
}

extension LeaseAnswer {
  var isGranted: Bool {
    if case .granted = self { true } else { false }
  }
}
