import Foundation
import Testing

/// The README's guide to writing a plugin shows the code that is compiled and run here.
@Suite struct GuideTests {
  @Test(arguments: ["SessionExpirySettings.swift", "SessionExpiryTask.swift", "SessionExpiryTests.swift"])
  func showsTheCodeThatConforms(file: String) throws {
    let tests = URL(filePath: #filePath).deletingLastPathComponent()
    let root = tests.deletingLastPathComponent().deletingLastPathComponent()
    let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
    let parts = readme.components(separatedBy: "<!-- guide: \(file) -->\n```swift\n")
    try #require(parts.count == 2)
    // There the plugin is a module of its own.
    let shown = parts[1].components(separatedBy: "```\n")[0].replacing("import SessionExpiryPlugin\n", with: "")
    #expect(shown == (try String(contentsOf: tests.appending(path: "Guide/\(file)"), encoding: .utf8)))
  }
}
