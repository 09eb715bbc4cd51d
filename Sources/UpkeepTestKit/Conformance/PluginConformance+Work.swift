import Foundation
import Logging
import UpkeepCore
import UpkeepRuns
import UpkeepRuntime

/// What a piece of work reported.
private struct WorkReport: Equatable {
  /// Counts, those of nothing left out.
  var counts: [String: Int]
  /// Deleted rows by table, tables without any left out.
  var deleted: [String: Int]

  init(_ contents: RunJournal.Contents) {
    counts = contents.counts.filter { $0.value != 0 }
    let tables = contents.tables.map { ($0.table, $0.deleted) }
    deleted = Dictionary(tables, uniquingKeysWith: +).filter { $0.value != 0 }
  }

  var isEmpty: Bool { counts.isEmpty && deleted.isEmpty }

  /// What was done, without the counts of what was only seen.
  func without(_ seen: Set<String>) -> Self {
    var report = self
    report.counts = counts.filter { !seen.contains($0.key) }
    return report
  }

  static func + (left: Self, right: Self) -> Self {
    var sum = left
    sum.counts.merge(right.counts, uniquingKeysWith: +)
    sum.deleted.merge(right.deleted, uniquingKeysWith: +)
    return sum
  }
}

extension PluginConformance {
  /// Whether a second run right after the first finds nothing.
  private var leavesNothingToDo: Bool {
    !powers.isDisjoint(with: [.delete, .change])
  }

  /// Does the work of a task once, and reports it; `cancelAt` stops it at that look at the clock, 0 before it starts.
  private func work(
    _ mode: RunMode, on fixture: ConformanceFixture, cancelAt: Int? = nil
  ) async -> (report: WorkReport, outcome: Result<Void, any Error>, wasStopped: Bool) {
    let task = plugin.prepare(fixture.settings, .standard, scope).task
    let (clock, journal) = (TripwireClock(), RunJournal())
    let context = TaskContext.test(
      mode: mode, now: fixture.now, clock: clock, resources: fixture.resources, journal: journal)
    let body = mode == .preview ? task.preview : task.run
    let (gate, open) = AsyncStream.makeStream(of: Void.self)
    let work = Task {
      for await _ in gate { break }
      try await body?(context)
    }
    if cancelAt == 0 { work.cancel() }
    if let cancelAt { clock.arm(at: cancelAt) { work.cancel() } }
    open.yield()
    let outcome = await work.result
    return (WorkReport(journal.current), outcome, clock.hasTripped || cancelAt == 0)
  }

  /// Does the work, which must end well.
  private func completed(_ mode: RunMode, on fixture: ConformanceFixture) async throws -> WorkReport {
    let (report, outcome, _) = await work(mode, on: fixture)
    try outcome.get()
    return report
  }

  /// The counts of what a run only saw.
  private var seen: Set<String> { plugin.documentation.seenCounts }

  @Sendable func checkPreview() async throws -> [String] {
    guard powers.contains(.preview) else { return [] }
    let fixture = try await fixture()
    let before = try await fixture.digest()
    let first = try await completed(.preview, on: fixture)
    var failures: [String] = []
    if try await fixture.digest() != before { failures.append("expected a preview to write nothing") }
    if leavesNothingToDo, first.without(seen).isEmpty {
      failures.append("the fixture holds nothing to do, so nothing is checked")
    }
    let second = try await completed(.preview, on: fixture)
    if second != first { failures.append("expected the same preview twice, found \(first) and \(second)") }
    let run = try await completed(.run, on: fixture).without(plugin.documentation.unforeseenCounts)
    if run != first { failures.append("expected a run to do what the preview said: \(first), found \(run)") }
    return failures
  }

  @Sendable func checkRun() async throws -> [String] {
    let fixture = try await fixture()
    _ = try await completed(.run, on: fixture)
    guard leavesNothingToDo else { return [] }
    let after = try await fixture.digest()
    let second = try await completed(.run, on: fixture).without(seen)
    var failures: [String] = []
    if !second.isEmpty { failures.append("expected a second run to find nothing, found \(second)") }
    if try await fixture.digest() != after { failures.append("expected a second run to change nothing") }
    return failures
  }

  @Sendable func checkCancelBeforeStart() async throws -> [String] {
    var failures: [String] = []
    for mode in powers.contains(.preview) ? [RunMode.run, .preview] : [.run] {
      let fixture = try await fixture()
      let before = try await fixture.digest()
      let (_, outcome, _) = await work(mode, on: fixture, cancelAt: 0)
      if !outcome.isCancellation {
        failures.append("expected a cancelled \(mode.rawValue) to end by CancellationError, found \(outcome)")
      }
      if try await fixture.digest() != before { failures.append("expected a cancelled \(mode.rawValue) to do nothing") }
    }
    return failures
  }

  @Sendable func checkCancelInTheMiddle() async throws -> [String] {
    let whole = try await fixture()
    let wholeReport = try await completed(.run, on: whole).without(seen)
    let finished = try await whole.digest()
    var failures: [String] = []
    var look = 1
    while failures.isEmpty, look < 1 << 20 {
      let fixture = try await fixture()
      let (report, outcome, wasStopped) = await work(.run, on: fixture, cancelAt: look)
      guard wasStopped else { break }
      let isDone = try await fixture.digest() == finished
      if !outcome.isCancellation, !(isDone && outcome.isSuccess) {
        failures.append("expected CancellationError from a run cancelled at look \(look), found \(outcome)")
      }
      let rest = try await completed(.run, on: fixture).without(seen)
      if try await fixture.digest() != finished {
        failures.append("expected the run after one cancelled at look \(look) to finish the work")
      }
      if leavesNothingToDo, report.without(seen) + rest != wholeReport {
        failures.append(
          "expected the counts of a run cancelled at look \(look) and of the next one to add up to \(wholeReport), "
            + "found \(report.without(seen)) and \(rest)")
      }
      look *= 2
    }
    if look == 1, failures.isEmpty, leavesNothingToDo {
      failures.append("the run never looks at the context's clock, so stopping it in the middle isn't checked")
    }
    return failures
  }

  @Sendable func checkTimeout() async throws -> [String] {
    let fixture = try await fixture()
    let before = try await fixture.digest()
    let clock = ManualClock()
    let timeout = Duration.seconds(60)
    // The work starts when its time is up already, so that the check depends on no real time.
    let result = await run(fixture, rules: TaskRules(timeout: timeout, guardRule: nil), clock: clock) { body in
      { context in
        await clock.untilSomebodySleeps(for: timeout)
        clock.advance(by: timeout)
        let (ends, _) = AsyncStream.makeStream(of: Void.self)
        for await _ in ends {}
        try await body(context)
      }
    }
    var failures = try roundTrip(result)
    if result.status != .timedOut { failures.append("expected timed_out, found \(result.status.rawValue)") }
    if !result.errors.isEmpty { failures.append("expected no errors, found \(result.errors.map(\.message))") }
    if try await fixture.digest() != before { failures.append("expected a run whose time is up to do nothing") }
    return failures
  }

  @Sendable func checkGuard() async throws -> [String] {
    let fixture = try await fixture()
    let before = try await fixture.digest()
    let strict = TaskRules(guardRule: GuardRule(maxPercent: 0, minRows: 1))
    let result = await run(fixture, rules: strict, clock: ManualClock()) { $0 }
    var failures = try roundTrip(result)
    let expected: RunStatus = powers.contains(.delete) ? .refused : .completed
    if result.status != expected {
      failures.append("expected \(expected.rawValue) under a guard of 0 %, found \(result.status.rawValue)")
    }
    if expected == .refused, try await fixture.digest() != before {
      failures.append("expected a refused run to do nothing")
    }
    if result.settings.keys.sorted() != plugin.settings.map(\.key).sorted() {
      failures.append("expected the settings \(plugin.settings.map(\.key)), found \(result.settings.keys.sorted())")
    }
    return failures
  }

  private func roundTrip(_ result: RunResult) throws -> [String] {
    let read = try JSONDecoder().decode(RunResult.self, from: JSONEncoder().encode(result))
    return read == result ? [] : ["expected the result to be the same after JSON, found \(read) for \(result)"]
  }

  /// Runs the task by the real runner; the task's own clock has every sleep over at once.
  private func run(
    _ fixture: ConformanceFixture, rules: TaskRules, clock: ManualClock,
    _ wrap: (@escaping PreparedTask.Body) -> PreparedTask.Body
  ) async -> RunResult {
    let task = plugin.prepare(fixture.settings, .standard, scope).task
    func free(_ body: @escaping PreparedTask.Body) -> PreparedTask.Body {
      { context in
        try await body(
          .test(
            task: context.task, mode: context.mode, now: context.now, clock: TripwireClock(),
            resources: context.resources, forecast: context.forecast, journal: context.journal))
      }
    }
    let prepared = PreparedTask(
      settings: task.settings, run: wrap(free(task.run)), preview: task.preview.map(free), isGuarded: task.isGuarded)
    let wallClock = ManualWallClock(clock, start: fixture.now)
    let inspector = StubProcessInspector()
    let runner = Runner(
      store: InMemoryStateStore(inspector: inspector, wallClock: wallClock), inspector: inspector,
      wallClock: wallClock, clock: clock, random: SeededRandom(), resources: fixture.resources,
      logger: Logger(label: "conformance") { _ in SwiftLogNoOpLogHandler() })
    let runnable = RunnableTask(name: plugin.id, plugin: plugin.id, prepared: prepared, rules: rules)
    return await runner.run(RunRequest(task: runnable))
  }
}

extension Result where Success == Void {
  fileprivate var isCancellation: Bool {
    if case .failure(let error) = self { error is CancellationError } else { false }
  }

  fileprivate var isSuccess: Bool {
    if case .success = self { true } else { false }
  }
}
