import Foundation
import UpkeepDatabase
import UpkeepTestKit

/// Runs of the program on fresh copies of one database, each of which is killed.
struct KilledRuns {
  private let folder: TemporaryFolder
  private let arguments: [String]
  /// The database as it was before any run.
  let template: String
  /// The copy that the last run worked on.
  let path: String

  /// Makes the database and the configuration, which names it `app.sqlite`.
  ///
  /// - Parameter task: The task or group to run.
  init(of task: String, yaml: String, _ statements: [String]) async throws {
    folder = try TemporaryFolder()
    (template, path) = (folder.file("template.sqlite"), folder.file("app.sqlite"))
    arguments = ["run", task, "--yes", "--quiet", "--config", folder.file("upkeep.yaml")]
    let session = try await SQLiteDatabase(name: "app", path: template, mayCreate: true)
      .open(.write(.normal), purpose: "test")
    try await session.perform { connection in
      for statement in ["PRAGMA journal_mode = WAL"] + statements { _ = try connection.rows(statement) }
    }
    await session.close()
    try yaml.write(toFile: folder.file("upkeep.yaml"), atomically: true, encoding: .utf8)
  }

  /// Runs on a fresh copy, and kills the run.
  func kill(after milliseconds: Int) throws {
    for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    try FileManager.default.copyItem(atPath: template, toPath: path)
    let child = try Program.start(arguments)
    _ = child.waitForEnd(.milliseconds(milliseconds))
    child.kill()
    _ = try child.end()
  }

  /// Runs to the end on what the last run left.
  func finish(_ further: String...) throws -> Program.Ending {
    try Program.run(arguments + further)
  }
}
