import Foundation
import UpkeepTestKit

/// The built program, as a process of its own.
enum Program {
  /// It lies beside the test bundle.
  static let path: String = {
    let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return URL(fileURLWithPath: bundle).deletingLastPathComponent().appending(path: "upkeep").path
  }()

  /// How a process ended, and what it said.
  struct Ending: Sendable {
    /// The exit status; 128 more than the signal's number where a signal ended it.
    var status: Int32
    var output: String
    var errors: String
  }

  /// Starts the program, or another one.
  static func start(_ arguments: [String], _ program: String = path) throws -> RunningProgram {
    try RunningProgram(program, arguments)
  }

  /// Runs it to its end.
  static func run(_ arguments: [String], _ program: String = path) throws -> Ending {
    try start(arguments, program).end()
  }
}

/// A running process, whose end can be waited for.
final class RunningProgram: Sendable {
  private let child: ChildProcess
  private let folder: TemporaryFolder

  init(_ program: String, _ arguments: [String]) throws {
    folder = try TemporaryFolder()
    child = try ChildProcess(
      program, arguments, output: .file(folder.file("output")), errors: .file(folder.file("errors")))
  }

  /// Waits for the end, for so long at the most.
  /// - Returns: Whether it has ended.
  func waitForEnd(_ limit: Duration) -> Bool {
    child.wait(atMost: limit) != nil
  }

  /// Kills it; nothing happens where it has ended.
  func kill() {
    child.signal(SIGKILL)
  }

  /// Takes its end, which must have come or be near.
  func end() throws -> Program.Ending {
    Program.Ending(
      status: child.wait(), output: try String(contentsOfFile: folder.file("output"), encoding: .utf8),
      errors: try String(contentsOfFile: folder.file("errors"), encoding: .utf8))
  }
}
