import Synchronization
import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepTestKit

/// What holds of every store's leases.
@Suite struct LeaseStoreTests {
  let fixture: StoreFixture

  init() throws {
    fixture = try StoreFixture()
  }

  @Test(arguments: StoreKind.allCases) func grantsATaskOnlyOnce(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    #expect(try await store.request(fixture.request("01A")).lease != nil)
    #expect(try await store.request(fixture.request("01B")) == .blocked(by: [fixture.holder("01A")]))
    #expect(try await store.holders() == [fixture.holder("01A")])
    try await store.release("01A")
    #expect(try await store.request(fixture.request("01B")).lease != nil)
  }

  @Test(arguments: StoreKind.allCases) func aRunBeginsAndEndsInOneStepEach(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    let queued = fixture.record("01A", status: .queued)
    try await store.save(queued)
    let released = Mutex(false)
    let beginning = try await store.begin(fixture.request("01A")) { now in
      var record = queued
      record.result.status = .running
      record.result.startedAt = now
      return record
    }
    #expect(beginning.answer.lease?.runID == "01A")
    #expect(beginning.record?.result.startedAt == fixture.wallClock.now())
    #expect(try await store.record("01A") == beginning.record)
    // Who isn't let in leaves no record of a start.
    let refused = try await store.begin(fixture.request("01B")) { _ in fixture.record("01B") }
    #expect(refused.answer == .blocked(by: [fixture.holder("01A")]) && refused.record == nil)
    #expect(try await store.record("01B") == nil)
    try await store.end(fixture.record("01A", status: .completed)) { released.withLock { $0 = true } }
    #expect(released.withLock { $0 })
    #expect(try await store.record("01A")?.result.status == .completed)
    #expect(try await store.holders() == [])
  }

  @Test(arguments: StoreKind.allCases) func answersTheSameRequestTheSame(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    let first = try await store.request(fixture.request("01A"))
    #expect(try await store.request(fixture.request("01A")) == first)
  }

  @Test(arguments: StoreKind.allCases) func overlapAllowRunsBoth(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    _ = try await store.request(fixture.request("01A"))
    #expect(try await store.request(fixture.request("01B", overlap: .allow)).lease != nil)
  }

  @Test(arguments: StoreKind.allCases, [true, false])
  func exclusiveTasksAreKeptApartWhicheverNamesTheOther(_ kind: StoreKind, firstNames: Bool) async throws {
    let store = try await fixture.make(kind)
    _ = try await store.request(
      fixture.request("01A", task: "scraping", exclusiveWith: firstNames ? ["tidy"] : []))
    let second = fixture.request("01B", overlap: .allow, exclusiveWith: firstNames ? [] : ["scraping"])
    #expect(try await store.request(second) == .blocked(by: [fixture.holder("01A", task: "scraping")]))
    #expect(try await store.request(fixture.request("01C", task: "other")).lease != nil)
  }

  @Test(arguments: StoreKind.allCases) func fencingNumbersGrow(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    var numbers: [Int64] = []
    for runID in ["01A", "01B", "01C"] {
      numbers.append(try #require(try await store.request(fixture.request(runID)).lease).fencing)
      try await store.release(runID)
    }
    #expect(numbers == numbers.sorted())
    #expect(Set(numbers).count == 3)
  }

  @Test(arguments: StoreKind.allCases) func firstComeIsFirstServed(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    _ = try await store.request(fixture.request("01A"))
    #expect(try await store.request(fixture.request("01Z", waits: true)).blockers == ["01A"])
    #expect(try await store.request(fixture.request("01B", waits: true)).blockers == ["01A", "01Z"])
    try await store.release("01A")
    #expect(try await store.request(fixture.request("01B", waits: true)).blockers == ["01Z"])
    #expect(try await store.request(fixture.request("01C")).blockers == ["01Z", "01B"])
    #expect(try await store.request(fixture.request("01Z", waits: true)).lease != nil)
    #expect(
      try await store.holders() == [fixture.holder("01Z"), fixture.holder("01B", waits: true)])
  }

  @Test(arguments: StoreKind.allCases) func noMoreRunsWorkThanMay(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    func ask(_ runID: String, limit: Int? = 2, exclusiveWith: [String] = []) async throws -> LeaseAnswer {
      try await store.request(
        fixture.request(runID, task: "of\(runID)", exclusiveWith: exclusiveWith, waits: true, limit: limit))
    }
    #expect(try await ask("01A").lease != nil)
    #expect(try await ask("01B").lease != nil)
    #expect(try await ask("01B").lease != nil, "the one that has it keeps it")
    #expect(try await ask("01C", exclusiveWith: ["of01A"]).blockers == ["01A"])
    #expect(try await ask("01D") == .full)
    #expect(try await ask("01E") == .full)
    #expect(try await ask("01F", limit: nil).lease != nil)
    try await store.release("01F")
    try await store.release("01B")
    // Who waits for a rule holds no place back, and nobody overtakes who came first.
    #expect(try await ask("01E") == .full)
    #expect(try await ask("01D").lease != nil)
    try await store.release("01A")
    #expect(try await ask("01E") == .full)
    #expect(try await ask("01C", exclusiveWith: ["of01A"]).lease != nil)
    try await store.release("01C")
    #expect(try await ask("01E").lease != nil)
  }

  @Test(arguments: StoreKind.allCases) func oneThatDoesNotWaitTakesNoPlace(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    _ = try await store.request(fixture.request("01A"))
    _ = try await store.request(fixture.request("01B", waits: false))
    #expect(try await store.holders() == [fixture.holder("01A")])
  }

  @Test(arguments: StoreKind.allCases) func aWaitingExclusiveTaskIsNotOvertaken(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    _ = try await store.request(fixture.request("01A", task: "scraping"))
    _ = try await store.request(fixture.request("01B", exclusiveWith: ["scraping"], waits: true))
    let second = fixture.request("01C", task: "scraping", overlap: .allow)
    #expect(try await store.request(second).blockers == ["01B"])
  }

  @Test(arguments: StoreKind.allCases) func aDeadHolderIsInterruptedWithItsLastCounts(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    let other = StubProcessInspector.process(pid: 99)
    var record = fixture.record("01A", owner: other)
    record.result.counts = ["odds_deleted": 12_000]
    try await store.save(record)
    _ = try await store.request(fixture.request("01A", owner: other))
    fixture.inspector.set(other, .gone)
    fixture.clock.advance(by: .seconds(5))
    #expect(try await store.request(fixture.request("01B")).lease != nil)
    let result = try #require(try await store.record("01A")?.result)
    #expect(result.status == .interrupted)
    #expect(result.reason == "its process (pid 99 on box-1) is gone")
    #expect(result.finishedAt == ManualWallClock.noon + .seconds(5))
    #expect(result.counts == ["odds_deleted": 12_000])
    #expect(try await store.renew("01A", owner: other) == .lost)
  }

  @Test(arguments: StoreKind.allCases)
  func saysWhereTheMachineWentDownThatTheCountsMayBeTooHigh(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    var other = StubProcessInspector.process(pid: 99)
    other.bootID = "the boot before"
    try await store.save(fixture.record("01A", owner: other))
    fixture.inspector.set(other, .gone)
    #expect(try await store.reap() == ["01A"])
    let result = try #require(try await store.record("01A")?.result)
    #expect(result.status == .interrupted)
    #expect(
      result.reason
        == "its machine (box-1) went down; what it counted last may not have reached the disk, and goes next time")
  }

  @Test(arguments: StoreKind.allCases) func aDeadOneInTheQueueIsPutAside(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    let other = StubProcessInspector.process(pid: 99)
    _ = try await store.request(fixture.request("01A"))
    _ = try await store.request(fixture.request("01B", owner: other, waits: true))
    _ = try await store.request(fixture.request("01C", waits: true))
    try await store.release("01A")
    fixture.inspector.set(other, .gone)
    #expect(try await store.request(fixture.request("01C", waits: true)).lease != nil)
  }

  @Test(arguments: StoreKind.allCases)
  func aHolderThatCanNotBeLookedUpLivesAsLongAsItRenews(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    let far = StubProcessInspector.process(pid: 99, host: "box-2")
    fixture.inspector.set(far, .unknown)
    try await store.save(fixture.record("01A", owner: far))
    _ = try await store.request(fixture.request("01A", owner: far))
    fixture.clock.advance(by: .seconds(20))
    #expect(try await store.renew("01A", owner: far) == .held)
    fixture.clock.advance(by: .seconds(30))
    #expect(try await store.reap() == [])
    #expect(try await store.request(fixture.request("01B")).blockers == ["01A"])
    fixture.clock.advance(by: .milliseconds(1))
    #expect(try await store.reap() == ["01A"])
    #expect(try await store.renew("01A", owner: far) == .lost)
    #expect(
      try await store.record("01A")?.result.reason
        == "its process (pid 99 on box-2) hasn't been heard of for 30s")
  }

  @Test(arguments: [StoreKind.memory, .sqlite]) func aLivingHolderIsNeverReaped(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    try await store.save(fixture.record("01A"))
    _ = try await store.request(fixture.request("01A"))
    fixture.clock.advance(by: .seconds(86_400))
    #expect(try await store.reap() == [])
    #expect(try await store.renew("01A", owner: fixture.me) == .held)
  }

  @Test(arguments: StoreKind.allCases) func aDeadPreviewIsInterruptedToo(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    let other = StubProcessInspector.process(pid: 99)
    try await store.save(fixture.record("01A", mode: .preview, owner: other))
    #expect(try await store.renew("01A", owner: other) == .held)
    fixture.inspector.set(other, .gone)
    #expect(try await store.reap() == ["01A"])
    #expect(try await store.record("01A")?.result.status == .interrupted)
  }

  @Test(arguments: StoreKind.allCases) func aHolderOfAFinalRunKeepsItsLease(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    try await store.save(fixture.record("01A"))
    _ = try await store.request(fixture.request("01A"))
    try await store.save(fixture.record("01A", status: .timedOut))
    #expect(try await store.renew("01A", owner: fixture.me) == .held)
    #expect(try await store.request(fixture.request("01B")).blockers == ["01A"])
  }

  @Test(arguments: StoreKind.allCases) func onlyTheOwnerRenews(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    _ = try await store.request(fixture.request("01A"))
    #expect(try await store.renew("01A", owner: StubProcessInspector.process(pid: 99)) == .lost)
    #expect(try await store.renew("01B", owner: fixture.me) == .lost)
  }

  @Test(arguments: StoreKind.allCases) func aCancelRequestReachesTheHolder(_ kind: StoreKind) async throws {
    let store = try await fixture.make(kind)
    try await store.save(fixture.record("01A"))
    _ = try await store.request(fixture.request("01A"))
    #expect(try await store.requestCancel("01A", by: "ann"))
    #expect(try await store.requestCancel("01A", by: "bob"))
    #expect(try await store.renew("01A", owner: fixture.me) == .cancelRequested(by: "ann"))
    try await store.save(fixture.record("01A", status: .cancelled))
    try await store.release("01A")
    #expect(try await store.requestCancel("01A", by: "ann") == false)
    #expect(try await store.requestCancel("01B", by: "ann") == false)
  }
}
