import Foundation
import Testing
import UpkeepCore
import UpkeepTestKit

/// `upkeep serve` with a file that changes under it.
@Suite(.timeLimit(.minutes(10))) struct ServeReloadTests {
  /// Odd, so that it is written as it is read.
  private static func duration(_ number: Int) -> String { "\(2 * number + 1)ms" }

  private static func yaml(_ number: Int, fail: Bool = false, host: String = "", port: Int = 0) -> String {
    """
    # version \(number), ☃
    host: { listen: "127.0.0.1:\(port)", log: { format: json }\(host) }
    tasks:
      nap: { plugin: noop, interval: 1s, settings: { duration: \(duration(number)), fail: \(fail) } }

    """
  }

  /// Ways in which a file can be wrong.
  private static func broken(_ number: Int) -> String {
    [
      "tasks:\n  nap: { plugin: noop, interval: \(number) }\n", "tasks: [\n# \(number)", "# nothing \(number)\n",
      "tasks: { nap: { plugin: nop\(number) } }", yaml(number) + "groups: { all: [nap, nap] }\n",
    ][number % 5]
  }

  private static func value(_ key: String, in line: String) throws -> String? {
    let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    return try #require(object)[key] as? String
  }

  @Test func theLastGoodConfigurationIsAlwaysTheOneInForce() async throws {
    let changes = ProcessInfo.processInfo.environment["UPKEEP_SOAK"] == "1" ? 1000 : 100
    let place = try Workplace(Self.yaml(0))
    let serve = try place.start(["serve"])
    _ = try await serve.waitForError(containing: "\"serving\"")
    let random = SeededRandom(seed: 3)
    var good = 0
    var delays: [Double] = []
    for number in 1...changes {
      let isGood = random.next() % 2 == 0
      try place.change("upkeep.yaml", to: isGood ? Self.yaml(number) : Self.broken(number), way: Int(random.next() % 3))
      guard isGood else {
        _ = try await serve.waitForError(containing: "the configuration isn't valid; the last good one stays in force")
        continue
      }
      let line = try await serve.waitForError(containing: "changed: ")
      let time = try #require(try Self.value("time", in: line))
      let inForce = try #require(Timestamp(text: time))
      delays.append((inForce - (try place.changed("upkeep.yaml"))).inSeconds)
      #expect(try Self.value("task", in: line) == "nap" && Self.value("key", in: line) == "settings.duration")
      // What was in force before is the last good one, whatever came in between.
      #expect(try Self.value("old", in: line) == Self.duration(good), "change \(number)")
      #expect(try Self.value("new", in: line) == Self.duration(number), "change \(number)")
      good = number
      guard number % 10 == 0 else { continue }
      // The first of these may have begun before.
      for _ in 1...2 { _ = try await serve.waitForError(containing: "\"completed\"") }
      #expect(try await place.recordedRuns().last { $0.status == "completed" }?.duration == Self.duration(number))
    }
    #expect(good > 0)
    // The middle one counts: the machine may have had something else to do at one or the other.
    let middle = delays.sorted()[delays.count / 2]
    #expect(middle < 2, "\(delays.map { ($0 * 1000).rounded() / 1000 }) s")
    serve.signal(SIGTERM)
    #expect(await serve.outcome().status == 0)
  }

  @Test func aSignalHasTheFileReadAgain() async throws {
    let place = try Workplace(Self.yaml(1))
    let serve = try place.start(["serve"])
    _ = try await serve.waitForError(containing: "\"serving\"")
    serve.signal(SIGHUP)
    _ = try await serve.waitForError(containing: "the configuration is unchanged")
    try place.change("upkeep.yaml", to: Self.yaml(2, host: ", max_concurrent_runs: 2", port: 9999), way: 1)
    let line = try await serve.waitForError(containing: "need a restart")
    #expect(try Self.value("message", in: line) == "these keys need a restart: host.listen")
    serve.signal(SIGTERM)
    #expect(await serve.outcome().status == 0)
  }

  @Test func tellsOfScheduledRunsThatFailAndWorkAgain() async throws {
    let host = ", on_failure: { command: [sh, -c, 'echo \"$UPKEEP_EVENT $UPKEEP_TASK $UPKEEP_STATUS\" >> told'] }"
    let place = try Workplace(Self.yaml(1, fail: true, host: host))
    let serve = try place.start(["serve"])
    for _ in 1...2 { _ = try await serve.waitForError(containing: "\"failed: task nap: it was told to fail") }
    try place.change("upkeep.yaml", to: Self.yaml(1, host: host), way: 1)
    _ = try await serve.waitForError(containing: "\"completed\"")
    serve.signal(SIGTERM)
    #expect(await serve.outcome().status == 0)
    #expect(String(decoding: try place.bytes("told"), as: UTF8.self) == "failure nap failed\nrecovery nap completed\n")
  }
}

extension Workplace {
  /// When a file was last changed, or given another place, by the system's own record.
  func changed(_ name: String) throws -> Timestamp {
    var status = stat()
    try #require(stat(path(name), &status) == 0)
    return Timestamp(microseconds: Int64(status.st_ctim.tv_sec) * 1_000_000 + Int64(status.st_ctim.tv_nsec) / 1000)
  }

  /// Changes a file: written in place, renamed over, or as a link that points elsewhere.
  func change(_ name: String, to text: String, way: Int) throws {
    switch way {
    case 0:
      let handle = try FileHandle(forWritingTo: folder.appending(path: name))
      try handle.truncate(atOffset: 0)
      // In two parts, as a writer may do it that is slow.
      let bytes = Data(text.utf8)
      try handle.write(contentsOf: bytes.prefix(bytes.count / 2))
      try handle.write(contentsOf: bytes.dropFirst(bytes.count / 2))
      try handle.close()
    case 1:
      try write(text, to: "next")
      try #require(rename(path("next"), path(name)) == 0)
    default:
      let version = "\(UUID().uuidString).yaml"
      try write(text, to: version)
      try #require(symlink(version, path("link")) == 0)
      try #require(rename(path("link"), path(name)) == 0)
    }
  }
}
