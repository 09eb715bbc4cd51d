import Foundation
import Testing

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
  let pid: Int32
  private let output: AsyncStream<String>
  private let errors: AsyncStream<String>
  private let ending: AsyncStream<Int32>

  init(_ arguments: [String], in folder: URL? = nil, environment: [String: String] = [:]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Program.path)
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.environment = Program.environment.merging(environment) { $1 }
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    let (ending, ended) = AsyncStream.makeStream(of: Int32.self)
    process.terminationHandler = { process in
      // As a shell says it: a signal counts from 128.
      let isSignal = process.terminationReason == .uncaughtSignal
      ended.yield(process.terminationStatus + (isSignal ? 128 : 0))
      ended.finish()
    }
    try process.run()
    pid = process.processIdentifier
    self.output = Self.lines(of: output)
    self.errors = Self.lines(of: errors)
    self.ending = ending
  }

  /// Sends a signal.
  func signal(_ number: Int32) {
    kill(pid, number)
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
    var status: Int32 = -1
    for await number in ending { status = number }
    return await Program.Outcome(status: status, output: output, errors: errors)
  }

  struct UnexpectedEnd: Error {
    var text: String
  }

  private static func text(_ lines: AsyncStream<String>) async -> String {
    var text = ""
    for await line in lines { text += line + "\n" }
    return text
  }

  /// Reads a pipe on a thread of its own, since reading blocks.
  private static func lines(of pipe: Pipe) -> AsyncStream<String> {
    let (lines, send) = AsyncStream.makeStream(of: String.self)
    let handle = pipe.fileHandleForReading
    Thread.detachNewThread {
      var rest = Data()
      while true {
        let data = handle.availableData
        rest += data
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
          send.yield(String(decoding: rest[..<end], as: UTF8.self))
          rest = Data(rest[(end + 1)...])
        }
        if data.isEmpty { break }
      }
      if !rest.isEmpty { send.yield(String(decoding: rest, as: UTF8.self)) }
      send.finish()
    }
    return lines
  }
}
