import Testing
import UpkeepCore

@testable import upkeep

/// What the ends of tasks mean for the program's own.
@Suite struct ExitStatusMappingTests {
  private func result(_ status: RunStatus, mode: RunMode = .run) -> RunResult {
    RunResult(runID: "x", task: "a", plugin: "p", mode: mode, trigger: .manual, status: status, host: "h")
  }

  private static let codes: [(status: RunStatus, code: Int32)] = [
    (.completed, 0), (.completedWithErrors, 3), (.failed, 1), (.cancelled, 1), (.timedOut, 6), (.skipped, 5),
    (.refused, 2), (.interrupted, 1),
  ]

  @Test(arguments: codes) func mapsEachStatus(status: RunStatus, code: Int32) {
    #expect(ExitStatus(status).rawValue == code)
    #expect(ExitStatus.worst(of: [result(status)]).rawValue == code)
  }

  @Test func takesTheWorstInOrder() {
    let order: [RunStatus] = [.failed, .timedOut, .refused, .completedWithErrors, .skipped, .completed]
    for (index, worst) in order.enumerated() {
      let results = order[index...].reversed().map { result($0) }
      #expect(ExitStatus.worst(of: results) == ExitStatus(worst))
    }
  }

  @Test func isDoneForNothing() {
    #expect(ExitStatus.worst(of: []) == .done)
  }
}

/// What the program takes from its surroundings.
@Suite struct ConsoleTests {
  @Test(arguments: [
    ([:], true), (["NO_COLOR": "1"], false), (["NO_COLOR": ""], true), (["TERM": "dumb"], false),
    (["TERM": "xterm"], true),
  ]) func coloursUnlessToldNotTo(environment: [String: String], expected: Bool) {
    #expect(Console.mayColour(noColour: false, environment: environment) == expected)
    #expect(!Console.mayColour(noColour: true, environment: environment))
  }

  @Test func paintsOnlyWhereItIsOn() {
    #expect(Paint(isOn: true).red("x") == "\u{1B}[31mx\u{1B}[0m")
    #expect(Paint(isOn: false).red("x") == "x")
  }

  @Test(arguments: [
    (["lst"], "unknown command lst; did you mean list?"), (["xyzzy"], "unknown command xyzzy"),
  ]) func suggestsACommand(arguments: [String], message: String) {
    #expect(UpkeepCommand.unknownCommand(in: arguments) == message)
  }

  @Test(arguments: [[], ["run"], ["--version"], ["help", "run"], ["list", "x"]])
  func takesAKnownCommand(arguments: [String]) {
    #expect(UpkeepCommand.unknownCommand(in: arguments) == nil)
  }

  @Test(arguments: [
    ("upkeep", "upkeep"), ("/a/b/.build/release/upkeep", ".build/release/upkeep"), ("/x/upkeep", "/x/upkeep"),
    ("./upkeep", "./upkeep"),
  ]) func namesTheProgramAsItIsCalled(word: String, program: String) {
    #expect(DemoText.program(calledAs: word, in: "/a/b") == program)
  }

  @Test func writesJSONForPeopleAndForPrograms() throws {
    #expect(try JSONText.document(["b": "x/y", "a": "1"], pretty: false) == #"{"a":"1","b":"x/y"}"#)
    #expect(try JSONText.document(["a": 1], pretty: true) == "{\n  \"a\" : 1\n}")
  }
}
