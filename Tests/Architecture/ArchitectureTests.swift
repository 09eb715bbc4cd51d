import Foundation
import Testing

/// Holds the house to its own rules. Every check is tried both ways: on the sources, and on code that breaks it.
@Suite struct ArchitectureTests {
  private func violations(
    under folders: [String], _ check: (_ source: String, _ path: String) throws -> [Violation]
  ) throws -> [Violation] {
    try folders.flatMap { folder in
      try SourceTree.swiftFiles(under: folder).flatMap { try check(try SourceTree.text($0), $0) }
    }
  }

  @Test func importsOnlyWhatTheTableOfRoomsAllows() throws {
    let rules = ImportRules(readme: try SourceTree.text("README.md"))
    let found = try violations(under: ["Sources", "Plugins"]) { rules.violations(in: $0, at: $1) }
    #expect(found == [])
  }

  @Test func hasOneRowForEachRoom() throws {
    let rules = ImportRules(readme: try SourceTree.text("README.md"))
    let rooms = try SourceTree.folders(under: "Sources").filter { try !SourceTree.swiftFiles(under: $0).isEmpty }
    #expect(rules.allowed.keys.sorted() == (["Plugins/*"] + rooms).sorted())
  }

  @Test func asksNobodyButTheInjectedClocksAndRandomness() throws {
    let found = try violations(under: ["Sources", "Plugins"]) { source, path in
      let code = SwiftCode(source)
      return ForbiddenCode.time.flatMap { $0.violations(in: code, at: path) }
    }
    #expect(found == [])
  }

  @Test func neverTrapsAndNeverSilencesTheConcurrencyChecks() throws {
    let found = try violations(under: ["Sources", "Plugins"]) { source, path in
      let code = SwiftCode(source)
      return ForbiddenCode.traps.flatMap { $0.violations(in: code, at: path) }
    }
    #expect(found == [])
  }

  @Test func sleepsInNoTest() throws {
    let found = try violations(under: ["Tests"]) { source, path in
      let code = SwiftCode(source)
      return ForbiddenCode.inTests.flatMap { $0.violations(in: code, at: path) }
    }
    #expect(found == [])
  }

  @Test func hasTestsInEveryTestFolder() throws {
    let empty = try SourceTree.folders(under: "Tests").filter { folder in
      let files = try SourceTree.swiftFiles(under: folder)
      // A folder without Swift, such as that of the benchmarks, is no test target.
      return try !files.isEmpty && !files.contains { TestGuard.hasTest(try SourceTree.text($0)) }
    }
    #expect(empty == [])
  }

  @Test func marksEveryTest() throws {
    let found = try violations(under: ["Tests"]) { TestGuard.violations(in: $0, at: $1) }
    #expect(found == [])
  }
}
