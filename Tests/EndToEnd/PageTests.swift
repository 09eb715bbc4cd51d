import Foundation
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo
import UpkeepRuns
import UpkeepStore
import UpkeepTestKit

/// The page of a task in the README shows what a real run of its YAML says.
@Suite struct PageTests {
  /// A page: its YAML, and the commands with their output.
  struct Page {
    var yaml: [String]
    var commands: [(words: [String], output: [String])]

    /// Reads the blocks that follow the mark `<!-- page: NAME -->`, up to the next heading or generated table.
    init?(_ name: String, in text: String) {
      guard let rest = text.components(separatedBy: "<!-- page: \(name) -->\n").dropFirst().first else { return nil }
      let lines = rest.components(separatedBy: "\n").prefix { !$0.hasPrefix("#") && !$0.hasPrefix("<!--") }
      var blocks: [[String]] = []
      var open = false
      for line in lines {
        if line.hasPrefix("```") {
          if !open { blocks.append([]) }
          open.toggle()
        } else if open {
          blocks[blocks.count - 1].append(line)
        }
      }
      guard let first = blocks.first else { return nil }
      yaml = first
      commands = blocks.dropFirst().compactMap { block in
        guard let command = block.first, command.hasPrefix("$ upkeep ") else { return nil }
        return (command.split(separator: " ").dropFirst(2).map(String.init), Array(block.dropFirst()))
      }
    }
  }

  /// What differs from run to run, taken out of a line.
  static func settled(_ line: String) -> String {
    var line = line
    line.replace(/\d{4}-\d\d-\d\d \d\d:\d\d/, with: "TIME")
    line.replace(/\bin \d[\d.,]* (?:ms|s|min)\b/, with: "in TOOK")
    line.replace(/\d[\d.,]* rows\/s, longest lock \d[\d.,]* ms/, with: "RATE")
    line.replace(/\d[\d.,]* (?:B|kB|MB|GB)\b/, with: "SIZE")
    return line
  }

  /// The tasks with a page, and what makes the data that it is about.
  static let pages: [(name: String, databases: String, make: @Sendable (Workplace, Timestamp) async throws -> Void)] = [
    (
      "table_retention", "app: { sqlite: data/app.sqlite }",
      { place, now in try await AppSample.make(at: place.path("demo/data/app.sqlite"), now: now, scale: 1) }
    ),
    (
      "run_history", "",
      { place, now in
        let file = SQLiteDatabase(name: "state", path: place.path("demo/upkeep.sqlite"), mayCreate: true)
        let store = SQLStateStore(
          database: file, inspector: StubProcessInspector(), wallClock: ManualWallClock(start: now))
        // As if the host had pruned by itself within the hour: it would do it again after the preview.
        try await store.pruneIfDue(now: now, keep: .seconds(86_400), keepFailures: .seconds(86_400))
        for hour in 0..<3000 {
          var result = RunResult(
            runID: RunID.make(at: now - .seconds(hour * 3600), random: SeededRandom()), task: "heartbeat",
            plugin: "noop", mode: .run, trigger: .scheduled, status: hour % 100 == 0 ? .failed : .completed,
            settings: [:], host: "box-1")
          result.finishedAt = now - .seconds(hour * 3600 + 2400)
          try await store.save(RunRecord(result: result, owner: nil, createdAt: now - .seconds(hour * 3600 + 2401)))
        }
        await store.close()
      }
    ),
    (
      "tus_expiry", "", { place, now in try UploadSample.make(at: place.path("demo/uploads"), now: now) }
    ),
  ]

  @Test(arguments: pages.map(\.name)) func showsWhatARealRunSays(name: String) async throws {
    let page = try #require(Self.pages.first { $0.name == name })
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
    let shown = try #require(Page(name, in: readme))
    #expect(shown.commands.map { $0.words.first } == ["preview", "run"])
    let place = try Workplace()
    try FileManager.default.createDirectory(atPath: place.path("demo/data"), withIntermediateDirectories: true)
    try await page.make(place, SystemWallClock().now())
    let databases = page.databases.isEmpty ? "" : "databases:\n  \(page.databases)\n"
    let tasks = shown.yaml.map { "  \($0)\n" }.joined()
    try place.write("version: 1\n\(databases)tasks:\n\(tasks)", to: "demo/upkeep.yaml")
    for (words, output) in shown.commands {
      let outcome = try await place.start(words).outcome()
      #expect(outcome.status == 0, "\(outcome.errors)")
      let found = outcome.output.components(separatedBy: "\n").dropLast().map(Self.settled)
      #expect(found == output.map(Self.settled), "\(words)")
    }
  }

  /// What the README shows of the demo's configuration is there.
  @Test func showsTheDemosConfiguration() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
    for page in Self.pages {
      let yaml = try #require(Page(page.name, in: readme)).yaml.map { "  \($0)\n" }.joined()
      #expect(DemoConfiguration.text.contains(yaml), "\(page.name)")
    }
  }

  @Test func takesOutWhatDiffersFromRunToRun() {
    #expect(
      Self.settled("a: completed in 2.4 s, 10,342 rows deleted") == "a: completed in TOOK, 10,342 rows deleted")
    #expect(Self.settled("  logs  5,035  2026-10-12 20:17") == "  logs  5,035  TIME")
    #expect(Self.settled("  5,535 rows/s, longest lock 61.5 ms") == "  RATE")
  }
}
