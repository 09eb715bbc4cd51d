import Foundation
import Synchronization
import Testing

/// Python with the packages that the tests of real uploads need, in a folder of its own.
struct PythonTools {
  private static let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  private let python: String

  /// Installs the packages. Where that can't be done the test fails: a skipped one would tell nobody anything.
  init(in folder: String) throws {
    try Self.call("/usr/bin/env", ["python3", "-m", "venv", folder])
    python = folder + "/bin/python"
    try Self.call(
      python,
      [
        "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--retries", "10", "-r",
        Self.source.appending(path: "requirements.txt").path,
      ])
  }

  /// Runs the script to its end.
  /// - Returns: What it printed.
  func run(_ arguments: String...) async throws -> String {
    let program = try PythonProgram(python, [Self.source.appending(path: "real_uploads.py").path] + arguments)
    return try await withCheckedThrowingContinuation { continuation in
      // Reading blocks, so it has a thread of its own.
      Thread.detachNewThread { continuation.resume(with: Result { try program.output() }) }
    }
  }

  /// Starts the script.
  func start(_ arguments: String...) throws -> PythonProgram {
    try PythonProgram(python, [Self.source.appending(path: "real_uploads.py").path] + arguments)
  }

  private static func call(_ program: String, _ arguments: [String]) throws {
    _ = try PythonProgram(program, arguments).output()
  }
}

/// A Python program while it runs.
final class PythonProgram: Sendable {
  private let process: Mutex<Process>
  private let pipe = Pipe()
  private let name: String

  init(_ program: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardOutput = pipe
    process.standardInput = FileHandle.nullDevice
    try process.run()
    self.process = Mutex(process)
    name = arguments.joined(separator: " ")
  }

  /// What it prints up to the end of its first line.
  func firstLine() throws -> String {
    var line = Data()
    while let byte = try pipe.fileHandleForReading.read(upToCount: 1), byte != Data("\n".utf8) { line += byte }
    return String(decoding: line, as: UTF8.self)
  }

  /// What it prints, line by line, as it does.
  func lines() -> AsyncStream<String> {
    let (lines, send) = AsyncStream.makeStream(of: String.self)
    // Reading blocks, so it has a thread of its own.
    Thread.detachNewThread { [self] in
      while let line = try? firstLine(), !line.isEmpty { send.yield(line) }
      send.finish()
    }
    return lines
  }

  /// Waits for its end, and returns all that it printed.
  func output() throws -> String {
    let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
    let status = process.withLock { process in
      process.waitUntilExit()
      return process.terminationStatus
    }
    guard status == 0 else { throw Failure(program: name, status: status) }
    return String(decoding: data, as: UTF8.self)
  }

  /// Ends it at once: it has nothing to tidy up, and would wait for its connections.
  func stop() {
    process.withLock { process in
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
  }

  struct Failure: Error {
    var program: String
    var status: Int32
  }
}
