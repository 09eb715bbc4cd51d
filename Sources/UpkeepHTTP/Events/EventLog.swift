import Foundation
import Synchronization
public import UpkeepCore
public import UpkeepRuns

/// What happened lately, as events that listeners get: kept so that they can take up where they were cut off.
///
/// Each event has one number and is written out once, however many listen. What is kept is bounded, and so is what waits
/// for a listener: one that doesn't read is dropped.
public final class EventLog: Sendable {
  /// An event, ready to be sent.
  struct Entry: Sendable {
    let number: Int
    /// The run that it is about; nothing for one about the configuration.
    let runID: String?
    /// `run`, `progress`, `log` or `end`.
    let kind: String
    let bytes: [UInt8]
  }

  /// So many bytes of events are kept.
  static let capacity = 2 << 20
  /// So many events may wait for a listener.
  static let patience = 1000
  /// So many may listen at a time: connections must be left for others.
  static let mostListeners = 200

  fileprivate struct State {
    var entries: [Entry] = []
    var bytes = 0
    var next = 1
    /// What was last told of each run that goes on.
    var live: [String: RunResult] = [:]
    /// The group of each run that is a member of one.
    var groups: [String: String] = [:]
    /// The members whose end is told.
    var over: Set<String> = []
    /// The ends of groups that wait for those of their members to be told.
    var ends: [String: GroupResult] = [:]
    var listeners: [Int: (runID: String?, listener: EventListener)] = [:]
    var nextListener = 0
  }

  /// Tells the events of this process from those of another.
  private let epoch: String
  private let state = Mutex(State())
  /// Somebody has begun to listen; who waits for that hears of it once, however many came meanwhile.
  let arrivals: AsyncStream<Void>
  private let arrival: AsyncStream<Void>.Continuation

  /// Creates an empty log.
  public init(wallClock: any WallClock, random: any RandomSource) {
    (arrivals, arrival) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    epoch = RunID.make(at: wallClock.now(), random: random)
  }

  /// Notes what is told, until both feeds end.
  public func follow(_ runs: AsyncStream<RunEvent>, _ reloads: AsyncStream<ReloadOutcome>) async {
    await withTaskGroup { group in
      group.addTask { for await event in runs { self.record(event) } }
      group.addTask { for await outcome in reloads { self.record(outcome) } }
    }
    end()
  }

  /// Notes an event of a run.
  func record(_ event: RunEvent) {
    let result = event.result
    publish { state, add in
      let earlier = state.live[result.runID]
      state.live[result.runID] = result.status.isFinal ? nil : result
      for warning in result.warnings.dropFirst(earlier?.warnings.count ?? 0) {
        add(result.runID, "log", LogNote(result, "warning", warning))
      }
      for error in result.errors.dropFirst(earlier?.errors.count ?? 0) {
        add(result.runID, "log", LogNote(result, "error", "\(error.step): \(error.message)"))
      }
      switch event {
      case .queued(_, let holders):
        add(result.runID, "run", result)
        if !holders.isEmpty {
          let names = holders.map { "\($0.task) (\($0.runID))" }.joined(separator: ", ")
          add(result.runID, "log", LogNote(result, "info", "waits for \(names)"))
        }
      case .started: add(result.runID, "run", result)
      case .forecast(_, let forecast):
        let rows = forecast.deleted
        add(result.runID, "log", LogNote(result, "info", "a preview found \(rows) rows to delete"))
      case .progress: add(result.runID, "progress", ProgressNote(result))
      case .finished:
        add(result.runID, "end", result)
        if let group = state.groups[result.runID] {
          state.over.insert(result.runID)
          state.endGroup(group, add)
        }
      case .released: add(result.runID, "log", LogNote(result, "info", "its work has ended at last"))
      }
    }
  }

  /// Notes that a group's run begins or is over. Its end is told behind those of its members, which come on another way.
  func record(_ group: GroupResult) {
    publish { state, add in
      guard group.status.isFinal else { return add(group.runID, "run", group) }
      state.ends[group.runID] = group
      state.endGroup(group.runID, add)
    }
  }

  /// Makes a run a member of a group's: who listens to the group hears of it, from its beginning.
  func join(_ runID: String, to group: String) {
    let dropped = state.withLock { state -> [EventListener] in
      state.groups[runID] = group
      if state.entries.contains(where: { $0.runID == runID && $0.kind == "end" }) { state.over.insert(runID) }
      return state.send(state.entries.filter { $0.runID == runID }) { $0 == group }.dropped
    }
    for listener in dropped { listener.drop() }
  }

  /// Notes what became of a load of the configuration.
  func record(_ outcome: ReloadOutcome) {
    publish { _, add in
      switch outcome {
      case .applied(_, let changes, _):
        let text = changes.map(\.text).joined(separator: "; ")
        add(nil, "log", LogNote(nil, "info", "another configuration is in force\(text.isEmpty ? "" : ": \(text)")"))
      case .refused(let status, _):
        let text = status.problems.map(\.message).joined(separator: "; ")
        add(
          nil, "log", LogNote(nil, "error", "the configuration isn't valid, the last good one stays in force: \(text)"))
      case .unchanged: break
      }
    }
  }

  /// Listens to the events of one run, or of all.
  ///
  /// - Parameters:
  ///   - runID: The run; nothing means everything.
  ///   - id: The last event that the listener has; with nothing one of a run starts at its beginning, and one of
  ///     everything now. An id that isn't known any more starts at what is still kept.
  ///   - first: What a listener of a run gets where the run's beginning isn't kept any more.
  /// - Returns: Nothing where too many listen, or where nothing comes any more.
  func listen(to runID: String?, after id: String?, first: RunResult? = nil) -> EventListener? {
    let listener = EventListener()
    let isListening = state.withLock { state -> Bool in
      guard state.listeners.count < Self.mostListeners else { return false }
      var past: ArraySlice<Entry> = []
      if runID != nil || id != nil {
        let number = id.flatMap { self.number(of: $0) } ?? 0
        past = state.entries[...].drop { $0.number <= number }
        if let runID { past = past.filter { state.concerns($0, runID) }[...] }
        if let first, number == 0, past.first?.kind != "run" {
          listener.send(Self.bytes("run", "\(first.runID)-\(first.status.rawValue)", first))
        }
      }
      for entry in past { listener.send(entry.bytes) }
      // Of a run that is over nothing more comes.
      if past.last?.kind == "end", runID != nil, past.last?.runID == runID {
        listener.end()
        return true
      }
      state.nextListener += 1
      state.listeners[state.nextListener] = (runID, listener)
      let key = state.nextListener
      listener.whenGone { [weak self] in self?.forget(key) }
      return true
    }
    if isListening { arrival.yield() }
    return isListening ? listener : nil
  }

  /// Whether a listener that has this event has all of its run.
  func isLast(_ id: String, of runID: String) -> Bool {
    guard let number = number(of: id) else { return false }
    return state.withLock { state in
      state.entries.contains { $0.number == number && $0.runID == runID && $0.kind == "end" }
    }
  }

  /// Whether it knows of a run.
  func knows(_ runID: String) -> Bool {
    state.withLock { state in state.live[runID] != nil || state.entries.contains { $0.runID == runID } }
  }

  /// Whether the end of a run is told, as far as that is still kept.
  func isOver(_ runID: String) -> Bool {
    state.withLock { state in state.entries.contains { $0.runID == runID && $0.kind == "end" } }
  }

  /// How many listen.
  var listenerCount: Int { state.withLock { $0.listeners.count } }

  /// Ends all streams.
  func end() {
    let listeners = state.withLock { state in
      defer { state.listeners = [:] }
      return state.listeners.values.map(\.listener)
    }
    for listener in listeners { listener.end() }
  }

  private func forget(_ key: Int) {
    state.withLock { $0.listeners[key] = nil }
  }

  fileprivate typealias Adding = (_ runID: String?, _ kind: String, _ document: any Encodable) -> Void

  private func publish(_ body: (inout State, Adding) -> Void) {
    // Streams are ended outside the lock: whoever waits for one is told at once.
    let (ending, dropped) = state.withLock { state -> ([EventListener], [EventListener]) in
      var new: [Entry] = []
      var next = state.next
      body(&state) { runID, kind, document in
        new.append(
          Entry(number: next, runID: runID, kind: kind, bytes: Self.bytes(kind, "\(epoch)-\(next)", document)))
        next += 1
      }
      state.next = next
      state.keep(new)
      return state.send(new)
    }
    for listener in ending { listener.end() }
    for listener in dropped { listener.drop() }
  }

  private func number(of id: String) -> Int? {
    let parts = id.split(separator: "-")
    return parts.count == 2 && parts[0] == epoch ? Int(parts[1]) : nil
  }

  /// An event as it goes over the wire.
  static func bytes(_ kind: String, _ id: String, _ document: any Encodable) -> [UInt8] {
    // The documents hold nothing that can't be encoded; JSON on one line has no line break.
    let data = (try? json(document)) ?? Array("{}".utf8)
    return Array("id: \(id)\nevent: \(kind)\ndata: ".utf8) + data + [10, 10]
  }

  private static func json(_ document: any Encodable) throws -> [UInt8] {
    // This one is written most.
    if let result = document as? RunResult { return try result.json }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(document))
  }
}

extension EventLog.State {
  fileprivate mutating func keep(_ new: [EventLog.Entry]) {
    entries += new
    bytes += new.reduce(0) { $0 + $1.bytes.count }
    guard bytes > EventLog.capacity else { return }
    var count = 0
    while bytes > EventLog.capacity * 3 / 4, count < entries.count {
      bytes -= entries[count].bytes.count
      count += 1
    }
    entries.removeFirst(count)
    let kept = Set(entries.compactMap(\.runID))
    groups = groups.filter { kept.contains($0.key) || live[$0.key] != nil }
    over = over.filter { groups[$0] != nil }
  }

  /// Tells of the end of a group where it has come and all its members' ends are told.
  fileprivate mutating func endGroup(_ runID: String, _ add: EventLog.Adding) {
    guard let group = ends[runID], group.results.allSatisfy({ over.contains($0.runID) }) else { return }
    ends[runID] = nil
    add(runID, "end", group)
  }

  /// Whether an event is told to whoever listens to a run, or to a group's.
  fileprivate func concerns(_ entry: EventLog.Entry, _ runID: String) -> Bool {
    entry.runID == runID || entry.runID.flatMap { groups[$0] } == runID
  }

  /// Sends events to whom they concern.
  /// - Returns: Whose run is over, and who doesn't keep up.
  fileprivate mutating func send(
    _ new: [EventLog.Entry], only isMeant: (String?) -> Bool = { _ in true }
  ) -> (ending: [EventListener], dropped: [EventListener]) {
    var (ending, dropped): ([EventListener], [EventListener]) = ([], [])
    for (key, (runID, listener)) in listeners where isMeant(runID) {
      for entry in new where runID.map({ concerns(entry, $0) }) ?? true {
        guard listener.send(entry.bytes) else {
          listeners[key] = nil
          dropped.append(listener)
          break
        }
        if runID != nil, entry.kind == "end", entry.runID == runID {
          listeners[key] = nil
          ending.append(listener)
        }
      }
    }
    return (ending, dropped)
  }
}

/// The data of a `log` event.
private struct LogNote: Encodable {
  var runID: String?
  var task: String?
  var level: String
  var message: String

  enum CodingKeys: String, CodingKey {
    case task, level, message
    case runID = "run_id"
  }

  init(_ result: RunResult?, _ level: String, _ message: String) {
    runID = result?.runID
    task = result?.task
    self.level = level
    self.message = message
  }
}
