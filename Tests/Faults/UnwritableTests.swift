import Foundation
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo
import UpkeepTestKit

/// A database that the program may not write.
@Suite struct UnwritableTests {
  private enum Obstacle: String, CaseIterable {
    case file, folder, both
  }

  /// Permissions don't bind root, who runs the program as nobody here, where the system has what it takes.
  private static let disguise: [String]? = {
    guard geteuid() == 0 else { return [] }
    let words = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    guard FileManager.default.isExecutableFile(atPath: words[0]) else { return nil }
    // The build may lie where nobody else can look.
    let trial = try? Program.run(Array(words.dropFirst()) + [Program.path, "--version"], words[0])
    return trial?.status == 0 ? words : nil
  }()

  @Test(.enabled(if: disguise != nil, "needs setpriv to become somebody else than root"), arguments: ["wal", "delete"])
  func saysWhoMayNotWriteWhatAndChangesNothing(journal: String) async throws {
    for obstacle in Obstacle.allCases {
      let (folder, database) = try await site(journal)
      let before = try await contents(database)
      let data = folder.file("data")
      try chmod(obstacle == .folder ? 0o666 : 0o444, database)
      try chmod(obstacle == .file ? 0o777 : 0o555, data)
      let words =
        (Self.disguise ?? []) + [
          Program.path, "run", "odds_retention", "--yes", "--override-guard", "--no-color", "--config",
          folder.file("upkeep.yaml"),
        ]
      let ending = try Program.run(Array(words.dropFirst()), words[0])
      try chmod(0o644, database)
      try chmod(0o755, data)
      let said = ending.output + ending.errors
      let user = geteuid() == 0 ? "nobody" : NSUserName()
      #expect(ending.status == 1, "\(obstacle), \(journal): \(said)")
      #expect(said.contains("user \(user) "), "\(obstacle), \(journal): \(said)")
      #expect(said.contains(database), "\(obstacle), \(journal): \(said)")
      #expect(try await contents(database) == before, "\(obstacle), \(journal)")
      // A reader of a database in WAL mode may leave an empty log and its index behind, but nothing in them.
      let log = try? FileManager.default.attributesOfItem(atPath: database + "-wal")[.size] as? Int
      #expect(log ?? 0 == 0, "\(obstacle), \(journal)")
    }
  }

  /// A folder that may not be looked into hides the state store: that isn't the same as none.
  @Test(.enabled(if: disguise != nil, "needs setpriv to become somebody else than root"))
  func saysWhoMayNotLookForTheStateStore() async throws {
    let (folder, _) = try await site("wal")
    try chmod(0o000, folder.file("var"))
    for command in [["history"], ["list"], ["pause", "odds_retention"]] {
      let words = (Self.disguise ?? []) + [Program.path] + command + ["--config", folder.file("upkeep.yaml")]
      let ending = try Program.run(Array(words.dropFirst()), words[0])
      #expect(ending.status == 1, "\(command): \(ending.output)")
      #expect(ending.errors.contains(folder.file("var")), "\(command): \(ending.errors)")
    }
    try chmod(0o755, folder.file("var"))
    let words = (Self.disguise ?? []) + [Program.path, "history", "--config", folder.file("upkeep.yaml")]
    let ending = try Program.run(Array(words.dropFirst()), words[0])
    #expect(
      ending.status == 0 && (ending.output + ending.errors).contains("no runs"), "\(ending.output) \(ending.errors)")
  }

  private func chmod(_ mode: mode_t, _ path: String) throws {
    guard Foundation.chmod(path, mode) == 0 else { throw DiskFailure(message: "chmod \(path): \(errno)") }
  }

  private func contents(_ path: String) async throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }

  /// A folder with a configuration, a state store that may be written, and the database in a folder of its own.
  private func site(_ journal: String) async throws -> (TemporaryFolder, String) {
    let folder = try TemporaryFolder()
    let database = folder.file("data/odds.sqlite")
    for name in ["data", "var"] {
      try FileManager.default.createDirectory(atPath: folder.file(name), withIntermediateDirectories: false)
    }
    try chmod(0o755, folder.path)
    try chmod(0o777, folder.file("var"))
    try await OddsSample.make(at: database, now: SystemWallClock().now(), snapshots: 200)
    _ = try await OddsTables.query(database) { try $0.rows("PRAGMA journal_mode = \(journal)") }
    try """
    version: 1
    host: { state: var/state.sqlite }
    databases:
      odds: { sqlite: data/odds.sqlite }
    tasks:
      odds_retention:
        settings: { database: odds }
    """.write(toFile: folder.file("upkeep.yaml"), atomically: true, encoding: .utf8)
    return (folder, database)
  }
}
