import UpkeepCore
import UpkeepRuns
import UpkeepSchedule

/// The scheduler as a value: events go in, actions come out, and nothing here waits, reads a clock or writes.
///
/// ``Scheduler`` is the shell that does what it says. A slot's way: its time comes, its record is made, its run gets a
/// place among those that work, the runner takes it over.
struct SchedulerState: Sendable {
  /// A task with its place in time.
  struct Entry: Sendable {
    var task: ScheduledTask
    var grid: TaskGrid
    /// When to look at it next; nothing where its schedule never comes.
    var wakeAt: Timestamp?
    /// Its run that is recorded and hasn't begun: slots that come meanwhile join it.
    var waiting: String?
    /// Its runs that work in this host.
    var working: [String] = []
    /// Runs of a catch-up that follow one another.
    var chain: [Run] = []
  }

  /// A run on its way.
  struct Run: Sendable {
    enum Phase: Sendable {
      /// In the line for a place.
      case inLine
      /// At the runner's, on a place: it asks for its lease, or works.
      case placed(hasStarted: Bool)
      /// At the runner's, behind somebody: without a place.
      case behind
      /// Over, and everybody finds its record: the next run has its place. It is told of when the record is on the disk.
      case ending(hasStarted: Bool)
    }

    var record: RunRecord
    var task: RunnableTask
    var overrideGuard = false
    var phase = Phase.inLine

    var id: String { record.result.runID }
    var hasStarted: Bool {
      switch phase {
      case .placed(let hasStarted), .ending(let hasStarted): hasStarted
      case .inLine, .behind: false
      }
    }
  }

  enum Event: Sendable {
    /// The first plan, with what the store knows.
    case began(SchedulerPlan, grids: [TaskGrid], pauses: [TaskPause])
    /// Another plan.
    case planned(SchedulerPlan)
    /// It is time to look.
    case tick(pauses: [TaskPause]?)
    /// Somebody may have paused or resumed a task, so the shell reads the pauses and makes a tick of it.
    case pausesChanged
    case recorded([SlotEntry], [SlotOutcome])
    case notRecorded([SlotEntry])
    /// Somebody asked for a run, and its record is made.
    case asked(Run)
    case runWaits(String)
    case runStarted(String)
    /// A run is over and holds nothing any more, and is still to be told of.
    case runReleased(String)
    case runEnded(String, RunStatus)
    /// No run begins any more, and those that work have the drain timeout to end.
    case stop
    /// The drain timeout is over, or somebody doesn't want to wait for it.
    case interruptAll(reason: String)
  }

  enum Action: Sendable {
    /// Keep where these tasks' slots begin.
    case place([TaskGrid])
    /// Make these records.
    case record([SlotEntry])
    case start(Run)
    /// Ask a run of this host to stop.
    case stop(run: String, reason: String, status: RunStatus)
    /// Record that these runs never began.
    case abandon([Run], reason: String)
    case startDrainTimer(Duration)
    case log(LogLine)
  }

  /// Something for the log.
  struct LogLine: Sendable, Equatable {
    var isWarning = false
    var text: String
    var task: String?
  }

  /// How many slots are recorded at the first look at an instant: their runs begin while the others are decided about.
  static let firstBatch = 50
  /// How many slots are recorded in one go at the most.
  static let batch = 250
  /// How far the clock may be behind the last slot before the slots begin anew: less is waited out, so that no time of
  /// day comes twice; more is the correction of a wrong clock.
  static let longestStepBack = Duration.seconds(3 * 3600)
  /// When slots are recorded anew that the store didn't take.
  static let retry = Duration.seconds(2)

  let maker: RunRecordMaker
  var plan = SchedulerPlan(tasks: [])
  var entries: [String: Entry] = [:]
  /// How far the slots of tasks are recorded that the plan doesn't have, in case they come back.
  var restingGrids: [String: TaskGrid] = [:]
  var heap = WakeHeap()
  var runs: [String: Run] = [:]
  /// The runs in line for a place, the first come first.
  var line = RunLine()
  var placed = 0
  var pauses: [String: TaskPause] = [:]
  var isStopping = false
  /// Whether slots have come that the last look left for the next one.
  var isBehind = false
  /// The latest time that it was told.
  var latest = Timestamp(microseconds: .min)
  /// Runs that had begun and didn't end by themselves.
  var interrupted = 0

  init(maker: RunRecordMaker) {
    self.maker = maker
  }

  /// Whether a stop is through.
  var isOver: Bool { isStopping && runs.isEmpty }

  /// When to look next; nothing where nothing is due ever.
  var wakeAt: Timestamp? { isStopping ? nil : heap.next?.at }

  /// Whether a task's time has come.
  func isDue(at now: Timestamp) -> Bool {
    wakeAt.map { $0 <= now } ?? false
  }

  /// Takes an event and says what is to be done, in order.
  mutating func handle(_ event: Event, at now: Timestamp) -> [Action] {
    switch event {
    case .began(let plan, let grids, let pauses):
      let told = take(pauses, at: now)
      restingGrids = Dictionary(grids.map { ($0.task, $0) }) { first, _ in first }
      return told + configure(plan, at: now) + startUp(at: now)
    case .planned(let plan):
      return configure(plan, at: now) + rebind() + fillPlaces()
    case .tick(let pauses):
      let told = pauses.map { take($0, at: now) } ?? []
      if isStopping { return told }
      let hasGoneBack = latest - now > Self.longestStepBack
      latest = hasGoneBack ? now : max(latest, now)
      return told + (hasGoneBack ? configure(plan, at: now) : []) + recordDue(at: now)
    case .pausesChanged:
      return []
    case .recorded(let slots, let outcomes):
      return recorded(slots, outcomes, at: now)
    case .notRecorded(let slots):
      return putBack(slots, at: now)
    case .asked(let run):
      if isStopping { return [.abandon([run], reason: Self.stopped)] }
      if run.record.result.mode == .preview {
        // A preview changes nothing and takes no place.
        runs[run.id] = run
        runs[run.id]?.phase = .behind
        return [.start(run)]
      }
      enter(run)
      return fillPlaces()
    case .runWaits(let id):
      return runWaits(id)
    case .runStarted(let id):
      runStarted(id)
      return []
    case .runReleased(let id):
      return runReleased(id)
    case .runEnded(let id, let status):
      return runEnded(id, status)
    case .stop:
      return stop()
    case .interruptAll(let reason):
      return interruptAll(reason)
    }
  }

  /// Takes the pauses over.
  /// - Returns: What is to be logged of those that are new, others or over.
  private mutating func take(_ pauses: [TaskPause], at now: Timestamp) -> [Action] {
    let before = self.pauses
    self.pauses = pauses.byTask
    return Set(before.keys).union(self.pauses.keys).sorted().compactMap { task in
      let (old, new) = (before[task], self.pauses[task])
      guard old != new else { return nil }
      let isOver = old.map { !$0.holds(at: now) } ?? false
      return .log(LogLine(text: new?.words ?? (isOver ? "the pause is over" : "resumed"), task: task))
    }
  }
}
