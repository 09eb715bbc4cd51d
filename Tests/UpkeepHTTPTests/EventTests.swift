import Foundation
import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepTestKit

@testable import UpkeepHTTP

/// What listeners get.
@Suite struct EventTests {
  private let host = FakeHost()
  private let log: EventLog

  init() {
    log = EventLog(wallClock: host.wallClock, random: host.random)
  }

  /// An event as a listener reads it.
  struct Event: Equatable {
    var id: String
    var kind: String
    var data: [String: JSONValue]
  }

  static func event(_ bytes: [UInt8]) -> Event {
    var event = Event(id: "", kind: "", data: [:])
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let value = String(line.drop { $0 != " " }.dropFirst())
      if line.hasPrefix("id:") { event.id = value }
      if line.hasPrefix("event:") { event.kind = value }
      if line.hasPrefix("data:"),
        case .object(let data)? = try? JSONDecoder().decode(JSONValue.self, from: Data(value.utf8))
      {
        event.data = data
      }
    }
    return event
  }

  private func all(_ listener: EventListener) async -> [Event] {
    var events: [Event] = []
    for await chunk in listener.chunks { events.append(Self.event(chunk)) }
    return events
  }

  /// A run that is begun, does something, warns and ends.
  private func tell(_ task: String, steps: Int = 2) -> RunResult {
    var result = host.result(task, .running)
    log.record(.started(result))
    for step in 0..<steps {
      result.counts["rows"] = step
      result.progress = RunProgress(percent: Double(step), message: "step \(step)")
      if step == 1 { result.warnings.append("look out") }
      log.record(.progress(result))
    }
    result.errors.append(RunError(step: "s", code: "c", message: "broken"))
    result.status = .completedWithErrors
    log.record(.finished(result))
    return result
  }

  @Test func aRunIsReplayedFromItsStartToItsEnd() async throws {
    let result = tell("heartbeat")
    _ = tell("odds_retention")
    let listener = try #require(log.listen(to: result.runID, after: nil, first: result))
    let events = await all(listener)
    #expect(events.map(\.kind) == ["run", "progress", "log", "progress", "log", "end"])
    #expect(events[2].data["message"] == "look out" && events[2].data["level"] == "warning")
    #expect(events[3].data["percent"] == .integer(1))
    #expect(events[4].data["message"] == "s: broken")
    #expect(events[5].data["status"] == "completed_with_errors")
    #expect(Set(events.map(\.id)).count == 6)
    #expect(log.listenerCount == 0)
  }

  private func group(_ id: String, _ status: RunStatus, _ results: [RunResult]) -> GroupResult {
    GroupResult(
      runID: id, group: "all", status: status, startedAt: host.wallClock.now(), finishedAt: nil, results: results)
  }

  @Test func aGroupTellsOfItsMembersAndEndsBehindThem() async throws {
    let id = RunID.make(at: host.wallClock.now(), random: host.random)
    log.record(group(id, .running, []))
    let listener = try #require(log.listen(to: id, after: nil))
    // The first member was told of before anybody knew that it is one; the second is known before its events come.
    let first = tell("heartbeat", steps: 0)
    log.join(first.runID, to: id)
    var second = host.result("odds_retention", .running)
    log.join(second.runID, to: id)
    log.record(.started(second))
    second.status = .completed
    log.record(group(id, .completed, [first, second]))
    _ = tell("heartbeat")
    log.record(.finished(second))
    let events = await all(listener)
    #expect(events.map(\.kind) == ["run", "run", "log", "end", "run", "end", "end"])
    #expect(
      events.map { $0.data["task"] ?? $0.data["group"] } == [
        "all", "heartbeat", "heartbeat", "heartbeat", "odds_retention", "odds_retention", "all",
      ])
    #expect(Set(events.map(\.id)).count == events.count && log.listenerCount == 0)
    for (index, event) in events.enumerated().dropLast() {
      let rest = await all(try #require(log.listen(to: id, after: event.id)))
      #expect(rest == Array(events[(index + 1)...]), "from \(index)")
    }
    #expect(log.isLast(try #require(events.last).id, of: id) && !log.isLast(events[3].id, of: id))
  }

  @Test func aListenerTakesUpWhereItWasCutOff() async throws {
    let result = tell("heartbeat")
    let events = await all(try #require(log.listen(to: result.runID, after: nil)))
    for (index, event) in events.enumerated().dropLast() {
      let rest = await all(try #require(log.listen(to: result.runID, after: event.id, first: result)))
      #expect(rest == Array(events[(index + 1)...]))
    }
    #expect(log.isLast(events[5].id, of: result.runID))
    #expect(!log.isLast(events[4].id, of: result.runID))
    #expect(!log.isLast(events[5].id, of: "another"))
    // What another process said is nothing that is known here.
    let foreign = await all(try #require(log.listen(to: result.runID, after: "01A-3")))
    #expect(foreign == events)
  }

  @Test func everybodyHearsEverythingOnceAndInOrder() async throws {
    let listeners = try (0..<50).map { _ in try #require(log.listen(to: nil, after: nil)) }
    #expect(log.listenerCount == 50)
    let heard = await withTaskGroup(of: [Event].self) { group in
      for listener in listeners { group.addTask { await self.all(listener) } }
      group.addTask {
        for _ in 0..<20 { _ = tell("heartbeat", steps: 10) }
        log.record(.applied(await host.configurationStatus(), changes: [], warnings: []))
        log.end()
        return []
      }
      return await group.reduce(into: []) { $0.append($1) }
    }.filter { !$0.isEmpty }
    #expect(heard.count == 50)
    #expect(Set(heard.map { $0.map(\.id) }).count == 1)
    let numbers = heard[0].compactMap { Int($0.id.split(separator: "-")[1]) }
    #expect(numbers == Array(1...(20 * 14 + 1)))
    #expect(heard[0].last?.data["message"] == "another configuration is in force")
    #expect(log.listenerCount == 0)
  }

  @Test func whoDoesNotReadIsDroppedAndHoldsNothingUp() async throws {
    let (drops, drop) = AsyncStream.makeStream(of: Void.self)
    let sleeper = try #require(log.listen(to: nil, after: nil))
    sleeper.whenDropped { drop.yield() }
    for _ in 0..<(EventLog.patience / 4 + 1) { _ = tell("heartbeat", steps: 1) }
    for await _ in drops { break }
    #expect(log.listenerCount == 0)
    let reader = try #require(log.listen(to: nil, after: nil))
    _ = tell("heartbeat")
    log.end()
    #expect(await all(reader).count == 6)
  }

  @Test func theNumberOfListenersIsBounded() throws {
    let listeners = (0..<EventLog.mostListeners).compactMap { _ in log.listen(to: nil, after: nil) }
    #expect(listeners.count == EventLog.mostListeners)
    #expect(log.listen(to: nil, after: nil) == nil)
    listeners[0].end()
    #expect(log.listen(to: nil, after: nil) != nil)
  }

  @Test func whatIsKeptIsBoundedAndAStreamStillHasABeginning() async throws {
    var big = host.result("heartbeat", .running)
    log.record(.started(big))
    big.counts = Dictionary((0..<2000).map { ("count \($0)", $0) }) { first, _ in first }
    for _ in 0..<200 { log.record(.progress(big)) }
    let listener = try #require(log.listen(to: big.runID, after: nil, first: big))
    big.status = .completed
    log.record(.finished(big))
    let events = await all(listener)
    #expect(events.first?.kind == "run" && events.last?.kind == "end")
    #expect(events.count < 120)
  }

  @Test func theRouteStreamsARecordedRunAndSaysWhenThereIsNoMore() async throws {
    let site = host.site()
    let result = host.result("heartbeat", .completed)
    try await host.store.save(RunRecord(result: result, owner: nil, createdAt: host.wallClock.now()))
    let answer = try await site.ask("GET", "/api/v1/runs/\(result.runID)/events")
    let events = await all(try #require(answer.response.events))
    #expect(events.map(\.kind) == ["run", "end"])
    let again = try await site.ask(
      "GET", "/api/v1/runs/\(result.runID)/events", headers: ["last-event-id": events[1].id])
    #expect(again.status == 204)
    #expect(try await site.ask("GET", "/api/v1/runs/01M7XY2W6P2NBJ71JT0T71F6M4/events").code == "unknown_run")
  }

  @Test func aRunOfAnotherProcessIsLookedAt() async throws {
    var result = host.result("heartbeat", .running)
    try await host.store.save(RunRecord(result: result, owner: nil, createdAt: host.wallClock.now()))
    let answer = try await host.site().ask("GET", "/api/v1/runs/\(result.runID)/events")
    var chunks = try #require(answer.response.events).chunks.makeAsyncIterator()
    #expect(Self.event(try #require(await chunks.next())).kind == "run")
    async let second = chunks.next()
    await host.clock.untilSomebodySleeps(for: .seconds(1))
    result.counts["rows"] = 7
    try await host.store.save(RunRecord(result: result, owner: nil, createdAt: host.wallClock.now()))
    host.clock.advance(by: .seconds(1))
    let progress = Self.event(try #require(await second))
    #expect(progress.kind == "progress" && progress.data["counts"] == .object(["rows": .integer(7)]))
    async let third = chunks.next()
    await host.clock.untilSomebodySleeps(for: .seconds(1))
    result.status = .completed
    try await host.store.save(RunRecord(result: result, owner: nil, createdAt: host.wallClock.now()))
    host.clock.advance(by: .seconds(1))
    #expect(Self.event(try #require(await third)).kind == "end")
    #expect(await chunks.next() == nil)
  }
}
