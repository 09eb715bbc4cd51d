import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepTestKit

/// What holds of every store's history.
@Suite struct RunStoreTests {
  let fixture: StoreFixture

  init() throws {
    fixture = try StoreFixture()
  }

  @Test(arguments: StoreKind.allCases) func keepsARecordWhole(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    var record = fixture.record("01A", status: .completedWithErrors)
    record.groupRunID = "01G"
    record.result.scheduledAt = ManualWallClock.noon - .seconds(60)
    record.result.reason = "budget"
    record.result.durationMilliseconds = 812
    record.result.counts = ["odds_deleted": 158_351]
    record.result.tables = [
      TableResult(table: "odds", deleted: 3, keptReferenced: 1, total: 9, oldest: ManualWallClock.noon)
    ]
    record.result.details = [.object(["kind": .string("hold"), "ms": .integer(12)])]
    record.result.guardVerdict = GuardRule().judge(record.result.tables, overridden: true)
    record.result.remaining = ["odds": 4]
    record.result.warnings = ["a \"quoted\" warning /"]
    record.result.errors = [RunError(step: "odds", code: "disk_full", message: "Ошибка")]
    try await store.save(record)
    #expect(try await store.record("01A") == record)
    #expect(try await store.record("01B") == nil)
  }

  @Test(arguments: StoreKind.allCases) func replacesALiveRecordButNeverAFinalOne(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    try await store.save(fixture.record("01A", status: .queued))
    try await store.save(fixture.record("01A", status: .running))
    #expect(try await store.record("01A")?.result.status == .running)
    try await store.save(fixture.record("01A", status: .failed))
    try await store.save(fixture.record("01A", status: .running))
    try await store.save(fixture.record("01A", status: .completed))
    #expect(try await store.record("01A")?.result.status == .failed)
  }

  @Test(arguments: StoreKind.allCases) func listsNewestFirstAndByPage(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    for (runID, task, status) in [
      ("01A", "tidy", RunStatus.completed), ("01B", "sweep", .failed), ("01C", "tidy", .failed),
      ("01D", "tidy", .running),
    ] {
      try await store.save(fixture.record(runID, task: task, status: status))
    }
    try await store.save(fixture.record("01E", mode: .preview, status: .completed))
    func ids(_ query: RunQuery) async throws -> [String] { try await store.records(query).map(\.result.runID) }
    #expect(try await ids(RunQuery()) == ["01E", "01D", "01C", "01B", "01A"])
    #expect(try await ids(RunQuery(task: "tidy", mode: .run)) == ["01D", "01C", "01A"])
    #expect(try await ids(RunQuery(status: .failed)) == ["01C", "01B"])
    #expect(try await ids(RunQuery(task: "tidy", status: .failed)) == ["01C"])
    #expect(try await ids(RunQuery(limit: 2)) == ["01E", "01D"])
    #expect(try await ids(RunQuery(before: "01D", limit: 2)) == ["01C", "01B"])
    #expect(try await ids(RunQuery(limit: 0)) == [])
  }

  /// A glance says what the whole record says, of runs that wait, work and are over.
  @Test(arguments: StoreKind.allCases) func saysTheSameAtAGlance(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    var ended = fixture.record("01A", status: .timedOut)
    ended.result.durationMilliseconds = 1234
    ended.result.scheduledAt = fixture.wallClock.now() - .milliseconds(1500)
    var waiting = fixture.record("01B", status: .queued)
    waiting.result.startedAt = nil
    for record in [ended, waiting, fixture.record("01C"), fixture.record("01D", task: "other")] {
      try await store.save(record)
    }
    let glances = try await store.glances(RunQuery(task: "tidy", limit: 10))
    #expect(glances == [fixture.record("01C"), waiting, ended].map { RunGlance($0) })
    #expect(glances.map(\.durationMilliseconds) == [nil, nil, 1234])
    #expect(try await store.glances(RunQuery(before: "01C", limit: 1)).map(\.runID) == ["01B"])
  }

  @Test(arguments: StoreKind.allCases) func tellsTheLastFinalRunOfEachTask(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    try await store.save(fixture.record("01A", status: .failed))
    try await store.save(fixture.record("01B", status: .completed))
    try await store.save(fixture.record("01C", status: .running))
    try await store.save(fixture.record("01D", mode: .preview, status: .completed))
    try await store.save(fixture.record("01E", task: "sweep", status: .skipped))
    try await store.save(fixture.record("01F", task: "new", status: .queued))
    #expect(try await store.lastRuns().mapValues(\.runID) == ["tidy": "01B", "sweep": "01E"])
  }

  @Test(arguments: StoreKind.allCases) func prunesByAgeAndKeepsFailuresLonger(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    let now = ManualWallClock.noon
    let old = now - .seconds(1) - .microseconds(1)
    try await store.save(fixture.record("01A", status: .completed, finishedAt: old))
    try await store.save(fixture.record("01B", status: .completed, finishedAt: now - .seconds(1)))
    try await store.save(fixture.record("01C", status: .failed, finishedAt: old))
    try await store.save(fixture.record("01D", status: .timedOut, finishedAt: now - .seconds(100)))
    try await store.save(fixture.record("01E", status: .running))
    let removed = try await store.prune(finishedBefore: now - .seconds(1), failuresBefore: now - .seconds(60))
    #expect(removed == 2)
    #expect(try await store.records(RunQuery()).map(\.result.runID) == ["01E", "01C", "01B"])
  }

  @Test(arguments: StoreKind.allCases) func prunesTheOldestFirstUpToALimit(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    let now = ManualWallClock.noon
    for (runID, age) in [("01A", 20), ("01B", 50), ("01C", 40), ("01D", 30), ("01E", 10)] {
      try await store.save(fixture.record(runID, status: .completed, finishedAt: now - .seconds(age)))
    }
    try await store.save(fixture.record("01F", status: .running))
    let (limit, failures) = (now - .seconds(10), now - .seconds(60))
    let old = try await store.oldRuns(finishedBefore: limit, failuresBefore: failures)
    #expect(old == OldRuns(count: 4, total: 6, oldest: now - .seconds(50), newest: now - .seconds(20)))
    let gone = try await store.prune(finishedBefore: limit, failuresBefore: failures, limit: 2)
    #expect(gone == OldRuns(count: 2, total: 0, oldest: now - .seconds(50), newest: now - .seconds(40)))
    #expect(try await store.records(RunQuery()).map(\.result.runID) == ["01F", "01E", "01D", "01A"])
    #expect(try await store.prune(finishedBefore: limit, failuresBefore: failures) == 2)
    #expect(try await store.oldRuns(finishedBefore: limit, failuresBefore: failures) == OldRuns(count: 0, total: 2))
    #expect(try await store.allRuns().count == 2)
  }

  @Test(arguments: StoreKind.allCases) func aPauseHoldsUntilItsEnd(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    let now = ManualWallClock.noon
    let timed = TaskPause(task: "tidy", until: now + .seconds(60), reason: "move", by: "ann", since: now)
    let open = TaskPause(task: "sweep", until: nil, reason: "broken", by: "bob", since: now)
    #expect(try await store.pauses().isEmpty)
    try await store.pause(TaskPause(task: "tidy", until: nil, reason: "first", by: "ann", since: now))
    try await store.pause(timed)
    try await store.pause(open)
    #expect(try await store.pauses() == [open, timed])
    fixture.clock.advance(by: .seconds(60))
    #expect(try await store.pauses() == [open])
    #expect(try await store.resume("tidy") == false)
    #expect(try await store.resume("sweep"))
    #expect(try await store.resume("sweep") == false)
    #expect(try await store.pauses().isEmpty)
  }
}
