import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepTestKit

@testable import UpkeepRuntime

/// The runner's decisions as a table: events in, actions out.
@Suite struct RunMachineTests {
  typealias Action = RunMachine.Action
  typealias Event = RunMachine.Event

  static let lease = Lease(runID: "01A", task: "tidy", fencing: 1)
  static let error = RunError(step: "run", code: "disk_full", message: "the disk is full")
  static let started: [Action] = [.markStarted, .startTimeout(.seconds(60)), .start(.body)]

  static func holder(_ runID: String, _ task: String = "tidy", waits: Bool = false) -> LeaseHolder {
    LeaseHolder(runID: runID, task: task, owner: StubProcessInspector.process(pid: 12), isWaiting: waits)
  }

  private func machine(_ events: [Event], _ change: (inout RunMachine.Plan) -> Void = { _ in }) -> (
    RunMachine, last: [Action]
  ) {
    var plan = RunMachine.Plan(task: "tidy", rules: TaskRules(timeout: .seconds(60), maxWait: .seconds(10)))
    change(&plan)
    var machine = RunMachine(plan)
    var last: [Action] = []
    for event in events { last = machine.handle(event) }
    return (machine, last)
  }

  static let working: [Event] = [.begin, .answered(.granted(lease))]

  @Test(
    arguments: [
      ([.begin], [.ask(waits: false)]),
      (working, started),
      (working + [.returned(Forecast(counts: [:], tables: []))], [.finish(.init(status: .completed))]),
      (
        working + [.returned(Forecast(counts: [:], tables: [], errors: [error]))],
        [.finish(.init(status: .completedWithErrors))]
      ),
      (working + [.threw(error)], [.finish(.init(status: .failed, errors: [error]))]),
      (working + [.timeIsUp], [.cancelWork, .startGrace]),
      (
        working + [.timeIsUp, .gaveUp],
        [.finish(.init(status: .timedOut, reason: "it took longer than its timeout of 1m"))]
      ),
      (
        working + [.timeIsUp, .graceIsOver],
        [.finish(.init(status: .timedOut, reason: "it took longer than its timeout of 1m", workIsOver: false))]
      ),
      (
        working + [.timeIsUp, .stopRequested(reason: "late", status: .cancelled), .threw(error)],
        [.finish(.init(status: .timedOut, reason: "it took longer than its timeout of 1m", errors: [error]))]
      ),
      (
        working + [.stopRequested(reason: "ann", status: .cancelled), .timeIsUp, .gaveUp],
        [.finish(.init(status: .cancelled, reason: "ann"))]
      ),
      (working + [.leaseLost(reason: "gone"), .gaveUp], [.finish(.init(status: .interrupted, reason: "gone"))]),
      ([.begin, .couldNotAsk(error)], [.finish(.init(status: .failed, errors: [error]))]),
      ([.stopRequested(reason: "ann", status: .cancelled)], [.finish(.init(status: .cancelled, reason: "ann"))]),
      (working + [.threw(error), .timeIsUp], []),
      ([.begin, .timeIsUp], []),
    ] as [([Event], [Action])])
  func decides(_ events: [Event], _ actions: [Action]) {
    #expect(machine(events).last == actions)
  }

  @Test func aBlockedRunAnnouncesItsWaitOnceAndAsksAgain() {
    let holder = Self.holder("01B", "scraping")
    let blocked = Event.answered(.blocked(by: [holder]))
    let first = machine([.begin, blocked])
    #expect(first.last == [.announceWait(for: [holder]), .startWaitTimer(.seconds(10)), .ask(waits: true)])
    #expect(machine([.begin, blocked, blocked]).last == [.askAgainLater])
    #expect(machine([.begin, blocked, blocked, .timeToAskAgain]).last == [.ask(waits: true)])
    #expect(machine([.begin, blocked, blocked, .timeToAskAgain, .answered(.granted(Self.lease))]).last == Self.started)
    let other = Self.holder("01C", "scraping")
    #expect(
      machine([.begin, blocked, .answered(.blocked(by: [other]))]).last
        == [.announceWait(for: [other]), .askAgainLater])
  }

  @Test func waitsForAPlaceWhateverTheRulesOfConflictsSay() {
    let wait: [Action] = [.announceWait(for: []), .startWaitTimer(.seconds(10)), .ask(waits: true)]
    #expect(machine([.begin, .answered(.full)]) { $0.rules.onConflict = .skip }.last == wait)
    #expect(machine([.begin, .answered(.full), .answered(.full)]).last == [.askAgainLater])
    #expect(machine([.begin, .answered(.full), .answered(.granted(Self.lease))]).last == Self.started)
    let reason = "as many runs work as host.max_concurrent_runs lets"
    #expect(
      machine([.begin, .answered(.full), .waitIsOver]).last
        == [.finish(.init(status: .skipped, reason: "waited 10s, but \(reason)"))])
    #expect(
      machine([.begin, .answered(.full)]) { $0.waits = false }.last
        == [.finish(.init(status: .skipped, reason: reason))])
  }

  @Test func cancelPreviousAsksEachRunToStopOnce() {
    let blocked = Event.answered(.blocked(by: [Self.holder("01B"), Self.holder("01C", waits: true)]))
    let first = machine([.begin, blocked]) { $0.rules.overlap = .cancelPrevious }
    #expect(first.last.first == .cancelRuns(["01B", "01C"]))
    #expect(machine([.begin, blocked, blocked]) { $0.rules.overlap = .cancelPrevious }.last == [.askAgainLater])
  }

  @Test(
    arguments: [
      (OverlapRule.skip, ConflictRule.wait, nil, "same", false),
      (.queue, .wait, nil, "same", true),
      (.queue, .wait, nil, "queued", false),
      (.queue, .wait, true, "queued", true),
      (.cancelPrevious, .wait, nil, "same", true),
      (.cancelPrevious, .wait, false, "same", false),
      (.skip, .wait, true, "same", true),
      (.queue, .wait, false, "same", false),
      (.skip, .wait, nil, "other", true),
      (.skip, .skip, nil, "other", false),
      (.skip, .skip, true, "other", true),
      (.skip, .wait, false, "other", false),
      (.queue, .skip, nil, "both", false),
      (.skip, .wait, nil, "both", false),
      (.allow, .wait, nil, "other", true),
    ] as [(OverlapRule, ConflictRule, Bool?, String, Bool)])
  func waitsOrSkips(
    _ overlap: OverlapRule, _ onConflict: ConflictRule, _ waits: Bool?, _ inTheWay: String, _ isWaiting: Bool
  ) {
    let (same, other) = (Self.holder("01B"), Self.holder("01C", "scraping"))
    let holders: [LeaseHolder] =
      switch inTheWay {
      case "same": [same]
      case "queued": [same, Self.holder("01D", waits: true)]
      case "other": [other]
      default: [same, other]
      }
    let rules = TaskRules(overlap: overlap, onConflict: onConflict)
    let decision = LeaseWait.decide(holders, plan: RunMachine.Plan(task: "tidy", rules: rules, waits: waits))
    if case .wait = decision { #expect(isWaiting) } else { #expect(!isWaiting) }
  }
}
