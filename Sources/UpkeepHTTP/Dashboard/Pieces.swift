import UpkeepCore
import UpkeepRuns

/// The pieces that pages are made of.
enum Pieces {
  /// An instant: in UTC as it is sent, on the viewer's clock once scripts run.
  static func time(_ instant: Timestamp?, relativeTo now: Timestamp? = nil) -> HTML {
    guard let instant else { return "<span class=\"soft\">–</span>" }
    let text = "\(instant.minuteText):\(instant.civil.second < 10 ? "0" : "")\(instant.civil.second) UTC"
    guard let now else { return "<time datetime=\"\(instant.rfc3339)\" title=\"\(text)\">\(text)</time>" }
    let difference = instant - now
    let words =
      difference >= .zero
      ? "in \(NumberText.milliseconds(difference.milliseconds))"
      : NumberText.age(.zero - difference)
    return "<time data-relative datetime=\"\(instant.rfc3339)\" title=\"\(text)\">\(words)</time>"
  }

  /// A state: a glyph, a word and a colour.
  static func status(_ name: String, _ text: String? = nil) -> HTML {
    let words = text ?? name.replacing("_", with: " ")
    return """
      <span class="status \(name)"><span aria-hidden="true">\(glyph(name))</span> \(words)</span>
      """
  }

  /// A sign for a state, so that colour isn't all.
  static func glyph(_ name: String) -> String {
    switch name {
    case "completed": "✓"
    case "completed_with_errors": "!"
    case "failed": "✗"
    case "timed_out": "◷"
    case "interrupted": "⚡"
    case "cancelled": "■"
    case "refused": "⊘"
    case "skipped": "»"
    case "missed": "○"
    case "queued": "…"
    case "running": "▶"
    case "paused": "‖"
    case "enabled": "●"
    default: "–"
    }
  }

  /// A duration in milliseconds.
  static func duration(_ milliseconds: Int?) -> String {
    milliseconds.map { NumberText.milliseconds($0) } ?? "–"
  }

  /// A run as one square: a link that says all of it.
  static func strip(_ runs: [RunGlance]) -> HTML {
    guard !runs.isEmpty else { return "<span class=\"soft\">No run yet</span>" }
    let cells = runs.reversed().map { run -> HTML in
      let words = "\(run.status.rawValue.replacing("_", with: " ")), \(duration(run.durationMilliseconds))"
      let label = "\(words), \((run.startedAt ?? run.finishedAt)?.minuteText ?? "not started") UTC"
      return """
        <li><a class="\(run.status.rawValue)" href="/runs/\(run.runID)" title="\(label)" aria-label="\(label)">\
        \(glyph(run.status.rawValue))</a></li>
        """
    }
    return "<ol class=\"strip\" aria-label=\"The last runs, newest last\">\(cells)</ol>"
  }

  /// A button for ``app.js``; without scripts there is none.
  static func button(
    _ label: String, _ action: String, _ data: KeyValuePairs<StaticString, String>, kind: String = "",
    isOff: Bool = false
  ) -> HTML {
    let attributes = data.map { name, value -> HTML in " data-\(name)=\"\(value)\"" }
    let off: HTML = isOff ? " disabled" : ""
    let focus = "\(action)-\(data.map(\.value).joined(separator: "-"))"
    return """
      <button type="button" class="needs-script \(kind)" data-action="\(action)" data-focus="\(focus)"\(attributes)\(off)>\
      \(label)</button>
      """
  }

  /// A bar that shows a share, from nothing to the whole; nothing where there is no whole, or it isn't known.
  static func share(_ part: Int, of whole: Int?) -> HTML? {
    guard let whole, whole > 0 else { return nil }
    let percent = min(100, 100 * Double(part) / Double(whole))
    let text = part > 0 && percent < 0.1 ? "<0.1" : NumberText.tenths(percent)
    let width = NumberText.tenths(part > 0 ? max(percent, 0.6) : 0)
    return """
      <div class="sharing"><svg class="share" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label="\(text) %">\
      <rect class="rest" width="100" height="8" rx="1"/><rect class="bar" width="\(width)" height="8" rx="1"/></svg>\
      <span class="small soft">\(text) %</span></div>
      """
  }

  /// A note, with a list where there are several lines.
  static func note(_ title: String, _ lines: [String], kind: String) -> HTML? {
    guard !lines.isEmpty else { return nil }
    let items = lines.map { line -> HTML in "<li>\(line)</li>" }
    return "<div class=\"note \(kind)\"><strong>\(title)</strong><ul>\(items)</ul></div>"
  }

  /// What there is to say where there is nothing.
  static func empty(_ text: String) -> HTML { "<p class=\"empty\">\(text)</p>" }

  /// Runs as a table.
  static func runs(_ runs: [RunResult], caption: String, namesTask: Bool = true) -> HTML {
    let rows = runs.map { run -> HTML in
      let task: HTML? = namesTask ? "<td data-label=\"Task\"><a href=\"/tasks/\(run.task)\">\(run.task)</a></td>" : nil
      let rows = run.tables.reduce(0) { $0 + $1.deleted }
      let reason: HTML? = run.reason.map { "<span class=\"small soft\"> \($0)</span>" }
      return """
        <tr><td data-label="Started"><a href="/runs/\(run.runID)">\(time(run.startedAt ?? run.finishedAt))</a></td>\(task)
        <td data-label="What">\(run.mode.rawValue), \(run.trigger.rawValue)</td>
        <td data-label="Outcome">\(status(run.status.rawValue))\(reason)</td>
        <td data-label="Duration" class="number">\(duration(run.durationMilliseconds))</td>
        <td data-label="Rows removed" class="number">\(run.mode == .run ? NumberText.grouped(rows) : "–")</td></tr>
        """
    }
    let task: HTML? = namesTask ? "<th scope=\"col\">Task</th>" : nil
    return """
      <table class="cards"><caption>\(caption)</caption><thead><tr><th scope="col">Started</th>\(task)\
      <th scope="col">What</th><th scope="col">Outcome</th><th scope="col" class="number">Duration</th>\
      <th scope="col" class="number">Rows removed</th></tr></thead><tbody>
      \(rows)
      </tbody></table>
      """
  }
}
