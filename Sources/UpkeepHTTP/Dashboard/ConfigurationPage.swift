import UpkeepCore
import UpkeepRuns

/// The YAML, with the errors of the last reload at their lines.
struct ConfigurationPage {
  let parts: SiteParts

  func page() async -> Page {
    let status = await parts.configuration.configurationStatus()
    let state: HTML =
      status.isCurrent
      ? "<p>\(Pieces.status("completed", "in force")) since \(Pieces.time(status.loadedAt))</p>"
      : """
      <div class="note bad"><strong>The file as it stands isn't in force.</strong> It was last read
      \(Pieces.time(status.triedAt)); what was loaded \(Pieces.time(status.loadedAt)) stays in force until it is mended.</div>
      """
    let restart = Pieces.note("These keys need a restart", status.restartNeeded, kind: "warn")
    let refused: HTML? = status.refusedYAML.map { text in
      "<h2>The file as it stands</h2>\(Self.lines(text, status.problems))<h2>What is in force</h2>"
    }
    return Page(
      title: "Configuration", place: .configuration, etag: status.hash, isFresh: true,
      content: """
        <h1>Configuration</h1>
        <p class="soft wrap"><code>\(status.path)</code></p>
        \(state)\(Self.list(status))\(restart)\(refused)
        \(Self.lines(status.yaml, []))
        <p class="hint">Secrets are shown as ***. Single values can be changed on a task's page; everything else in the file.</p>
        """)
  }

  /// What other pages say of a file that isn't in force; nothing where it is.
  static func banner(_ status: ConfigurationStatus) -> HTML? {
    guard let first = status.problems.first else { return nil }
    let others = status.problems.count > 1 ? " and \(NumberText.counted(status.problems.count - 1, "more error"))" : ""
    return """
      <div class="note bad"><strong>The file as it stands isn't in force.</strong>
      <p>\(sentence(first, status, page: "/configuration"))</p>
      <p><a href="/configuration">The configuration</a> shows it\(others).</p></div>
      """
  }

  /// All errors, each with a link to its line.
  private static func list(_ status: ConfigurationStatus) -> HTML? {
    guard !status.problems.isEmpty else { return nil }
    let items = status.problems.map { problem -> HTML in "<li>\(sentence(problem, status))</li>" }
    return """
      <div class="note bad"><strong>\(NumberText.counted(status.problems.count, "error"))</strong><ul>\(items)</ul></div>
      """
  }

  /// `line 6, column 5: unknown key intervall`, the place as a link where the line is shown.
  private static func sentence(
    _ problem: ConfigurationProblem, _ status: ConfigurationStatus, page: String = ""
  ) -> HTML {
    guard let line = problem.line, let place = problem.place,
      status.refusedYAML.map({ line <= rows($0).count }) == true
    else { return "\(problem.sentence)" }
    return "<a href=\"\(page)#line-\(line)\">\(place)</a>: \(problem.message)"
  }

  private static func rows(_ text: String) -> [Substring] {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }

  private static func lines(_ text: String, _ problems: [ConfigurationProblem]) -> HTML {
    let items = rows(text).enumerated().map { index, line -> HTML in
      let faults = problems.filter { $0.line == index + 1 }
      guard !faults.isEmpty else { return "<li>\(line)</li>" }
      let notes = faults.map { fault -> HTML in
        "<span class=\"fault\">column \(fault.column ?? 1): \(fault.message)</span>"
      }
      return "<li class=\"wrong\" id=\"line-\(index + 1)\">\(line)\(notes)</li>"
    }
    return "<ol class=\"lines code\" tabindex=\"0\" aria-label=\"Lines of the file\">\(items)</ol>"
  }
}
