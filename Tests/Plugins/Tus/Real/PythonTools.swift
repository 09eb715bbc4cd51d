import Foundation
import UpkeepTestKit

/// Python with the packages that the tests of real uploads need, in a folder of its own.
struct PythonTools {
  private static let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  private let python: PythonEnvironment

  /// Installs the packages.
  init(in folder: String) throws {
    python = try PythonEnvironment(in: folder, ["-r", Self.source.appending(path: "requirements.txt").path])
  }

  /// Runs the script to its end.
  /// - Returns: What it printed.
  func run(_ arguments: String...) async throws -> String {
    try await python.run([Self.source.appending(path: "real_uploads.py").path] + arguments)
  }

  /// Starts the script.
  func start(_ arguments: String...) throws -> PythonProgram {
    try python.start([Self.source.appending(path: "real_uploads.py").path] + arguments)
  }
}
