import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepTestKit

@testable import UpkeepHTTP

/// Runs of other processes, for those who listen to everything.
@Suite struct OtherRunsTests {
  private let host = FakeHost()
  private let log: EventLog
  private let store: InMemoryStateStore

  init() {
    log = EventLog(wallClock: host.wallClock, random: host.random)
    store = InMemoryStateStore(inspector: StubProcessInspector(), wallClock: host.wallClock)
  }

  private func save(_ result: RunResult, isOwn: Bool = false) async throws {
    let owner = isOwn ? StubProcessInspector().current : StubProcessInspector.process(pid: 5)
    try await store.save(RunRecord(result: result, owner: owner, createdAt: host.wallClock.now()))
  }

  private func result(_ runID: String, _ status: RunStatus = .running) -> RunResult {
    var result = RunResult(
      runID: runID, task: "nap", plugin: "noop", mode: .run, trigger: .manual, status: status, host: "box-2")
    result.startedAt = host.wallClock.now()
    return result
  }

  /// What the listener got: `run 01B`.
  private func told(_ listener: EventListener) async -> [String] {
    log.end()
    var told: [String] = []
    for await chunk in listener.chunks {
      let event = EventTests.event(chunk)
      told.append("\(event.kind) \(event.data["run_id"]?.text ?? "")")
    }
    return told
  }

  @Test func tellsOfEachFromItsBeginningToItsEndOnce() async throws {
    var others = OtherRuns(runs: store, events: log, owner: StubProcessInspector().current)
    // Before somebody listens nothing is of interest, and nothing that was over then is told of.
    try await save(result("01A", .completed))
    let listener = try #require(log.listen(to: nil, after: nil))
    try await others.look()
    try await save(result("01B"))
    for _ in 0..<3 { try await others.look() }
    var run = result("01B")
    run.counts["rows"] = 5
    try await save(run)
    for _ in 0..<2 { try await others.look() }
    run.status = .completed
    try await save(run)
    // One that is short is over before it is seen.
    try await save(result("01C", .failed))
    for _ in 0..<4 { try await others.look() }
    #expect(await told(listener) == ["run 01B", "progress 01B", "end 01B", "run 01C", "end 01C"])
  }

  /// The end of a run whose process was killed is told by who finds that out.
  @Test func doesNotTellTwiceOfAnEnd() async throws {
    var others = OtherRuns(runs: store, events: log, owner: StubProcessInspector().current)
    let listener = try #require(log.listen(to: nil, after: nil))
    try await others.look()
    var run = result("01B")
    try await save(run)
    try await others.look()
    run.status = .interrupted
    try await save(run)
    log.record(.finished(run))
    for _ in 0..<2 { try await others.look() }
    #expect(await told(listener) == ["run 01B", "end 01B"])
  }

  /// It begins to look when somebody comes, and again when somebody comes after all were gone.
  @Test(.timeLimit(.minutes(1))) func looksWhileSomebodyListens() async throws {
    let work = Task { [store, log] in
      await OtherRuns.tell(store, to: log, owner: StubProcessInspector().current, clock: ContinuousClock())
    }
    for runID in ["01B", "01C"] {
      let listener = try #require(log.listen(to: nil, after: nil))
      try await save(result(runID))
      var chunks = listener.chunks.makeAsyncIterator()
      let event = try #require(await chunks.next())
      #expect(EventTests.event(event).data["run_id"]?.text == runID)
      try await save(result(runID, .completed))
      _ = await chunks.next()
      log.end()
    }
    work.cancel()
    await work.value
  }

  /// A run of this process is told of by itself, though its record may be there before.
  @Test func leavesOwnRunsToThemselves() async throws {
    var others = OtherRuns(runs: store, events: log, owner: StubProcessInspector().current)
    let listener = try #require(log.listen(to: nil, after: nil))
    try await others.look()
    var own = result("01B")
    try await save(own, isOwn: true)
    for _ in 0..<3 { try await others.look() }
    log.record(.started(own))
    try await others.look()
    own.status = .completed
    try await save(own, isOwn: true)
    log.record(.finished(own))
    for _ in 0..<3 { try await others.look() }
    #expect(await told(listener) == ["run 01B", "end 01B"])
  }

  /// A run that goes on is followed to its end, also where many others come after it and nobody listens any more.
  @Test func followsALongRunToItsEnd() async throws {
    var others = OtherRuns(runs: store, events: log, owner: StubProcessInspector().current)
    try await save(result("01B"))
    let listener = try #require(log.listen(to: nil, after: nil))
    for _ in 0..<2 { try await others.look() }
    for number in 100..<200 { try await save(result("01C\(number)", .skipped)) }
    try await others.look()
    #expect(log.knows("01B"))
    try await save(result("01B", .completed))
    try await others.look()
    let told = await told(listener)
    #expect(told.first == "run 01B")
    #expect(told.contains("end 01B"))
  }
}
