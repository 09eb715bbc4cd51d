import Foundation
import Testing
import UpkeepConfiguration
import UpkeepCore

@Suite struct ReportingTests {
  private func rendered(_ yaml: String) -> String {
    let loaded = load(yaml)
    return DiagnosticRenderer(loaded.source).render(loaded.diagnostics)
  }

  @Test func showsTheLineAndACaret() {
    #expect(
      rendered("tasks:\n  noop:\n    interval: 24\n") == """
        u.yaml:3:15: error: interval: 24 has no unit; write 24s, 24m, 24h or 24d [bad_duration]
            interval: 24
                      ^~

        """)
  }

  @Test func putsTheCaretRightBehindTabsAndWideCharacters() {
    #expect(
      rendered("host: {state:\t'日本é', time_zone: Mars}\n").split(separator: "\n").suffix(2) == [
        "host: {state:\t'日本é', time_zone: Mars}", "             \t                    ^~~~",
      ])
  }

  @Test func cutsALongLineAroundThePlace() {
    let padding = String(repeating: "x", count: 300)
    let lines = rendered("host: {state: /\(padding), bogus: 1, listen: 'a:1', allowed_hosts: [\(padding)]}\n")
      .split(separator: "\n")
    #expect(lines[1].first == "…")
    #expect(lines[1].last == "…")
    #expect(lines[1].count == DiagnosticRenderer.width + 2)
    let caret = lines[2].distance(from: lines[2].startIndex, to: lines[2].firstIndex(of: "^") ?? lines[2].startIndex)
    #expect(lines[1].dropFirst(caret).hasPrefix("bogus: 1"))
  }

  @Test func keepsControlCharactersFromTheTerminal() {
    let text = rendered("version: \u{1B}[31m\n")
    #expect(!text.unicodeScalars.contains("\u{1B}"))
    #expect(text.contains("version: \u{FFFD}[31m"))
  }

  @Test func pointsToVariablesAndOptionsToo() {
    let loaded = load("tasks: {noop: }", environment: ["UPKEEP_TASKS__NOOP__INTERVAL": "x"])
    #expect(
      DiagnosticRenderer(loaded.source).render(loaded.diagnostics)
        == "environment UPKEEP_TASKS__NOOP__INTERVAL: error: interval: x isn't a duration; write whole numbers with ms,"
        + " s, m, h, d or w, such as 1h30m or 14d [bad_duration]\n")
  }

  @Test func givesProblemsAsData() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let json = String(decoding: try encoder.encode(DiagnosticReport(load("vesion: 1\n"))), as: UTF8.self)
    #expect(
      json == """
        {"diagnostics":[{"code":"unknown_key","column":1,"file":"u.yaml","line":1,"message":"unknown key vesion; did you \
        mean version?","origin":"u.yaml:1:1","severity":"error","suggestion":"version"}],"errors":1,"file":"u.yaml",\
        "schema_version":1,"valid":false,"warnings":0}
        """)
  }

  @Test func tellsTheOriginOfEveryValue() throws {
    let effective = try configuration(
      "host:\n  listen: localhost:1\n  history: {keep: 5d}\ndatabases: {odds: {sqlite: x}}\ntasks:\n  odds_retention:\n"
        + "    settings: {database: odds, limits: {a: 1s}}\n"
    ).effective
    let shown = effective.entries.map { "\($0.key) = \($0.text) (\($0.origin))" }
    for line in [
      "version = 1 (default)", "host.state = /srv/app/upkeep.sqlite (default)",
      "host.listen = localhost:1 (u.yaml:2:11)", "host.history.keep = 5d (u.yaml:3:19)",
      "host.history.keep_failures = 365d (default)", "databases.odds.sqlite = /srv/app/x (u.yaml:4:28)",
      "tasks.odds_retention.plugin = odds_retention (default)", "tasks.odds_retention.guard.max_percent = 50 (default)",
      "tasks.odds_retention.concurrency.overlap = skip (default)",
      "tasks.odds_retention.settings.odds_keep = 14d (default)",
      "tasks.odds_retention.settings.limits.a = 1s (u.yaml:7:44)",
    ] {
      #expect(shown.contains(line), "\(line)")
    }
    #expect(effective.entries(under: "tasks.odds_retention.settings").count == 7)
  }
}

@Suite struct SecretTests {
  private let secret = "hunter2-geheim"

  private func everything(_ loaded: LoadedConfiguration) throws -> String {
    var text = DiagnosticRenderer(loaded.source).render(loaded.diagnostics) + loaded.source.maskedText
    text += String(decoding: try JSONEncoder().encode(DiagnosticReport(loaded)), as: UTF8.self)
    text += String(decoding: try JSONEncoder().encode(loaded.configuration?.effective.entries ?? []), as: UTF8.self)
    return text
  }

  @Test(arguments: [
    "databases: {odds: {sqlite: x}}\ntasks:\n  odds_retention:\n    settings: {database: odds, token: SECRET}\n",
    "databases: {odds: {sqlite: x}}\ntasks:\n  odds_retention:\n    settings: {database: odds, token: SECRET, x: 1}\n",
    "tasks:\n  odds_retention:\n    settings:\n      token: [SECRET]\n",
    "tasks:\n  odds_retention:\n    settings:\n      token: |\n        SECRET\n        SECRET\n",
    "tasks:\n  odds_retention:\n    settings:\n      token: SECRET: x\n",
    "tasks:\n  odds_retention:\n    settings:\n      token: \"SECRET\n",
    "databases: {odds: {postgres: 'postgresql://u:SECRET@h/d'}}\n",
    "databases: {odds: {postgres: 'postgresql://u:a/SECRET@h/d', bogus: 1}}\n",
    "databases: {odds: {postgres: 'host=h password=SECRET'}}\n",
    "host: {listen: 'http://u:SECRET@h'}\n",
    "host: {on_failure: {webhook: 'https://u:SECRET@h/x', afte: 1}}\n",
    "host: {on_failure: {webhook: 'https://u:SECRET@h/x'}}\n",
  ])
  func areNeverShown(_ yaml: String) throws {
    let loaded = load(yaml.replacingOccurrences(of: "SECRET", with: secret))
    let shown = try everything(loaded)
    #expect(!shown.contains(secret), "\(shown)")
    #expect(shown.contains(Secret.mask))
  }

  @Test func areNotShownFromTheEnvironmentEither() throws {
    let yaml =
      "databases: {odds: {sqlite: x}}\ntasks:\n  odds_retention:\n    settings: {database: odds, token: '${T}'}\n"
    #expect(!(try everything(load(yaml, environment: ["T": secret])).contains(secret)))
    let variable = ["UPKEEP_TASKS__ODDS_RETENTION__SETTINGS__TOKEN": "{a: \(secret)}", "T": ""]
    let loaded = load(yaml, environment: variable)
    #expect(loaded.hasErrors)
    #expect(!(try everything(loaded).contains(secret)))
  }

  @Test func keepTheCaretAtItsPlace() {
    let loaded = load(
      "databases: {odds: {sqlite: x}}\ntasks:\n  odds_retention:\n    settings: {database: odds, token: \(secret), x: 1}\n"
    )
    #expect(
      DiagnosticRenderer(loaded.source).render(loaded.diagnostics).split(separator: "\n").suffix(2) == [
        "    settings: {database: odds, token: ***, x: 1}", "                                           ^",
      ])
  }
}
