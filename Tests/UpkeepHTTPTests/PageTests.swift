import Testing
import UpkeepCore
import UpkeepRuns

import UpkeepTestKit

@testable import UpkeepHTTP

/// The dashboard's pages as they are sent: what a reader without scripts has.
@Suite struct PageTests {
  private let host = FakeHost()
  private static let evil = "<script>alert(1)</script>\"'&"
  private static let escaped = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"

  private func page(_ path: String) async throws -> String {
    let answer = try await host.site().ask("GET", path)
    #expect(answer.response.header("Content-Type") == "text/html; charset=utf-8")
    return answer.text
  }

  private func save(_ result: RunResult, group: String? = nil) async throws {
    try await host.store.save(
      RunRecord(result: result, owner: nil, groupRunID: group, createdAt: host.wallClock.now()))
  }

  @Test func emptyPagesSaySo() async throws {
    #expect(try await page("/").contains("Never run"))
    #expect(try await page("/tasks/odds_retention").contains("Nobody has previewed it yet"))
    #expect(try await page("/tasks/heartbeat").contains("It hasn&#39;t run yet."))
    #expect(try await page("/timeline").contains("Nothing ran in the last 24 hours."))
    #expect(try await page("/configuration").contains("<li>version: 1</li>"))
  }

  @Test(arguments: ["/tasks/nothing", "/runs/nothing", "/runs/%3Cscript%3E"])
  func whatIsNotThereIsAPage(_ path: String) async throws {
    let answer = try await host.site().ask("GET", path)
    #expect(answer.status == 404 && answer.text.contains("<h1>Not Found</h1>"))
    #expect(!answer.text.contains("<script>"))
  }

  @Test func nothingThatComesFromElsewhereBecomesHTML() async throws {
    var result = host.result("odds_retention", .completedWithErrors)
    result.reason = Self.evil
    result.warnings = [Self.evil]
    result.errors = [RunError(step: Self.evil, code: "x", message: Self.evil)]
    result.counts = [Self.evil: 3]
    result.tables = [TableResult(table: Self.evil, deleted: 3, total: 9)]
    result.progress = RunProgress(percent: 3, message: Self.evil)
    result.host = Self.evil
    result.details = [.object(["kind": "database", "name": .string(Self.evil), "longest_hold_ms": .number(2.5)])]
    try await save(result)
    host.wallClock.set(host.wallClock.now() + .seconds(1))
    var preview = result
    preview.runID = RunID.make(at: host.wallClock.now(), random: host.random)
    preview.mode = .preview
    try await save(preview)
    host.wallClock.set(host.wallClock.now() + .seconds(1))
    var live = result
    live.runID = RunID.make(at: host.wallClock.now(), random: host.random)
    live.status = .running
    try await save(live)
    try await host.store.pause(
      TaskPause(
        task: "odds_retention", until: nil, reason: Self.evil, by: Self.evil, since: host.wallClock.now()))
    host.set { state in
      state.yaml = "a: \(Self.evil)\n"
      state.problems = [ConfigurationProblem(Diagnostic(code: "x", Self.evil))]
    }
    for path in [
      "/", "/tasks/odds_retention", "/runs/\(result.runID)", "/runs/\(preview.runID)", "/runs/\(live.runID)",
      "/timeline", "/configuration",
    ] {
      let text = try await page(path)
      #expect(!text.contains("<script>alert"), "\(path)")
      #expect(text.contains(Self.escaped), "\(path)")
    }
  }

  @Test func noPageNeedsWhatThePolicyForbids() async throws {
    let run = host.result("odds_retention", .completed)
    try await save(run)
    for path in ["/", "/tasks/odds_retention", "/runs/\(run.runID)", "/timeline", "/configuration", "/login"] {
      let text = try await page(path)
      #expect(!text.contains(" style=") && !text.contains("<style") && !text.contains("javascript:"), "\(path)")
      #expect(text.ranges(of: /<script(?! src="\/assets\/app\.js" defer><\/script>)/).isEmpty, "\(path)")
      #expect(text.ranges(of: /\son[a-z]+=/).isEmpty, "\(path)")
      #expect(text.ranges(of: /\s(src|href|action)="(?!\/|#)/).isEmpty, "\(path)")
    }
  }

  @Test func thePreviewsButtonNamesTheNumbersAndIsBoundToIt() async throws {
    var preview = host.result("odds_retention", .completed, mode: .preview)
    preview.tables = [TableResult(table: "a", deleted: 1200), TableResult(table: "b", deleted: 34)]
    try await save(preview)
    let text = try await page("/runs/\(preview.runID)")
    #expect(text.contains("data-action=\"agree\""))
    #expect(text.contains("data-preview=\"\(preview.runID)\""))
    #expect(text.contains("Run now: removes 1,234 rows"))
    preview.runID = RunID.make(at: host.wallClock.now(), random: host.random)
    preview.guardVerdict = GuardVerdict(
      wouldRefuse: true, overridden: false, maxPercent: 50, minRows: 1000,
      tables: [GuardedTable(table: "a", doomed: 1200, total: 1300, percent: 92.3)])
    try await save(preview)
    let refused = try await page("/runs/\(preview.runID)")
    #expect(refused.contains("a: 1,200 of 1,300 rows, 92.3 %"))
    #expect(refused.contains("Run against the guard: removes 1,234 rows") && !refused.contains("Run now:"))
  }

  @Test func aRunThatWorksSaysSoOnceAndWhatItDidSoFar() async throws {
    var run = host.result("odds_retention", .running)
    run.finishedAt = nil
    try await save(run)
    let early = try await page("/runs/\(run.runID)")
    #expect(early.ranges(of: "class=\"status running\"").count == 1)
    #expect(early.contains("<table class=\"far\" hidden>"))
    run.tables = [TableResult(table: "a", deleted: 1200)]
    try await save(run)
    let later = try await page("/runs/\(run.runID)")
    #expect(later.contains("<table class=\"far\"><caption>So far</caption>"))
    #expect(later.contains("<th scope=\"row\">a</th><td class=\"number\">1,200</td>"))
    run.status = .completed
    run.finishedAt = host.wallClock.now()
    try await save(run)
    let over = try await page("/runs/\(run.runID)")
    #expect(!over.contains("class=\"far\"") && over.contains("class=\"status completed\""))
  }

  @Test func everyValueOfATaskSaysWhereItComesFrom() async throws {
    let text = try await page("/tasks/odds_retention")
    for (key, origin) in [("enabled", "default"), ("timeout", "upkeep.yaml:7:14"), ("odds_keep", "default")] {
      let row = try #require(text.firstMatch(of: try Regex("<code>\(key)</code>(?s:.*?)</tr>")))
      #expect(text[row.range].contains("data-label=\"From\" class=\"small soft wrap\">\(origin)</td>"), "\(key)")
    }
  }

  @Test func aRefusedFileIsShownWithItsErrorsAtTheirLines() async throws {
    var problem = ConfigurationProblem(Diagnostic(code: "bad_duration", "interval: 5 has no unit"))
    problem.line = 2
    problem.column = 11
    let fault = problem
    host.set { state in
      state.problems = [fault]
      state.refusedYAML = "tasks:\n interval: 5\n"
    }
    let text = try await page("/configuration")
    #expect(text.contains("The file as it stands isn't in force."))
    let line =
      "<li class=\"wrong\" id=\"line-2\"> interval: 5<span class=\"fault\">column 11: interval: 5 has no unit</span>"
    #expect(text.contains(line))
  }
}
