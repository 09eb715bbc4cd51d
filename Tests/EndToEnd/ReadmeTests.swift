import Foundation
import Testing

/// The README says only what is true: its commands run, its tables are the generated ones.
@Suite struct ReadmeTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  private static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  /// The code blocks of a kind that directly follow a marking comment.
  static func blocks(markedBy mark: String, in text: String) -> [[String]] {
    text.components(separatedBy: "<!-- \(mark) -->\n").dropFirst().compactMap { rest in
      let lines = rest.components(separatedBy: "\n")
      guard lines.first == "```sh", let end = lines.firstIndex(of: "```") else { return nil }
      return Array(lines[1..<end])
    }
  }

  /// The tables between `<!-- generated: COMMAND -->` and `<!-- end -->`, with the command that makes each.
  static func tables(in text: String) -> [(command: String, lines: [String])] {
    text.components(separatedBy: "<!-- generated: ").dropFirst().compactMap { rest in
      let parts = rest.components(separatedBy: " -->\n")
      guard parts.count > 1, let end = parts[1].range(of: "<!-- end") else { return nil }
      let lines = parts[1][..<end.lowerBound].split(separator: "\n").map(String.init)
      return (parts[0], lines)
    }
  }

  @Test func runsEveryMarkedCommand() async throws {
    let commands = Self.blocks(markedBy: "tested", in: try Self.text("README.md")).flatMap { $0 }
    #expect(commands.count > 8)
    let place = try Workplace()
    let demo = try await Program.run(["demo", "demo", "--scale", "0.02"], in: place.folder)
    try #require(demo.status == 0)
    for command in commands {
      // `# exit status 2` behind a command says that it isn't 0.
      let parts = command.components(separatedBy: "# exit status ")
      let expected = parts.count > 1 ? Int32(parts[1].prefix { $0.isNumber }) : 0
      let words = parts[0].split(separator: " ").map(String.init)
      try #require(words.first == "upkeep", "\(command)")
      if command.contains("# until Control-C") {
        // Somebody may listen at the usual address.
        let yaml = String(decoding: try place.bytes("demo/upkeep.yaml"), as: UTF8.self)
        try place.write(
          yaml.replacing("\nhost:\n", with: "\nhost:\n  listen: 127.0.0.1:0\n"), to: "demo/upkeep.yaml")
        let program = try place.start(Array(words.dropFirst().prefix { $0 != "#" }))
        _ = try await program.waitForError(containing: "serving")
        program.signal(SIGINT)
        #expect(await program.outcome().status == 0, "\(command)")
        continue
      }
      let outcome = try await place.start(Array(words.dropFirst())).outcome()
      #expect(outcome.status == expected, "\(command)\n\(outcome.errors)")
    }
  }

  @Test func holdsTheGeneratedTables() async throws {
    let tables = Self.tables(in: try Self.text("README.md"))
    #expect(tables.count >= 4)
    for (command, lines) in tables {
      let words = command.split(separator: " ").dropFirst().map(String.init)
      let outcome = try await Program.run(words)
      #expect(outcome.output.split(separator: "\n").map(String.init) == lines, "\(command)")
    }
  }

  @Test func describesEveryPlugin() async throws {
    let readme = try Self.text("README.md")
    let sample = try Self.text("config/upkeep.yaml")
    let plugins = try #require(try await Program.run(["plugins", "--json"]).json()["plugins"] as? [[String: Any]])
    for plugin in plugins {
      let id = try #require(plugin["plugin"] as? String)
      #expect(readme.contains("<!-- generated: upkeep describe \(id) --markdown -->"), "\(id)")
      #expect(sample.contains(id), "\(id)")
    }
  }

  @Test func holdsTheConfigurationThatInitWrites() async throws {
    let place = try Workplace()
    #expect(try await Program.run(["init"], in: place.folder).status == 0)
    #expect(try place.bytes("config/upkeep.yaml") == Data(try Self.text("config/upkeep.yaml").utf8))
  }

  /// Every key of the YAML and every plugin is in the file that people start from, as itself or as a comment.
  @Test(arguments: ["host", "database", "task"])
  func explainsEveryKey(part: String) async throws {
    let text = try Self.text("config/upkeep.yaml")
    let document = try await Program.run(["describe", part, "--json"]).json()
    let keys = try #require(document["keys"] as? [[String: Any]]).compactMap { $0["key"] as? String }
    #expect(keys.count > 3)
    for key in keys {
      let name = key.split(separator: ".").last.map(String.init) ?? key
      #expect(text.contains("\(name.replacing("[]", with: "")):"), "\(part): \(key)")
    }
  }

  @Test func givesTheTestCommandThatTheCheckRuns() throws {
    let check = try Self.text(".ci/run").components(separatedBy: "\n")
    #expect(Self.blocks(markedBy: "tests", in: try Self.text("README.md")).flatMap { $0 }.last == "swift test")
    #expect(check.contains { $0.hasPrefix("swift test ") })
  }

  @Test func findsBlocksAndTables() {
    let text = "<!-- tested -->\n```sh\na\nb # exit status 2\n```\n\n```sh\nc\n```\n<!-- tested -->\nx\n"
    #expect(Self.blocks(markedBy: "tested", in: text) == [["a", "b # exit status 2"]])
    let table = Self.tables(in: "<!-- generated: upkeep x -->\n| a |\n|---|\n<!-- end -->\n")
    #expect(table.map(\.command) == ["upkeep x"])
    #expect(table.map(\.lines) == [["| a |", "|---|"]])
  }
}
