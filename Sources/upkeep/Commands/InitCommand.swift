import ArgumentParser
import Foundation
import UpkeepCore
import UpkeepDemo
import UpkeepHost
import UpkeepRuns

struct InitCommand: UpkeepSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Write a commented configuration to start from; never overwrites.",
    usage: "upkeep init [<options>]",
    discussion: """
      EXAMPLES:
        upkeep init                          writes config/upkeep.yaml
        upkeep init --config /etc/upkeep/upkeep.yaml
        upkeep init --database app.sqlite    proposes rules for its tables
      """)

  @Option(
    name: .long, help: ArgumentHelp("An SQLite database to propose rules for; it is only read.", valueName: "file"),
    completion: .file())
  var database: String?

  @OptionGroup var options: GlobalOptions

  func execute(_ console: Console) async throws -> ExitStatus {
    let path = options.config ?? "config/upkeep.yaml"
    if FileManager.default.fileExists(atPath: path) { throw fileExists(path) }
    guard let database else {
      try write(StarterConfiguration.text, to: path)
      try say(
        path, rules: 0, "wrote \(path); edit the path of the database in it, then: upkeep validate --live\(named)",
        console)
      return .done
    }
    guard !database.hasPrefix("postgres://"), !database.hasPrefix("postgresql://") else {
      throw UsageError(
        "rules are proposed for an SQLite file; for a server's database write them by hand: upkeep describe table_retention"
      )
    }
    let proposed = try await ProposedConfiguration(
      for: database, namedAs: Self.path(of: database, seenFrom: path), now: Host.systemWallClock.now())
    try write(proposed.text, to: path)
    let rules = NumberText.counted(proposed.rules, "rule")
    let next =
      proposed.rules == 0
      ? "no table with a time column was found"
      : "\(rules) proposed in it, commented out; take those you want, then: upkeep preview table_retention\(named)"
    try say(path, rules: proposed.rules, "wrote \(path): \(next)", console)
    return .done
  }

  /// What a command needs to find the file, where it doesn't by itself.
  private var named: String { options.config.map { " --config \($0)" } ?? "" }

  private func say(_ path: String, rules: Int, _ text: String, _ console: Console) throws {
    console.note([text])
    if options.json { try console.printJSON(WrittenDocument(path: path, rules: rules)) }
  }

  /// What `--json` prints.
  private struct WrittenDocument: Encodable {
    let path: String
    let rules: Int
  }

  private func write(_ text: String, to path: String) throws {
    let folder = (path as NSString).deletingLastPathComponent
    do {
      if !folder.isEmpty { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
      try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .withoutOverwriting)
    } catch let error as CocoaError where error.code == .fileWriteFileExists {
      throw fileExists(path)
    } catch {
      throw TaskError(
        code: "cannot_write", place: path, problem: "it can't be written: \(error.localizedDescription)",
        fix: "check the path and the permissions of its folder")
    }
  }

  private func fileExists(_ path: String) -> TaskError {
    TaskError(
      code: "file_exists", place: path, problem: "there is such a file already, and it isn't overwritten",
      fix: "edit it, or name another one with --config")
  }

  /// The path of a file as a configuration names it: relative paths in it start at its own folder.
  static func path(of file: String, seenFrom configuration: String) -> String {
    if file.hasPrefix("/") { return file }
    let folder = configuration.split(separator: "/").dropLast().filter { $0 != "." }
    let here = FileManager.default.currentDirectoryPath
    if configuration.hasPrefix("/") || folder.contains("..") { return "\(here)/\(file)" }
    return String(repeating: "../", count: folder.count) + file
  }
}
