import Foundation

/// Python with packages from PyPI, in a folder of its own.
package struct PythonEnvironment: Sendable {
  private let python: String
  private let folder: String

  /// Installs packages. Where that can't be done the test fails: a skipped one would tell nobody anything.
  /// - Parameter packages: As `pip install` takes them.
  package init(in folder: String, _ packages: [String]) throws {
    _ = try PythonProgram("python3", ["-m", "venv", folder]).output()
    self.folder = folder
    python = folder + "/bin/python"
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--retries", "10"]
    _ = try PythonProgram(python, install + packages).output()
  }

  /// Runs Python to its end.
  /// - Returns: What it printed.
  package func run(_ arguments: [String]) async throws -> String {
    let program = try start(arguments)
    return try await withCheckedThrowingContinuation { continuation in
      // Reading blocks, so it has a thread of its own.
      Thread.detachNewThread { continuation.resume(with: Result { try program.output() }) }
    }
  }

  /// Starts Python in the environment's folder: what a program leaves where it works goes with that.
  package func start(_ arguments: [String]) throws -> PythonProgram {
    try PythonProgram(python, arguments, in: folder)
  }
}

/// A Python program while it runs.
package struct PythonProgram: Sendable {
  private let child: ChildProcess
  private let name: String

  package init(_ program: String, _ arguments: [String], in folder: String? = nil) throws {
    child = try ChildProcess(program, arguments, in: folder)
    name = arguments.joined(separator: " ")
  }

  /// What it prints up to the end of its first line.
  package func firstLine() throws -> String {
    try child.output.firstLine()
  }

  /// What it prints, line by line, as it does.
  package func lines() -> AsyncStream<String> {
    child.output.lines()
  }

  /// Waits for its end, and returns all that it printed.
  package func output() throws -> String {
    let text = try child.output.readToEnd()
    let status = child.wait()
    guard status == 0 else { throw Failure(program: name, status: status, output: text) }
    return text
  }

  /// Ends it at once: it has nothing to tidy up, and would wait for its connections.
  package func stop() {
    child.signal(SIGKILL)
    child.wait()
  }

  package struct Failure: Error {
    package var program: String
    package var status: Int32
    package var output: String
  }
}
