import Foundation
import Testing

/// `serve` with every kind of task at once, while an application writes, people edit the YAML and look at the pages:
/// for some seconds, and with `UPKEEP_SOAK=1` for half an hour.
@Suite(.timeLimit(.minutes(45))) struct SoakTests {
  private static let isLong = ProcessInfo.processInfo.environment["UPKEEP_SOAK"] == "1"

  @Test func isAtTheEndWhatItWasAtFirst() async throws {
    let place = try Workplace()
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Benchmarks/soak.py")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let time = Self.isLong ? ["--minutes", "30"] : ["--seconds", "20", "--scale", "0.02"]
    process.arguments = ["python3", script.path, "--upkeep", Program.path] + time
    process.environment = Program.environment
    // A file: a pipe would have to be read by a thread that others want.
    try place.write("", to: "said")
    let said = try FileHandle(forWritingTo: place.folder.appending(path: "said"))
    process.standardOutput = said
    process.standardError = said
    process.standardInput = FileHandle.nullDevice
    let (ending, ended) = AsyncStream.makeStream(of: Int32.self)
    process.terminationHandler = { process in
      ended.yield(process.terminationStatus)
      ended.finish()
    }
    try process.run()
    let status = await ending.first { _ in true }
    let text = String(decoding: try place.bytes("said"), as: UTF8.self)
    #expect(status == 0, "\(text)")
    #expect(text.contains("\nthe soak found nothing wrong\n"))
    for row in [
      "| runs, slots |", "| descriptors |", "| largest log MB | odds ", "| pages |", "| writer: server, odds |",
    ] {
      #expect(text.contains(row), "\(row) is missing:\n\(text)")
    }
    for task in ["odds_retention", "odds_server", "scraping", "tus_expiry", "run_history"] {
      let row = try Regex("\\| \(task) \\| [0-9]+ completed")
      #expect(text.contains(row), "\(task) did nothing:\n\(text)")
    }
  }
}
