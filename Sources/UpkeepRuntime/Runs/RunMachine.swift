import UpkeepCore
import UpkeepRuns

/// The life of one run as a value: events go in, actions come out, and nothing here waits, reads a clock or writes.
///
/// ``Runner`` is the shell that does what it says.
struct RunMachine: Sendable {
  /// What of a request decides the run's life.
  struct Plan: Sendable {
    var task: String
    var mode = RunMode.run
    var rules = TaskRules()
    var isGuarded = false
    var overrideGuard = false
    /// True waits for every rule, false for none; nothing leaves it to the rules.
    var waits: Bool?
  }

  /// Which part of the task works.
  enum Phase: Equatable, Sendable {
    case preview
    case body
  }

  enum State: Equatable, Sendable {
    case new
    /// Asked for the lease, with no place in the queue yet.
    case asking
    /// Has its place in the queue, behind these; behind nobody where it waits until fewer runs work.
    case waiting(for: [LeaseHolder])
    case working(Phase)
    /// The work was told to stop, and winds down.
    case stopping(Ending)
    case over(Ending)
  }

  /// How a run ends.
  struct Ending: Equatable, Sendable {
    var status: RunStatus
    var reason: String?
    var errors: [RunError] = []
    /// False where the work still goes on: its lease must be kept.
    var workIsOver = true
  }

  enum Event: Equatable, Sendable {
    case begin
    case answered(LeaseAnswer)
    /// The lease couldn't be asked for.
    case couldNotAsk(RunError)
    case timeToAskAgain
    case waitIsOver
    /// The work returned, having reported this.
    case returned(Forecast)
    /// The work threw an error.
    case threw(RunError)
    /// The work threw a `CancellationError`.
    case gaveUp
    case timeIsUp
    case stopRequested(reason: String, status: RunStatus)
    /// The right to run is gone.
    case leaseLost(reason: String)
    case graceIsOver
  }

  enum Action: Equatable, Sendable {
    /// Ask for the lease; with `waits`, take a place in the queue.
    case ask(waits: Bool)
    case askAgainLater
    case announceWait(for: [LeaseHolder])
    case startWaitTimer(Duration)
    case cancelRuns([String])
    case markStarted
    case startTimeout(Duration)
    case start(Phase)
    case cancelWork
    case startGrace
    case finish(Ending)
  }

  let plan: Plan
  private(set) var state = State.new
  /// What the preview before the run found.
  private(set) var forecast: Forecast?
  /// What the guard found, once it was asked.
  private(set) var verdict: GuardVerdict?
  private var askedToStop: Set<String> = []

  init(_ plan: Plan) {
    self.plan = plan
  }

  /// Takes an event and says what is to be done, in order.
  mutating func handle(_ event: Event) -> [Action] {
    switch (state, event) {
    case (.new, .begin):
      if plan.mode == .preview { return start(.preview) }
      state = .asking
      return [.ask(waits: false)]
    case (.new, .couldNotAsk(let error)), (.asking, .couldNotAsk(let error)), (.waiting, .couldNotAsk(let error)):
      return finish(Ending(status: .failed, errors: [error]))
    case (.asking, .answered(let answer)), (.waiting, .answered(let answer)):
      return answered(answer)
    case (.waiting, .timeToAskAgain):
      return [.ask(waits: true)]
    case (.waiting(let holders), .waitIsOver):
      let who = LeaseWait.inTheWay(holders, of: plan.task)
      return finish(Ending(status: .skipped, reason: "waited \(plan.rules.maxWait.durationText), but \(who)"))
    case (.new, .stopRequested(let reason, let status)), (.asking, .stopRequested(let reason, let status)),
      (.waiting, .stopRequested(let reason, let status)):
      return finish(Ending(status: status, reason: reason))
    case (.asking, .leaseLost(let reason)), (.waiting, .leaseLost(let reason)):
      return finish(Ending(status: .interrupted, reason: reason))
    case (.working(let phase), _):
      return working(phase, event)
    case (.stopping(let ending), _):
      return stopping(ending, event)
    default:
      return []
    }
  }

  private mutating func answered(_ answer: LeaseAnswer) -> [Action] {
    let holders: [LeaseHolder]
    let wait: LeaseWait
    switch answer {
    case .granted: return start(plan.isGuarded ? .preview : .body)
    case .blocked(let others): (holders, wait) = (others, .decide(others, plan: plan))
    case .full: (holders, wait) = ([], plan.waits == false ? .skip(LeaseWait.full) : .wait(cancelling: []))
    }
    let isQueued = if case .waiting = state { true } else { false }
    switch wait {
    case .skip(let reason):
      return finish(Ending(status: .skipped, reason: reason))
    case .wait(let cancelling):
      let news = cancelling.filter { askedToStop.insert($0).inserted }
      let changed = state != .waiting(for: holders)
      state = .waiting(for: holders)
      let actions: [Action] = news.isEmpty ? [] : [.cancelRuns(news)]
      guard isQueued else {
        return actions + [.announceWait(for: holders), .startWaitTimer(plan.rules.maxWait), .ask(waits: true)]
      }
      return actions + (changed ? [.announceWait(for: holders)] : []) + [.askAgainLater]
    }
  }

  private mutating func start(_ phase: Phase) -> [Action] {
    state = .working(phase)
    return [.markStarted, .startTimeout(plan.rules.timeout), .start(phase)]
  }

  private mutating func working(_ phase: Phase, _ event: Event) -> [Action] {
    switch event {
    case .returned(let report):
      if phase == .preview, let rule = plan.rules.guardRule, plan.isGuarded {
        verdict = rule.judge(report.tables, overridden: plan.overrideGuard)
      }
      if phase == .preview, plan.mode == .run {
        if let verdict, verdict.wouldRefuse, !verdict.overridden {
          return finish(Ending(status: .refused, reason: verdict.refusal))
        }
        state = .working(.body)
        forecast = report
        return [.start(.body)]
      }
      return finish(Ending(status: report.errors.isEmpty ? .completed : .completedWithErrors))
    case .threw(let error):
      return finish(Ending(status: .failed, errors: [error]))
    case .gaveUp:
      let error = TaskError(
        code: "cancelled_itself", place: "task \(plan.task)", problem: "it ended as cancelled, but nobody cancelled it",
        fix: "this is a fault of its plugin, please report it")
      return finish(Ending(status: .failed, errors: [RunError(error, step: "run")]))
    case .timeIsUp:
      return stop(.timedOut, "it took longer than its timeout of \(plan.rules.timeout.durationText)")
    case .stopRequested(let reason, let status):
      return stop(status, reason)
    case .leaseLost(let reason):
      return stop(.interrupted, reason)
    default:
      return []
    }
  }

  private mutating func stop(_ status: RunStatus, _ reason: String) -> [Action] {
    state = .stopping(Ending(status: status, reason: reason))
    return [.cancelWork, .startGrace]
  }

  private mutating func stopping(_ ending: Ending, _ event: Event) -> [Action] {
    var ending = ending
    switch event {
    case .returned, .gaveUp:
      return finish(ending)
    case .threw(let error):
      ending.errors.append(error)
      return finish(ending)
    case .graceIsOver:
      ending.workIsOver = false
      return finish(ending)
    default:
      return []
    }
  }

  private mutating func finish(_ ending: Ending) -> [Action] {
    state = .over(ending)
    return [.finish(ending)]
  }
}

extension GuardVerdict {
  /// Why a run is refused, in one sentence; that it is, says its status.
  var refusal: String? {
    guard let worst = tables.first else { return nil }
    let others = tables.count == 1 ? "" : " (and \(tables.count - 1) more)"
    let (share, limit) = (JSONValue.number(worst.percent).text, JSONValue.number(maxPercent).text)
    let (doomed, total) = (NumberText.grouped(worst.doomed), NumberText.grouped(worst.total))
    return
      "\(worst.table)\(others) would lose \(doomed) of \(total) rows (\(share) %), more than the guard's \(limit) %"
  }
}
