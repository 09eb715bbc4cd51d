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
    let placeless = Pieces.note(
      "Errors without a line", status.problems.filter { $0.line == nil }.map(\.message), kind: "bad")
    let refused: HTML? = status.refusedYAML.map { text in
      "<h2>The file as it stands</h2>\(Self.lines(text, status.problems))<h2>What is in force</h2>"
    }
    return Page(
      title: "Configuration", place: .configuration, etag: status.hash, isFresh: true,
      content: """
        <h1>Configuration</h1>
        <p class="soft wrap"><code>\(status.path)</code></p>
        \(state)\(restart)\(placeless)\(refused)
        \(Self.lines(status.yaml, []))
        <p class="hint">Secrets are shown as ***. Single values can be changed on a task's page; everything else in the file.</p>
        """)
  }

  private static func lines(_ text: String, _ problems: [ConfigurationProblem]) -> HTML {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    let items = lines.enumerated().map { index, line -> HTML in
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
