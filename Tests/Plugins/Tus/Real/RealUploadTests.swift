import Foundation
import Testing
import UpkeepCore
import UpkeepTestKit

@testable import TusExpiryPlugin

/// Uploads of a public server by a public client: tuspyserver and tuspy, from PyPI.
@Suite struct RealUploadTests {
  private struct Resumed: Decodable {
    var name: String
    var taken: Bool
    var status: Int?
    var there: Bool?
  }

  /// How many uploads are gone on with while they are swept.
  private static let resumed = ProcessInfo.processInfo.environment["UPKEEP_SOAK"] == "1" ? 1000 : 200

  @Test func removesOnlyWhatExpiredAndNeverWhatIsGoneOnWith() async throws {
    let folder = try UploadFolder()
    let python = try PythonTools(in: folder.outside("tools"))
    let server = try python.start("serve", folder.path)
    defer { server.stop() }
    let port = try #require(Int(try server.firstLine()), "the server didn't start")
    let url = "http://127.0.0.1:\(port)/files/"

    let text = try await python.run("make", url, folder.path)
    let made = try JSONDecoder().decode([String: [String]].self, from: Data(text.utf8))
    let before = try await sweep(folder, .preview)
    let counts = try await sweep(folder, .run)
    #expect(before == counts)
    #expect(
      counts.filter { $0.key != "bytes_freed" && $0.value != 0 } == [
        "uploads_removed": 5, "kept_complete": 10, "kept_unexpired": 5,
      ])
    for (kind, names) in made {
      for name in names {
        #expect(folder.has(name) == (kind != "old_half"), "\(kind)")
        #expect(folder.has(name + ".info") == (kind != "old_half"), "\(kind)")
      }
    }
    try await goOn(folder, python, url)
  }

  /// Uploads that are old enough to go are gone on with, and a sweep comes a little before or after.
  private func goOn(_ folder: UploadFolder, _ python: PythonTools, _ url: String) async throws {
    let count = Self.resumed
    var removed = 0
    var last = ""
    for await line in try python.start("resume", url, folder.path, "\(count)").lines() {
      if line == "sweep" { removed += try await sweep(folder, .run)["uploads_removed"] ?? 0 }
      last = line
    }
    let resumed = try JSONDecoder().decode([Resumed].self, from: Data(last.utf8))
    let taken = resumed.filter(\.taken)
    #expect(resumed.count == count)
    #expect(taken.filter { $0.there != true }.map(\.name) == [])
    #expect(taken.allSatisfy { folder.has($0.name) && folder.has($0.name + ".info") })
    // The rest was gone before the server was asked: it says so, and the client begins anew.
    #expect(resumed.filter { !$0.taken }.allSatisfy { $0.status == 404 && !folder.has($0.name) })
    #expect(removed == count - taken.count)
    #expect(!taken.isEmpty && taken.count < count, "nothing met: \(taken.count) of \(count) were gone on with")
  }

  private func sweep(_ folder: UploadFolder, _ mode: RunMode) async throws -> [String: Int] {
    var settings = TusExpirySettings()
    settings.folder = SettingPath(folder.path)
    let journal = RunJournal()
    let context = TaskContext.test(mode: mode, now: SystemWallClock().now(), journal: journal)
    if mode == .run {
      try await TusExpiryTask().run(settings, in: context)
    } else {
      try await TusExpiryTask().preview(settings, in: context)
    }
    return journal.current.counts
  }
}
