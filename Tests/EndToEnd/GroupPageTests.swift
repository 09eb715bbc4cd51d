import Foundation
import Testing
import UpkeepCore
import UpkeepDemo

/// A page of the README that shows several tasks comes from real runs, too: its commands give what stands there, on the
/// sample data and with the configuration that the page shows.
@Suite struct GroupPageTests {
  /// A command and what it prints.
  struct Example: Equatable {
    var command: String
    var output: [String]
  }

  /// The configuration of a page, and its examples in order.
  static func page(_ name: String, in text: String) throws -> (yaml: String, examples: [Example]) {
    let start = try #require(text.range(of: "<!-- page: \(name) -->\n```yaml\n"))
    let rest = text[start.upperBound...]
    let end = try #require(rest.range(of: "<!-- end of page -->"))
    let page = rest[..<end.lowerBound]
    let yaml = try #require(page.range(of: "```\n"))
    var examples: [Example] = []
    for block in page[yaml.upperBound...].components(separatedBy: "```text\n").dropFirst() {
      for line in block.components(separatedBy: "```").first?.split(separator: "\n").map(String.init) ?? [] {
        if line.hasPrefix("$ ") {
          examples.append(Example(command: String(line.dropFirst(2)), output: []))
        } else {
          examples[examples.count - 1].output.append(line)
        }
      }
    }
    return (String(page[..<yaml.lowerBound]), examples)
  }

  @Test func showsWhatTheCleanUpOfAJobQueueReallyDoes() async throws {
    let readme = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "README.md")
    let page = try Self.page("stash", in: try String(contentsOf: readme, encoding: .utf8))
    let commands = page.examples.map(\.command)
    for plugin in ["stale_jobs", "job_history", "download_log", "stuck_plans"] {
      #expect(commands.contains("upkeep preview \(plugin)"))
      #expect(commands.contains("upkeep run \(plugin)"))
    }
    var place = try await place(page.yaml)
    for example in page.examples {
      if example.command == "upkeep preview cleanup" { place = try await self.place(page.yaml) }
      let words = example.command.split(separator: " ").dropFirst().map(String.init)
      let outcome = try await place.start(words).outcome()
      #expect(outcome.status == 0, "\(example.command)\n\(outcome.errors)")
      let lines = outcome.output.split(separator: "\n").map(String.init)
      #expect(lines.map(PageTests.settled) == example.output.map(PageTests.settled), "\(example.command)")
    }
  }

  private func place(_ yaml: String) async throws -> Workplace {
    let place = try Workplace(yaml)
    try FileManager.default.createDirectory(atPath: place.path("data"), withIntermediateDirectories: true)
    try await MediaSample.make(
      at: place.path("data/stash.sqlite"), now: SystemWallClock().now(), jobs: 20_000, plans: 1000)
    return place
  }

  @Test func findsTheExamplesOfAPage() throws {
    let text = """
      <!-- page: a -->
      ```yaml
      version: 1
      ```
      ```text
      $ upkeep run x
      x: completed in 12 ms
      $ upkeep run y
      ```
      <!-- end of page -->
      """
    let page = try Self.page("a", in: text)
    #expect(page.yaml == "version: 1\n")
    #expect(
      page.examples == [
        Example(command: "upkeep run x", output: ["x: completed in 12 ms"]),
        Example(command: "upkeep run y", output: []),
      ])
  }
}
