import Foundation
import Testing
import UpkeepTestKit

/// The built program, run as a process of its own.
struct Program {
  /// What a finished process left.
  struct Outcome {
    var status: Int32
    var output: String
    var errors: String

    /// Standard output as one JSON document.
    func json() throws -> [String: Any] {
      try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
    }
  }

  /// The binary, which is built beside the tests.
  static let path: String = {
    let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    let here = tests.appending(path: "upkeep").path
    if FileManager.default.isExecutableFile(atPath: here) { return here }
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return root.appending(path: ".build/debug/upkeep").path
  }()

  /// The environment without anything that would change what the program does.
  static let environment = ProcessInfo.processInfo.environment.filter { key, _ in
    !key.hasPrefix("UPKEEP_") && !["COLUMNS", "NO_COLOR", "TERM", "STATE_DIRECTORY"].contains(key)
  }

  /// Runs the program to its end.
  static func run(
    _ arguments: [String], in folder: URL? = nil, environment: [String: String] = [:]
  ) async throws -> Outcome {
    try await RunningProgram(arguments, in: folder, environment: environment).outcome()
  }
}

/// The program while it runs.
struct RunningProgram: Sendable {
  private let child: ChildProcess
  private let output: AsyncStream<String>
  private let errors: AsyncStream<String>

  var pid: Int32 { child.pid }

  init(_ arguments: [String], in folder: URL? = nil, environment: [String: String] = [:]) throws {
    child = try ChildProcess(
      Program.path, arguments, in: folder?.path, environment: Program.environment.merging(environment) { $1 },
      errors: .kept)
    output = child.output.lines()
    errors = child.errors.lines()
  }

  /// Sends a signal.
  func signal(_ number: Int32) {
    child.signal(number)
  }

  /// Reads standard error up to the first line that contains a text, and returns that line.
  func waitForError(containing text: String) async throws -> String {
    for await line in errors where line.contains(text) { return line }
    throw UnexpectedEnd(text: text)
  }

  /// Waits for the end. Lines of standard error that were waited for aren't part of the outcome.
  func outcome() async -> Program.Outcome {
    async let output = Self.text(self.output)
    async let errors = Self.text(self.errors)
    return await Program.Outcome(status: child.status(), output: output, errors: errors)
  }

  struct UnexpectedEnd: Error {
    var text: String
  }

  private static func text(_ lines: AsyncStream<String>) async -> String {
    var text = ""
    for await line in lines { text += line + "\n" }
    return text
  }
}
