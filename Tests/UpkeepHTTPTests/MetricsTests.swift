import Foundation
import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepTestKit

@testable import UpkeepHTTP

/// What the README says of `/metrics` is what is there.
@Suite struct MetricsTests {
  private let host = FakeHost()

  private static func readme() throws -> String {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
  }

  /// The text of the README between a mark and the end of its table or block.
  private static func part(_ mark: String, to end: String) throws -> String {
    let parts = try readme().components(separatedBy: "<!-- \(mark) -->\n")
    try #require(parts.count == 2)
    return parts[1].components(separatedBy: end)[0]
  }

  /// The names of the figures with their help, and the labels of their samples.
  private func families() async throws -> [(name: String, help: String, labels: [String])] {
    var done = host.result("heartbeat", .completed)
    done.finishedAt = host.wallClock.now()
    host.metrics.record(.finished(done))
    let lines = try await host.site().ask("GET", "/metrics").text.split(separator: "\n").map(String.init)
    return lines.filter { $0.hasPrefix("# HELP ") }.map { line in
      let words = line.dropFirst("# HELP ".count).split(separator: " ", maxSplits: 1).map(String.init)
      let samples = lines.filter { $0.hasPrefix(words[0]) }
      var labels: [String] = []
      for sample in samples {
        for match in sample.matches(of: /([a-z]+)="/) where !labels.contains(String(match.1)) {
          labels.append(String(match.1))
        }
      }
      return (words[0], words[1], labels)
    }
  }

  @Test func theReadmeListsTheFigures() async throws {
    let rows = try await families().map { family in
      "| `\(family.name)` | \(family.labels.map { "`\($0)`" }.joined(separator: ", ")) | \(family.help) |\n"
    }
    #expect(rows.count > 10)
    let expected = "| metric | labels | what it is |\n|---|---|---|\n" + rows.joined()
    #expect(try Self.part("metrics", to: "<!-- end -->") == expected, "the table is:\n\(expected)")
  }

  @Test func theReadmesAlertsAskForFiguresThatThereAre() async throws {
    let names = Set(try await families().map(\.name))
    let alerts = try Self.part("alerts", to: "\n```\n")
    let asked = alerts.matches(of: /upkeep_[a-z_]+/).map { String($0.output) }
    #expect(Set(asked).count > 5)
    for name in asked { #expect(names.contains(name), "\(name)") }
    for match in alerts.matches(of: /(status|reason)=~"([^"]+)"/) {
      let text = try await host.site().ask("GET", "/metrics").text
      for value in match.2.split(separator: "|") { #expect(text.contains("\(match.1)=\"\(value)\""), "\(value)") }
    }
  }
}
