import Foundation
import Testing

/// The benchmark that the README names runs, and holds every contender to the same rows.
@Suite struct BenchmarkTests {
  @Test(arguments: ["drift", "scattered"])
  func leavesTheSameRowsAsOneDelete(order: String) async throws {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Benchmarks/purge.py")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "python3", script.path, "--snapshots", "3000", "--repetitions", "1", "--orders", order, "--upkeep", Program.path,
    ]
    process.environment = Program.environment
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(text)")
    #expect(text.contains("| \(order) | upkeep |"))
  }
}
