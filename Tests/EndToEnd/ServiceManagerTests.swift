import Foundation
import Testing

/// What `upkeep serve` tells systemd, through a real socket.
@Suite(.timeLimit(.minutes(2))) struct ServiceManagerTests {
  private static let yaml = """
    host: { listen: "127.0.0.1:0" }
    tasks: { nap: { plugin: noop, run_on_start: true, settings: { duration: 1h } } }

    """

  private static func monotonic() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
  }

  @Test func tellsHowItStands() async throws {
    let place = try Workplace(Self.yaml)
    let socket = try NotifySocket(place.path("notify"))
    defer { socket.end() }
    let serve = try place.start(
      ["serve"], environment: ["NOTIFY_SOCKET": place.path("notify"), "WATCHDOG_USEC": "1500000"])
    #expect(try await socket.wait(for: "READY=1") == ["READY=1", "STATUS=1 run works, 0 wait"])
    // The loop feeds it with nothing to do.
    for _ in 1...2 { _ = try await socket.wait(for: "WATCHDOG=1") }

    let before = Self.monotonic()
    serve.signal(SIGHUP)
    let reloading = try await socket.wait(for: "RELOADING=1")
    let word = try #require(reloading.first { $0.hasPrefix("MONOTONIC_USEC=") })
    let instant = try #require(UInt64(word.dropFirst(15)))
    #expect(before <= instant && instant <= Self.monotonic())
    #expect(try await socket.wait(for: "READY=1") == ["READY=1", "STATUS=1 run works, 0 wait"])

    try place.change("upkeep.yaml", to: "tasks: [", way: 1)
    _ = try await socket.wait(for: "RELOADING=1")
    let status = "STATUS=1 run works, 0 wait; the changed configuration isn't valid, see the log"
    #expect(try await socket.wait(for: "READY=1") == ["READY=1", status])
    try place.change("upkeep.yaml", to: Self.yaml, way: 1)
    _ = try await socket.wait(for: "RELOADING=1")
    #expect(try await socket.wait(for: "READY=1").last == "STATUS=1 run works, 0 wait")

    serve.signal(SIGTERM)
    let stopping = try await socket.wait(for: "STOPPING=1")
    // The drain timeout, the time that a task has to end once it is told to, and five seconds.
    #expect(stopping == ["STOPPING=1", "EXTEND_TIMEOUT_USEC=40000000", "STATUS=Waiting for running tasks"])
    _ = try await socket.wait(for: "WATCHDOG=1")
    _ = try await serve.waitForError(containing: "stopping")
    #expect(try await place.run("list").output.contains("running now"))
    serve.signal(SIGTERM)
    #expect(await serve.outcome().status == 1)
  }
}
