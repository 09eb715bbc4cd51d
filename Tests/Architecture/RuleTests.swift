import Testing

/// The rules themselves, on code that keeps them and on code that breaks them.
@Suite struct RuleTests {
  private static let rules = ImportRules(
    readme: """
      ### Rooms

      | folder | holds | may import |
      |---|---|---|
      | `Sources/Core` | values | `Logging` |
      | `Sources/Store` | history | `Core`, `GRDB` |
      | `Plugins/*` | plugins | `Core` |

      ### Next

      | `Sources/Other` | not a room | `Core` |
      """)

  @Test func readsTheTableUpToTheNextHeading() {
    #expect(
      Self.rules.allowed == [
        "Sources/Core": ["Logging"], "Sources/Store": ["Core", "GRDB"], "Plugins/*": ["Core"],
      ])
  }

  @Test(arguments: [
    ("import GRDB", "Sources/Core/A.swift", "Sources/Core/A.swift:1: Sources/Core may not import GRDB"),
    (
      "public import struct GRDB.Row", "Sources/Core/A.swift",
      "Sources/Core/A.swift:1: Sources/Core may not import GRDB"
    ),
    ("@testable import Store", "Plugins/A/B/C.swift", "Plugins/A/B/C.swift:1: Plugins/A may not import Store"),
    ("import APlugin", "Plugins/B/B.swift", "Plugins/B/B.swift:1: Plugins/B may not import APlugin"),
    (
      "import Foundation", "Sources/New/A.swift",
      "Sources/New/A.swift:1: Sources/New has no row in the table Rooms"
    ),
  ]) func refusesAnImport(source: String, path: String, message: String) {
    #expect(Self.rules.violations(in: source, at: path).map(\.description) == [message])
  }

  @Test(arguments: [
    ("import Foundation\npublic import Core\nimport GRDB", "Sources/Store/A.swift"),
    ("// import GRDB\nlet text = \"import GRDB\"", "Sources/Core/A.swift"),
    ("/* import\nimport GRDB\n*/", "Sources/Core/A.swift"),
    ("import Core", "Plugins/Any/A.swift"),
  ]) func allowsAnImport(source: String, path: String) {
    #expect(Self.rules.violations(in: source, at: path) == [])
  }

  @Test(arguments: [
    "let a = Date()", "let a = Date.now", "let a = ContinuousClock.now", "let a = ContinuousClock().now",
    "f(.now)", "f(deadline: .now + 3)", "try await Task.sleep(for: .seconds(1))", "Int.random(in: 1...3)",
    "list.shuffled()", "list.randomElement()", "let id = UUID()", "clock_gettime(CLOCK_REALTIME, &spec)", "time(nil)",
    "var g = SystemRandomNumberGenerator()",
  ]) func refusesTheSystemsTimeAndRandomness(source: String) {
    let found = ForbiddenCode.time.flatMap { $0.violations(in: SwiftCode(source), at: "Sources/UpkeepRuntime/A.swift") }
    #expect(found.count == 1)
    let atTheEdge = ForbiddenCode.time.flatMap {
      $0.violations(in: SwiftCode(source), at: "Sources/UpkeepCore/Time/A.swift")
    }
    #expect(atTheEdge == [])
  }

  @Test(arguments: [
    "let a = context.now", "let a = wallClock.now()", "let a = clock.now", "// Date()", "let a = \"Date()\"",
    "let a = Date(timeIntervalSince1970: 0)", "try await clock.sleep(for: .seconds(1))", "let a = random.next()",
    "let a = .nowhere", "let a = #\"Task.sleep(\"#",
  ]) func allowsInjectedTimeAndRandomness(source: String) {
    #expect(
      ForbiddenCode.time.flatMap { $0.violations(in: SwiftCode(source), at: "Sources/UpkeepRuntime/A.swift") } == [])
  }

  @Test(arguments: [
    "let a = try! f()", "fatalError(\"no\")", "preconditionFailure()", "final class A: @unchecked Sendable {}",
    "nonisolated(unsafe) var a = 1",
  ]) func refusesTraps(source: String) {
    #expect(ForbiddenCode.traps.flatMap { $0.violations(in: SwiftCode(source), at: "Plugins/A/A.swift") }.count == 1)
  }

  @Test(arguments: ["let a = try? f()", "// fatalError(", "let a = \"\"\"\ntry!\n\"\"\"", "let fatalErrors = 1"])
  func allowsWhatIsNoTrap(source: String) {
    #expect(ForbiddenCode.traps.flatMap { $0.violations(in: SwiftCode(source), at: "Plugins/A/A.swift") } == [])
  }

  @Test(arguments: ["try await Task.sleep(for: .seconds(1))", "usleep(3)", "sleep(1)", "import XCTest"])
  func refusesInTests(source: String) {
    #expect(ForbiddenCode.inTests.flatMap { $0.violations(in: SwiftCode(source), at: "Tests/A/A.swift") }.count == 1)
  }

  @Test func allowsSleepingByAManualClock() {
    let source = "try await clock.sleep(for: .zero)\nawait clock.sleeps()"
    #expect(ForbiddenCode.inTests.flatMap { $0.violations(in: SwiftCode(source), at: "Tests/A.swift") } == [])
  }

  @Test(arguments: [
    "@Suite struct A {\n  @Test func one() {}\n\n  func two() {}\n}",
    "struct A {\n  func one() {\n    #expect(1 == 1)\n  }\n}",
    "func one() {\n  #expect(1 == 1)\n}",
    "@Suite struct A {\n  @Test(arguments: [1, 2])\n  func one(a: Int) {}\n  func two(a: Int) {}\n}",
  ]) func refusesATestThatWouldNeverRun(source: String) {
    #expect(TestGuard.violations(in: source, at: "Tests/A.swift").count == 1)
  }

  @Test(arguments: [
    "@Suite struct A {\n  @Test func one() {}\n\n  private func two() {}\n}",
    "@Suite struct A {\n  @Test(arguments: [\n    1,\n  ]) func one(a: Int) {\n    func inner() {}\n  }\n}",
    "@Suite struct A {\n  @Test(arguments: [1, 2])\n  func one(a: Int) {}\n}",
    "@Suite struct A {\n  @Test(arguments: [\n    \"one\",\n  ])\n  func one(a: String) {}\n}",
    "struct Conformance {\n  func check(_ a: Int) {\n    #expect(a == 1)\n  }\n}",
    "@Suite struct A {\n  @Test func one() {}\n}\n\nstruct B {\n  func two() {}\n}\n\n@Suite struct C {\n  @Test func three() {\n    #expect(true)\n  }\n}",
    "/// A @Test would stand here.\nstruct A {\n  func helper() {}\n}",
  ]) func acceptsMarkedTestsAndHelpers(source: String) {
    #expect(TestGuard.violations(in: source, at: "Tests/A.swift") == [])
  }

  @Test func knowsAFileWithoutTests() {
    #expect(!TestGuard.hasTest("// @Test\nlet a = \"@Test\""))
    #expect(TestGuard.hasTest("@Test func a() {}"))
  }

  @Test func blanksCommentsAndLiteralsAndKeepsLines() {
    let code = SwiftCode(
      "a /* b /* c */ d */ e\nlet f = \"g \\(h(\"i\")) j\" // k\n#\"l \"m\" \"# n\n\"\"\"\no\n\"\"\" p")
    #expect(code.lines.map { $0.filter { $0 != " " } } == ["ae", "letf=", "n", "", "", "p"])
  }
}
