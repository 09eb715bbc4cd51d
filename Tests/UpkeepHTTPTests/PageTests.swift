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

  /// A run's page says what the guard said, table by table, and with which settings it ran.
  @Test(arguments: [
    (RunStatus.completed, true, "The guard was overridden: more than 50 % of a table went", "note warn"),
    (.refused, false, "The guard refused: more than 50 % of a table would have gone", "note bad"),
  ])
  func aRunTellsOfTheGuard(status: RunStatus, overridden: Bool, lead: String, kind: String) async throws {
    var run = host.result("odds_retention", status)
    run.settings = ["odds_keep": "2d"]
    try await save(run)
    let plain = try await page("/runs/\(run.runID)")
    #expect(!plain.contains("The guard") && plain.contains("<dt>Settings</dt><dd class=\"wrap\">odds_keep: 2d</dd>"))
    run.runID = RunID.make(at: host.wallClock.now(), random: host.random)
    run.guardVerdict = GuardVerdict(
      wouldRefuse: true, overridden: overridden, maxPercent: 50, minRows: 1000,
      tables: [
        GuardedTable(table: "a<b", doomed: 1200, total: 1300, percent: 92.3),
        GuardedTable(table: "c", doomed: 6000, total: 10_000, percent: 60),
      ])
    try await save(run)
    let text = try await page("/runs/\(run.runID)")
    #expect(text.contains(lead) && text.contains(kind))
    #expect(text.contains("a&lt;b: 1,200 of 1,300 rows, 92.3 %") && text.contains("c: 6,000 of 10,000 rows, 60 %"))
  }

  @Test func theShareIsThatOfTheTableByWhichTheGuardJudges() async throws {
    var preview = host.result("odds_retention", .completed, mode: .preview)
    preview.tables = [
      TableResult(table: "a", deleted: 433, total: 1725), TableResult(table: "b", deleted: 567),
      TableResult(table: "c", deleted: 0, total: 0),
    ]
    preview.tables[1].keep(3, referencedBy: ["bets", "no<tes"])
    try await save(preview)
    let text = try await page("/runs/\(preview.runID)")
    #expect(text.contains("By table. Share: of the table, by which the guard judges. Kept: "))
    #expect(text.contains("<li>Kept in b: rows of bets, no&lt;tes refer to them</li>"))
    #expect(
      text.contains("<td data-label=\"Of\" class=\"number\">1,725</td><td data-label=\"Share\"><div class=\"sharing\">")
    )
    #expect(
      text.contains(
        "<rect class=\"bar\" width=\"25.1\" height=\"8\" rx=\"1\"/></svg><span class=\"small soft\">25.1 %</span>"))
    #expect(text.ranges(of: "class=\"sharing\"").count == 1 && !text.contains("43.3 %") && !text.contains("56.7 %"))
    #expect(text.contains("<td data-label=\"Of\" class=\"number\"></td><td data-label=\"Share\"></td>"))
    preview.runID = RunID.make(at: host.wallClock.now(), random: host.random)
    preview.tables = [TableResult(table: "a", deleted: 433), TableResult(table: "b", deleted: 567)]
    try await save(preview)
    let unknown = try await page("/runs/\(preview.runID)")
    #expect(!unknown.contains("Share") && !unknown.contains("class=\"sharing\""))
  }

  @Test func aPreviewWithOtherSettingsThanNowIsNotCurrent() async throws {
    var preview = host.result("odds_retention", .completed, mode: .preview)
    preview.settings = ["database": "odds", "odds_keep": "30d"]
    preview.tables = [TableResult(table: "a", deleted: 1200)]
    try await save(preview)
    host.set { $0.runSettings = ["database": "odds", "odds_keep": "30d"] }
    for path in ["/tasks/odds_retention", "/runs/\(preview.runID)"] {
      let text = try await page(path)
      #expect(text.contains("Run now: removes 1,200 rows") && !text.contains("Made before the settings changed"))
    }
    host.set { $0.runSettings = ["database": "odds", "odds_keep": "20d"] }
    for path in ["/tasks/odds_retention", "/runs/\(preview.runID)"] {
      let text = try await page(path)
      #expect(
        text.contains(
          "<div class=\"note warn\"><strong>Made before the settings changed, or with others; preview again.</strong>"
            + "<ul><li>odds_keep: 30d then, 20d now</li></ul></div>"))
      #expect(text.contains(" and with the settings of then, a run removes 1,200 rows."))
      #expect(!text.contains("data-action=\"agree\"") && text.contains("data-action=\"preview\""))
      #expect(text.contains("<tr><th scope=\"row\" class=\"wrap\">a</th>"), "it still can be read")
    }
    #expect(try await page("/runs/\(preview.runID)").contains(">Preview again</button>"))
  }

  @Test func numbersAreGrouped() async throws {
    var run = host.result("odds_retention", .completed)
    run.details = [
      .object([
        "kind": "database", "name": "odds", "longest_hold_ms": .number(22.5), "rows_per_second": .integer(140_984),
      ])
    ]
    try await save(run)
    #expect(try await page("/runs/\(run.runID)").contains("<li>odds: longest lock 22.5 ms, 140,984 rows/s</li>"))
  }

  @Test func aPausedTaskComesNextWhenThePauseIsOver() async throws {
    var pause = TaskPause(
      task: "heartbeat", until: host.wallClock.now() + .seconds(90), reason: "", by: "ann", since: host.wallClock.now())
    try await host.store.pause(pause)
    host.set { $0.nextRun = 120 }
    let text = try await page("/tasks/heartbeat")
    #expect(text.contains(">in 2 min 0 s</time></span><div class=\"small soft\">after the pause</div>"))
    pause.until = nil
    try await host.store.pause(pause)
    host.set { $0.nextRun = nil }
    #expect(
      try await page("/tasks/heartbeat").contains(
        "<dt>Next run</dt><dd><span class=\"soft\">when it is resumed</span></dd>"))
  }

  @Test func aTaskThatIsSwitchedOnLooksSo() async throws {
    let text = try await page("/tasks/heartbeat")
    #expect(text.contains("<span class=\"status enabled\"><span aria-hidden=\"true\">●</span> enabled</span>"))
    host.set { $0.disabled = ["heartbeat"] }
    #expect(try await page("/tasks/heartbeat").contains("<span aria-hidden=\"true\">–</span> disabled</span>"))
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
    let list =
      "<div class=\"note bad\"><strong>1 error</strong><ul><li><a href=\"#line-2\">line 2, column 11</a>: "
      + "interval: 5 has no unit</li></ul></div>"
    #expect(text.contains(list))
  }

  @Test func theFirstErrorOfARefusedFileIsOnTheFirstPageAndAllAreOnItsOwn() async throws {
    var problems = ["bad_duration", "unknown_key", "unexpected_end", "no_file"].map {
      ConfigurationProblem(Diagnostic(code: $0, "it is \($0)"))
    }
    (problems[0].line, problems[0].column) = (2, 11)
    (problems[1].line, problems[1].column) = (1, 1)
    (problems[2].line, problems[2].column) = (3, 1)
    let found = problems
    host.set { state in
      state.problems = found
      state.refusedYAML = "tasks:\n interval: 5\n"
    }
    let first = try await page("/")
    #expect(
      first.contains(
        "<p><a href=\"/configuration#line-2\">line 2, column 11</a>: it is bad_duration</p>\n"
          + "<p><a href=\"/configuration\">The configuration</a> shows it and 3 more errors.</p></div>"))
    let all = try await page("/configuration")
    let list = try #require(all.firstRange(of: "<strong>4 errors</strong>"))
    let text = try #require(all.firstRange(of: "The file as it stands</h2>"))
    #expect(list.lowerBound < text.lowerBound)
    for item in [
      "<li><a href=\"#line-2\">line 2, column 11</a>: it is bad_duration</li>",
      "<li><a href=\"#line-1\">line 1, column 1</a>: it is unknown_key</li>",
      // There is no third line to link to.
      "<li>line 3, column 1: it is unexpected_end</li>", "<li>it is no_file</li>",
      "<li class=\"wrong\" id=\"line-1\">", "<li class=\"wrong\" id=\"line-2\">",
    ] { #expect(all.contains(item), "\(item)") }
    host.set { $0.problems = Array(found.suffix(1)) }
    let placeless = try await page("/")
    #expect(
      placeless.contains("<p>it is no_file</p>\n<p><a href=\"/configuration\">The configuration</a> shows it.</p>"))
  }
}
