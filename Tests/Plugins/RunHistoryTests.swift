import Foundation
import RunHistoryPlugin
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepRuns
import UpkeepStore
import UpkeepTestKit

/// The host's own history, pruned as a task.
@Suite struct RunHistoryTests {
  private static let now = ManualWallClock.noon
  private static let keep = Duration.seconds(90 * 86_400)
  private static let keepFailures = Duration.seconds(365 * 86_400)

  /// A state store in a file of its own.
  private final class History: HistoryResources {
    let folder = FileManager.default.temporaryDirectory.appending(path: "upkeep-history-\(UUID().uuidString)")
    let store: SQLStateStore
    let inspector = StubProcessInspector()

    init() throws {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let file = SQLiteDatabase(name: "state", path: folder.appending(path: "upkeep.sqlite").path, mayCreate: true)
      store = SQLStateStore(database: file, inspector: inspector, wallClock: ManualWallClock(start: now))
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func keptHistory() throws -> KeptHistory { KeptHistory(store, keep: keep, keepFailures: keepFailures) }

    func add(_ runID: String, _ status: RunStatus, age: Duration, mode: RunMode = .run) async throws {
      var result = RunResult(
        runID: runID, task: "tidy", plugin: "noop", mode: mode, trigger: .manual, status: status, settings: [:],
        host: "box-1")
      result.finishedAt = status.isFinal ? now - age : nil
      let owner = status.isFinal ? nil : inspector.current
      try await store.save(RunRecord(result: result, owner: owner, createdAt: now - age))
    }

    func ids() async throws -> [String] {
      try await store.records(RunQuery(limit: 5000)).map(\.result.runID)
    }
  }

  private func context(
    _ mode: RunMode, _ history: History, clock: any Clock<Duration> = HookClock(), limits: RunLimits = RunLimits()
  ) -> TaskContext {
    .test(mode: mode, now: Self.now, clock: clock, resources: history, limits: limits)
  }

  private func work(_ mode: RunMode, _ history: History) async throws -> RunJournal.Contents {
    let context = context(mode, history)
    if mode == .run {
      try await RunHistoryTask().run(RunHistorySettings(), in: context)
    } else {
      try await RunHistoryTask().preview(RunHistorySettings(), in: context)
    }
    return context.journal.current
  }

  @Test func keepsWhatIsAtItsLimitAndWhateverIsGoingOn() async throws {
    let history = try History()
    let microsecond = Duration.microseconds(1)
    for (index, status) in RunStatus.allCases.enumerated() {
      let letter = String(UnicodeScalar(UInt8(97 + index)))
      let limit = [.completed, .cancelled, .skipped, .missed].contains(status) ? Self.keep : Self.keepFailures
      try await history.add("\(letter)-at", status, age: limit)
      try await history.add("\(letter)-older", status, age: limit + microsecond)
    }
    let live = RunStatus.allCases.filter { !$0.isFinal }.count
    let final = RunStatus.allCases.count - live
    #expect(live >= 2)
    let preview = try await work(.preview, history)
    #expect(preview.counts == ["runs_deleted": final])
    #expect(preview.tables.map(\.total) == [2 * (final + live)])
    let run = try await work(.run, history)
    #expect(run.counts == preview.counts)
    #expect(run.tables.map(\.oldest) == preview.tables.map(\.oldest))
    #expect(run.tables.map(\.newest) == preview.tables.map(\.newest))
    let left = try await history.ids()
    #expect(left.count == final + 2 * live)
    #expect(left.filter { $0.hasSuffix("-at") }.count == final + live)
    #expect(try await work(.run, history).counts == ["runs_deleted": 0])
  }

  @Test func takesOldPreviewsAsWell() async throws {
    let history = try History()
    try await history.add("01A", .completed, age: Self.keep * 2, mode: .preview)
    #expect(try await work(.run, history).counts == ["runs_deleted": 1])
    #expect(try await history.ids() == [])
  }

  @Test func stopsBetweenTwoBatchesAndKeepsTheRestForTheNextRun() async throws {
    let history = try History()
    for number in 0..<450 { try await history.add("01\(1000 + number)", .completed, age: Self.keep * 2) }
    let journal = RunJournal()
    let clock = HookClock { throw CancellationError() }
    let cancelled = TaskContext.test(now: Self.now, clock: clock, resources: history, journal: journal)
    await #expect(throws: CancellationError.self) {
      try await RunHistoryTask().run(RunHistorySettings(), in: cancelled)
    }
    #expect(journal.current.counts == ["runs_deleted": 200])
    #expect(try await history.ids().count == 250)
    #expect(try await work(.run, history).counts == ["runs_deleted": 250])
  }

  @Test func endsWhereItsBudgetIsUsedUp() async throws {
    let history = try History()
    for number in 0..<450 { try await history.add("01\(1000 + number)", .completed, age: Self.keep * 2) }
    let context = context(.run, history, limits: RunLimits(maxRows: 230))
    try await RunHistoryTask().run(RunHistorySettings(), in: context)
    #expect(context.journal.current.counts == ["runs_deleted": 230])
    #expect(context.journal.current.reason == "budget")
    #expect(try await history.ids().count == 220)
  }

  @Test func leavesAloneARunThatEndsMeanwhile() async throws {
    let history = try History()
    for number in 0..<450 { try await history.add("01\(1000 + number)", .completed, age: Self.keep * 2) }
    try await history.add("02A", .running, age: Self.keep * 2)
    let clock = HookClock { [history] in try await history.add("02A", .completed, age: .zero) }
    let context = context(.run, history, clock: clock)
    try await RunHistoryTask().run(RunHistorySettings(), in: context)
    #expect(context.journal.current.counts == ["runs_deleted": 450])
    #expect(try await history.ids() == ["02A"])
  }

  @Test func saysWhatTheHostLacks() async throws {
    await #expect(throws: TaskError.self) {
      try await RunHistoryTask().run(RunHistorySettings(), in: .test(resources: NoResources()))
    }
  }
}
