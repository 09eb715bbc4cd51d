import Foundation
import Testing
import UpkeepCore
import UpkeepDemo

/// The program on an upload folder: its guard, its record of where the folder lies, and what a kill leaves.
@Suite struct TusGuardTests {
  private static func yaml(_ keys: String = "") -> String {
    """
    version: 1
    tasks:
      tus_expiry:
    \(keys.isEmpty ? "" : "    \(keys)\n")    settings: { folder: uploads, time_zone: UTC, orphan_data: keep }
    """
  }

  private func place(_ keys: String = "") throws -> Workplace {
    let place = try Workplace(Self.yaml(keys))
    try UploadSample.make(at: place.path("uploads"), now: SystemWallClock().now())
    return place
  }

  private static let servers = 4

  @Test func hasNoGuardUnlessOneIsSet() async throws {
    let free = try await place().run("run", "tus_expiry", "--json").json()
    #expect(free["status"] as? String == "completed")
    #expect(free["guard"] is NSNull)
    let counts = try #require(free["counts"] as? [String: Int])
    #expect(counts["uploads_removed"] == UploadSample.expired * Self.servers)
    #expect(counts["orphans_removed"] == Self.servers)
    let guarded = try place("guard: { max_percent: 50, min_rows: 10 }")
    let refused = try await guarded.run("run", "tus_expiry", "--json")
    #expect(refused.status == 2)
    let verdict = try #require(try refused.json()["guard"] as? [String: Any])
    let tables = try #require(verdict["tables"] as? [[String: Any]])
    #expect(tables.first?["table"] as? String == "uploads")
    #expect(tables.first?["doomed"] as? Int == (UploadSample.expired + 1) * Self.servers)
    #expect(tables.first?["total"] as? Int == (UploadSample.expired + 17) * Self.servers)
    #expect(try await guarded.run("run", "tus_expiry", "--override-guard").status == 0)
  }

  @Test func previewsAndRunsAndFindsNothingThen() async throws {
    let place = try place()
    let preview = try await place.run("preview", "tus_expiry", "--json").json()
    let run = try await place.run("run", "tus_expiry", "--json").json()
    let counts = try #require(run["counts"] as? [String: Int])
    #expect(preview["counts"] as? [String: Int] == counts)
    #expect(
      Set(counts.keys) == [
        "uploads_removed", "bytes_freed", "orphans_removed", "kept_active", "kept_complete", "kept_unexpired",
        "foreign", "unreadable",
      ])
    let again = try await place.run("run", "tus_expiry", "--json").json()
    let left = try #require(again["counts"] as? [String: Int])
    #expect(left["uploads_removed"] == 0 && left["orphans_removed"] == 0 && left["bytes_freed"] == 0)
    for name in ["kept_active", "kept_complete", "kept_unexpired", "foreign", "unreadable"] {
      #expect(left[name] == counts[name], "\(name)")
    }
    let stats = try await place.run("stats", "tus_expiry", "--json").json()
    let items = try #require(stats["items"] as? [[String: Any]])
    #expect(items.map { $0["name"] as? String } == ["tuspyserver", "tusd", "node", "rustus"])
    #expect(items.allSatisfy { $0["count"] as? Int == 16 })
  }

  @Test func refusesExceptionsSinceFilesAreNoRows() async throws {
    let outcome = try await place("except: [{ table: uploads, keys: [1] }]").run("run", "tus_expiry")
    #expect(outcome.status == 1)
    #expect(outcome.output.contains("except names rows of tables, but uploads are files; remove except"))
  }

  /// Killed at whatever moment, it leaves no data without its sidecar, and the next run finishes.
  @Test func leavesNothingThatTheNextRunDoesNotKnow() async throws {
    var killed = 0
    for round in 1...6 {
      let place = try Workplace(Self.yaml())
      let folder = place.path("uploads")
      try FileManager.default.createDirectory(atPath: folder + "/.locks", withIntermediateDirectories: true)
      for number in 0..<3000 { try Self.addExpired("\(folder)/u\(number)") }
      let program = try place.start(["run", "tus_expiry", "--quiet"])
      // The order in which they go is the file system's: this one comes at some time in the middle.
      Self.kill(program.pid, whenGone: "\(folder)/u\(round)")
      if await program.outcome().status == 128 + SIGKILL { killed += 1 }
      let left = Set(try FileManager.default.contentsOfDirectory(atPath: folder))
      let data = left.filter { $0.hasPrefix("u") && !$0.hasSuffix(".info") }
      #expect(data.allSatisfy { left.contains($0 + ".info") })
      let rest = try await place.run("run", "tus_expiry", "--json")
      #expect(rest.status == 0, "\(rest.output)\(rest.errors)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [".locks"])
      // The lock that it held then may be left, and nothing else.
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/.locks").count <= 1)
    }
    #expect(killed > 0)
  }

  private static func addExpired(_ path: String) throws {
    let sidecar = """
      {"size": 100, "offset": 1, "metadata": {}, "created_at": "2026-01-01 10:00:00", "expires": null, \
      "is_partial": false}
      """
    for (path, text) in [(path, "x"), (path + ".info", sidecar)] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 1_767_000_000)], ofItemAtPath: path)
    }
  }

  /// Kills a process in the moment in which a file is gone, watching from a thread that does nothing else.
  private static func kill(_ process: Int32, whenGone path: String) {
    Thread.detachNewThread {
      var status = stat()
      while lstat(path, &status) == 0 { if Foundation.kill(process, 0) != 0 { return } }
      Foundation.kill(process, SIGKILL)
    }
  }
}
