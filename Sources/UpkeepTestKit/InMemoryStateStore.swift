import Synchronization
public import UpkeepCore
public import UpkeepRuns

/// A state store in memory, with the rules of the real one: the same conformance tests hold for both.
public final class InMemoryStateStore: StateStore {
  struct State {
    var records: [String: (record: RunRecord, renewedAt: Timestamp)] = [:]
    var entries: [LeaseEntry] = []
    var cancels: [String: String] = [:]
    var pauses: [String: TaskPause] = [:]
    var notices: [String: Timestamp] = [:]
    var ticket: Int64 = 0
    var fencing: Int64 = 0
    var failure: TaskError?
    /// The calls that fail, and how many there were since they were named.
    var failing = 0..<Int.max
    var calls = 0
    var grids: [String: TaskGrid] = [:]
    var serving: (holder: ServeHolder, renewedAt: Timestamp)?
  }

  private let state = Mutex(State())
  let inspector: any ProcessInspector
  let wallClock: any WallClock

  /// Creates an empty store.
  public init(inspector: any ProcessInspector, wallClock: any WallClock) {
    self.inspector = inspector
    self.wallClock = wallClock
  }

  /// Makes calls throw from now on, as with a full disk; nothing ends that.
  /// - Parameter calls: Which ones, counted from 0; all where it isn't said.
  public func fail(with error: TaskError?, calls: Range<Int> = 0..<Int.max) {
    state.withLock { state in
      (state.failure, state.failing, state.calls) = (error, calls, 0)
    }
  }

  func access<Value: Sendable>(_ body: (inout State) throws -> sending Value) throws -> Value {
    try state.withLock { state throws -> Value in
      defer { state.calls += 1 }
      if let failure = state.failure, state.failing.contains(state.calls) { throw failure }
      return try body(&state)
    }
  }

  /// Adds a record, or replaces one that isn't final.
  public func save(_ record: RunRecord) async throws {
    let now = wallClock.now()
    try access { Self.save(record, &$0, at: now) }
  }

  private static func save(_ record: RunRecord, _ state: inout State, at now: Timestamp) {
    guard state.records[record.result.runID]?.record.result.status.isFinal != true else { return }
    state.records[record.result.runID] = (record, now)
    if record.result.status.isFinal { state.cancels[record.result.runID] = nil }
  }

  /// The record of a run.
  public func record(_ runID: String) async throws -> RunRecord? {
    try access { $0.records[runID]?.record }
  }

  /// Records, newest first.
  public func records(_ query: RunQuery) async throws -> [RunRecord] {
    let matching = try matching(query)
    return Array(matching.sorted { $0.result.runID > $1.result.runID }.prefix(max(0, query.limit)))
  }

  /// How many records there are.
  public func count(_ query: RunQuery) async throws -> Int {
    try matching(query).count
  }

  private func matching(_ query: RunQuery) throws -> [RunRecord] {
    let all = try access { state in state.records.values.map(\.record) }
    return all.filter { record in
      let result = record.result
      return (query.task ?? result.task) == result.task && (query.status ?? result.status) == result.status
        && (query.mode ?? result.mode) == result.mode && query.before.map { result.runID < $0 } ?? true
        && query.groupRunID.map { record.groupRunID == $0 } ?? true
    }
  }

  /// The newest final run of each task.
  public func lastRuns() async throws -> [String: RunResult] {
    let runs = try await records(RunQuery(mode: .run, limit: .max)).map(\.result).filter(\.status.isFinal)
    return Dictionary(runs.map { ($0.task, $0) }) { newest, _ in newest }
  }

  /// Counts the old records.
  public func oldRuns(finishedBefore: Timestamp, failuresBefore: Timestamp) async throws -> OldRuns {
    try access { state in
      OldRuns(Self.old(state, finishedBefore, failuresBefore), total: state.records.count)
    }
  }

  /// Removes old records.
  public func prune(finishedBefore: Timestamp, failuresBefore: Timestamp, limit: Int) async throws -> OldRuns {
    try access { state in
      let old = Self.old(state, finishedBefore, failuresBefore).prefix(limit)
      for result in old { state.records[result.runID] = nil }
      return OldRuns(Array(old), total: 0)
    }
  }

  /// Counts all records.
  public func allRuns() async throws -> OldRuns {
    try access { state in
      let made = state.records.values.map(\.record.createdAt)
      return OldRuns(count: made.count, total: made.count, oldest: made.min(), newest: made.max())
    }
  }

  /// The old records, oldest first.
  private static func old(_ state: State, _ finished: Timestamp, _ failures: Timestamp) -> [RunResult] {
    let harmless: Set<RunStatus> = [.completed, .cancelled, .skipped, .missed]
    return state.records.values.map(\.record.result).filter { result in
      guard result.status.isFinal, let end = result.finishedAt else { return false }
      return end < (harmless.contains(result.status) ? finished : failures)
    }
    .sorted { ($0.finishedAt ?? finished, $0.runID) < ($1.finishedAt ?? finished, $1.runID) }
  }

  /// Asks for the right to run, dead holders put aside.
  public func request(_ request: LeaseRequest) async throws -> LeaseAnswer {
    let now = wallClock.now()
    return try access { answer(request, &$0, at: now) }
  }

  private func answer(_ request: LeaseRequest, _ state: inout State, at now: Timestamp) -> LeaseAnswer {
    if LeaseQueue.obstacle(to: request, in: state.entries) != nil { _ = reap(&state, at: now) }
    if let fencing = state.entries.first(where: { $0.runID == request.runID })?.fencing {
      return .granted(Lease(runID: request.runID, task: request.task, fencing: fencing))
    }
    let obstacle = LeaseQueue.obstacle(to: request, in: state.entries)
    if !state.entries.contains(where: { $0.runID == request.runID }), obstacle == nil || request.waits {
      state.ticket += 1
      state.entries.append(
        LeaseEntry(
          ticket: state.ticket, runID: request.runID, task: request.task, owner: request.owner,
          exclusiveWith: request.exclusiveWith, fencing: nil, renewedAt: now))
    }
    if let obstacle { return obstacle }
    guard let index = state.entries.firstIndex(where: { $0.runID == request.runID }) else { return .full }
    state.fencing += 1
    state.entries[index].fencing = state.fencing
    state.entries[index].renewedAt = now
    return .granted(Lease(runID: request.runID, task: request.task, fencing: state.fencing))
  }

  /// Asks for the right to run, and saves the record of the start together with it.
  public func begin(
    _ request: LeaseRequest, started: @escaping @Sendable (Timestamp) -> RunRecord
  ) async throws -> RunBeginning {
    let now = wallClock.now()
    return try access { state in
      let answer = answer(request, &state, at: now)
      guard case .granted = answer else { return RunBeginning(answer) }
      let record = started(now)
      Self.save(record, &state, at: now)
      return RunBeginning(answer, record: record)
    }
  }

  /// Saves the last record of a run and gives back what it held.
  public func end(_ record: RunRecord, released: @escaping @Sendable () -> Void) async throws {
    let now = wallClock.now()
    try access { state in
      Self.save(record, &state, at: now)
      state.entries.removeAll { $0.runID == record.result.runID }
      state.cancels[record.result.runID] = nil
    }
    released()
  }

  /// Says that a run still lives.
  public func renew(_ runID: String, owner: ProcessIdentity) async throws -> LeaseRenewal {
    let now = wallClock.now()
    return try access { state in
      var found = false
      if let index = state.entries.firstIndex(where: { $0.runID == runID && $0.owner == owner }) {
        state.entries[index].renewedAt = now
        found = true
      }
      if let entry = state.records[runID], entry.record.owner == owner, !entry.record.result.status.isFinal {
        state.records[runID]?.renewedAt = now
        found = true
      }
      guard found else { return .lost }
      return state.cancels[runID].map { .cancelRequested(by: $0) } ?? .held
    }
  }

  /// Gives a lease, or a place in the queue, back.
  public func release(_ runID: String) async throws {
    try access { state in
      state.entries.removeAll { $0.runID == runID }
      state.cancels[runID] = nil
    }
  }

  /// Asks that a run stop.
  public func requestCancel(_ runID: String, by: String) async throws -> Bool {
    try access { state in
      let isRecorded = state.records[runID].map { !$0.record.result.status.isFinal } ?? false
      guard isRecorded || state.entries.contains(where: { $0.runID == runID }) else { return false }
      if state.cancels[runID] == nil { state.cancels[runID] = by }
      return true
    }
  }

  /// Ends the runs of dead processes.
  public func reap() async throws -> [String] {
    let now = wallClock.now()
    return try access { reap(&$0, at: now) }
  }

  private func reap(_ state: inout State, at now: Timestamp) -> [String] {
    var dead: [String: String] = [:]
    for entry in state.entries {
      dead[entry.runID] = LeaseQueue.death(of: entry.owner, renewedAt: entry.renewedAt, now: now, by: inspector)
    }
    for (runID, entry) in state.records where !entry.record.result.status.isFinal && dead[runID] == nil {
      guard let owner = entry.record.owner else { continue }
      dead[runID] = LeaseQueue.death(of: owner, renewedAt: entry.renewedAt, now: now, by: inspector)
    }
    for (runID, reason) in dead {
      if let result = state.records[runID]?.record.result, !result.status.isFinal {
        state.records[runID]?.record.result = LeaseQueue.interrupt(result, because: reason, at: now)
      }
      state.entries.removeAll { $0.runID == runID }
      state.cancels[runID] = nil
    }
    return dead.keys.sorted()
  }

  /// Who runs or waits now, in the order of asking.
  public func holders() async throws -> [LeaseHolder] {
    try access { state in state.entries.sorted { $0.ticket < $1.ticket }.map(\.holder) }
  }

  /// The pauses in force, by task.
  public func pauses() async throws -> [TaskPause] {
    let now = wallClock.now()
    return try access { state in
      state.pauses.values.filter { pause in pause.until.map { $0 > now } ?? true }.sorted { $0.task < $1.task }
    }
  }

  /// Pauses a task.
  public func pause(_ pause: TaskPause) async throws {
    try access { $0.pauses[pause.task] = pause }
  }

  /// Ends a pause.
  public func resume(_ task: String) async throws -> Bool {
    let now = wallClock.now()
    return try access { state in
      guard let pause = state.pauses.removeValue(forKey: task) else { return false }
      return pause.until.map { $0 > now } ?? true
    }
  }

  /// Marks a streak of failures as told.
  public func claimNotice(_ task: String, at now: Timestamp, since: Timestamp?) async throws -> Bool {
    try access { state in
      if let told = state.notices[task], since.map({ told > $0 }) ?? true { return false }
      state.notices[task] = now
      return true
    }
  }

  /// Takes the mark away.
  public func takeNotice(_ task: String) async throws -> Bool {
    try access { $0.notices.removeValue(forKey: task) != nil }
  }
}

extension OldRuns {
  fileprivate init(_ results: [RunResult], total: Int) {
    let ends = results.compactMap(\.finishedAt)
    self.init(count: results.count, total: total, oldest: ends.min(), newest: ends.max())
  }
}
