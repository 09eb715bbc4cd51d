import Synchronization
import UpkeepCore
import UpkeepRuns

/// What happens, as server-sent events.
struct EventRoutes {
  let parts: SiteParts

  init(_ parts: SiteParts) {
    self.parts = parts
  }

  private static let lastID = Parameter(
    "Last-Event-ID", .text(), "The last event that the listener has; the stream takes up behind it", place: "header")
  private static let answers = [RouteAnswer(200, "Events of the types run, progress, log and end", .events)]

  var routes: [Route] {
    [
      Route(
        "GET", "/api/v1/runs/{run}/events", "What becomes of a run, from its start to its end", [Self.lastID],
        answers: Self.answers + [RouteAnswer(204, "The listener has all of it", .nothing)], problems: [409]
      ) { try await follow($0) },
      Route(
        "GET", "/api/v1/events", "All that happens from now on: runs and reloads of the configuration", [Self.lastID],
        answers: Self.answers
      ) { [parts] request in
        try Self.answer(parts.events.listen(to: nil, after: request.request.headers["last-event-id"]))
      },
    ]
  }

  private func follow(_ request: RoutedRequest) async throws -> WebResponse {
    let runID = try await parts.runID(request.value("run"))
    let last = request.request.headers["last-event-id"]
    // The record is looked at before the log: a run that ends in between is in both.
    guard let record = try await parts.runs.record(runID) else { return try await followGroup(runID, after: last) }
    let result = record.result
    if let last, parts.events.isLast(last, of: runID) { return WebResponse(status: 204) }
    if parts.events.knows(runID) {
      return try Self.answer(parts.events.listen(to: runID, after: last, first: result))
    }
    if result.status.isFinal, last == RecordedRun.id(of: result) { return WebResponse(status: 204) }
    let recorded = RecordedRun(result, has: last, runs: parts.runs, clock: parts.clock)
    return try Self.answer(EventListener { await recorded.next() })
  }

  /// A group's run: its own beginning and end, and the events of its members.
  private func followGroup(_ runID: String, after last: String?) async throws -> WebResponse {
    guard let group = try await parts.groups.document(runID) else { throw SiteParts.unknownRun(runID) }
    if let last, parts.events.isLast(last, of: runID) { return WebResponse(status: 204) }
    if parts.events.knows(runID) { return try Self.answer(parts.events.listen(to: runID, after: last)) }
    let recorded = RecordedGroup(group, has: last, groups: parts.groups, clock: parts.clock)
    if group.status.isFinal, last == RecordedGroup.id(of: group) { return WebResponse(status: 204) }
    return try Self.answer(EventListener { await recorded.next() })
  }

  private static func answer(_ listener: EventListener?) throws(Problem) -> WebResponse {
    guard let listener else {
      throw Problem(
        503, "too_many_listeners",
        "\(EventLog.mostListeners) listeners are here already; close some, or ask again later")
    }
    return WebResponse(
      status: 200, headers: [("Content-Type", "text/event-stream"), ("X-Accel-Buffering", "no")], events: listener)
  }
}

/// A run that this process hears nothing of, since another one runs it, or it is long over: its events are made of its
/// record, which is looked at once a second.
actor RecordedRun {
  private static let lookInterval = Duration.seconds(1)
  /// After so many looks without news a comment says that the stream lives.
  private static let looksWithoutNews = 15

  private var result: RunResult
  private var told: String?
  private var hasBegun = false
  private let runs: any RunStore
  private let clock: any Clock<Duration>

  /// Follows a run.
  init(_ result: RunResult, has last: String?, runs: any RunStore, clock: any Clock<Duration>) {
    self.result = result
    self.runs = runs
    self.clock = clock
    told = last.flatMap { $0.hasPrefix(result.runID) ? $0 : nil }
  }

  /// The id of the event that says how a record stands: another one for each change of it.
  static func id(of result: RunResult) -> String { id(result.runID, result) }

  static func id(_ runID: String, _ document: any Encodable) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in EventLog.bytes("", "", document) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return "\(runID)-\(String(hash, radix: 36))"
  }

  /// The next piece; nothing after the run's end.
  func next() async -> [UInt8]? {
    for look in 0... {
      let id = Self.id(of: result)
      if told != id {
        guard hasBegun || result.status.isFinal == false || told != nil else {
          // One that is over begins with how it began, as far as that is known.
          hasBegun = true
          return EventLog.bytes("run", "\(result.runID)-start", result)
        }
        let kind = result.status.isFinal ? "end" : hasBegun ? "progress" : "run"
        (told, hasBegun) = (id, true)
        return kind == "progress"
          ? EventLog.bytes(kind, id, ProgressNote(result)) : EventLog.bytes(kind, id, result)
      }
      if result.status.isFinal { return nil }
      if look == Self.looksWithoutNews { return Array(":\n\n".utf8) }
      guard (try? await clock.sleep(for: Self.lookInterval)) != nil, let record = try? await runs.record(result.runID)
      else { return nil }
      result = record.result
    }
    return nil
  }
}
