import Foundation
import Testing
import UpkeepTestKit

/// `serve` with every kind of task at once, while an application writes, people edit the YAML and look at the pages:
/// for some seconds, and with `UPKEEP_SOAK=1` for half an hour.
@Suite(.timeLimit(.minutes(45))) struct SoakTests {
  private static let isLong = ProcessInfo.processInfo.environment["UPKEEP_SOAK"] == "1"

  @Test func isAtTheEndWhatItWasAtFirst() async throws {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Benchmarks/soak.py")
    let time = Self.isLong ? ["--minutes", "30"] : ["--seconds", "20", "--scale", "0.02"]
    let soak = try ChildProcess(
      "python3", [script.path, "--upkeep", Program.path] + time, environment: Program.environment, errors: .withOutput)
    let text = await soak.output.text()
    let status = await soak.status()
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
