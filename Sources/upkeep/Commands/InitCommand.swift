import ArgumentParser
import Foundation
import UpkeepCore
import UpkeepDemo

struct InitCommand: UpkeepSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Write a commented configuration to start from; never overwrites.",
    discussion: """
      EXAMPLES:
        upkeep init                          writes config/upkeep.yaml
        upkeep init --config /etc/upkeep/upkeep.yaml
      """)

  @OptionGroup var options: GlobalOptions

  func execute(_ console: Console) async throws -> ExitStatus {
    let path = options.config ?? "config/upkeep.yaml"
    let folder = (path as NSString).deletingLastPathComponent
    do {
      if !folder.isEmpty { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
      try Data(StarterConfiguration.text.utf8).write(to: URL(fileURLWithPath: path), options: .withoutOverwriting)
    } catch let error as CocoaError where error.code == .fileWriteFileExists {
      throw TaskError(
        code: "file_exists", place: path, problem: "there is such a file already, and it isn't overwritten",
        fix: "edit it, or name another one with --config")
    } catch {
      throw TaskError(
        code: "cannot_write", place: path, problem: "it can't be written: \(error.localizedDescription)",
        fix: "check the path and the permissions of its folder")
    }
    console.note(["wrote \(path); edit the path of the database in it, then: upkeep validate --live"])
    return .done
  }
}
