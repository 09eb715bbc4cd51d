import Foundation
import Logging
import Testing
import UpkeepCore
import UpkeepRuns

@testable import UpkeepHost

/// A server in this process, and runs of other processes on its state store.
@Suite(.timeLimit(.minutes(2))) struct ServerTests {
  private static let yaml = """
    host: { listen: "127.0.0.1:0", drain_timeout: 50ms }
    tasks:
      nap: { plugin: noop, interval: 1h, settings: { duration: 1h } }
      blink: { plugin: noop }

    """

  private func serving(_ body: (LiveDesk, Server) async throws -> Void) async throws -> Server.End {
    let desk = try LiveDesk(Self.yaml)
    let server = try Server(try desk.host(), logger: desk.logger, notifier: ServiceNotifier(environment: [:]))
    let working = Task { try await server.run() }
    // It answers once its store is open.
    while try await server.store.servingNow() == nil { await Task.yield() }
    do {
      try await body(desk, server)
    } catch {
      await server.stop(because: "the test failed")
      throw error
    }
    await server.stop(because: "the test is over")
    return try await working.value
  }

  @Test func showsAndCancelsARunThatTheCommandLineStarted() async throws {
    let end = try await serving { desk, server in
      let host = try desk.host()
      let store = try host.openStore()
      let task = try #require(try host.targets(["nap"]).first?.tasks.first)
      let (started, send) = AsyncStream.makeStream(of: String.self)
      let running = Task {
        await host.run(RunRequest(task: task), store) { event in
          if case .started(let result) = event { send.yield(result.runID) }
        }
      }
      var ids = started.makeAsyncIterator()
      let id = try #require(await ids.next())
      let status = try #require(try await server.task("nap"))
      #expect(status.running == [id] && status.waiting == [])
      #expect(status.nextRunAt != nil && status.isEnabled)
      #expect(try await server.runs.cancel(id, by: "ann"))
      let result = await running.value
      #expect(result.status == .cancelled && result.reason == "cancelled by ann")
      #expect(try await server.task("nap")?.lastRun?.runID == id)
      #expect(try await !server.runs.cancel(id, by: "ann"))
    }
    #expect(end == .drained)
  }

  @Test func theCommandLineSeesAndCancelsARunThatServeStarted() async throws {
    let end = try await serving { desk, server in
      let started = try await server.runs.start(StartRequest(task: "nap"))
      var events = started.events.makeAsyncIterator()
      while let event = await events.next() {
        if case .started = event { break }
      }
      let store = try desk.host().openStore()
      let id = started.record.result.runID
      #expect(try await store.holders().map(\.runID) == [id])
      #expect(try await store.requestCancel(id, by: "ann"))
      var last: RunResult?
      while let event = await events.next() { last = event.result }
      #expect(last?.status == .cancelled && last?.reason == "cancelled by ann")
    }
    #expect(end == .drained)
  }

  @Test func saysWhatItIsAskedForInVain() async throws {
    let end = try await serving { _, server in
      await #expect(throws: StartRefusal.unknownTask("nop")) {
        try await server.runs.start(StartRequest(task: "nop"))
      }
      let (unknown, all) = (try await server.task("nop"), try await server.tasks())
      #expect(unknown == nil)
      #expect(all.map(\.name) == ["nap", "blink"])
    }
    #expect(end == .drained)
  }

  @Test func aPausedTaskComesNextBehindItsPauseEverywhere() async throws {
    let end = try await serving { desk, server in
      let host = try desk.host()
      let before = try #require(try await server.task("nap")?.nextRunAt)
      func next() async throws -> [Timestamp?] {
        let upcoming = await server.upcoming("nap", until: before + .seconds(86_400), limit: 1)
        return [
          try await server.task("nap")?.nextRunAt, try await host.tasks(server.store).first?.nextRun, upcoming.first,
        ]
      }
      #expect(try await next() == [before, before, before])
      var pause = TaskPause(
        task: "nap", until: before + .seconds(5400), reason: "", by: "ann", since: host.wallClock.now())
      try await server.store.pause(pause)
      let after = before + .seconds(7200)
      #expect(try await next() == [after, after, after])
      pause.until = nil
      try await server.store.pause(pause)
      #expect(try await next() == [nil, nil, nil])
    }
    #expect(end == .drained)
  }

  /// The two ways of the API, without waiting for the next look at the store.
  @Test func aPauseOfTheAPIIsLoggedAtOnce() async throws {
    let end = try await serving { desk, server in
      try await server.pause(
        TaskPause(
          task: "blink", until: nil, reason: "a migration", by: "the API", since: server.live.host.wallClock.now()))
      while !desk.log.all.contains("info: paused by the API: a migration") { await Task.yield() }
      #expect(try await server.pauses().map(\.task) == ["blink"])
      #expect(try await server.resume("blink"))
      while !desk.log.all.contains("info: resumed") { await Task.yield() }
      #expect(try await !server.resume("blink"))
    }
    #expect(end == .drained)
  }

  @Test func aTaskAddedToTheFileIsServed() async throws {
    let end = try await serving { desk, server in
      var reloads = await server.live.reloads().makeAsyncIterator()
      try desk.renameOver(Self.yaml + "  late: { plugin: noop, interval: 2h }\n")
      _ = await reloads.next()
      #expect(try await server.tasks().map(\.name) == ["nap", "blink", "late"])
      let started = try await server.runs.start(StartRequest(task: "late"))
      var last: RunResult?
      for await event in started.events { last = event.result }
      #expect(last?.status == .completed)
    }
    #expect(end == .drained)
  }
}
