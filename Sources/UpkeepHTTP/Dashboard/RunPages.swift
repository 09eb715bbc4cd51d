import Foundation
import UpkeepCore
import UpkeepRuns

/// The pages of runs: one run or preview, and a group's.
struct RunPages {
  let parts: SiteParts

  /// One run, preview or group.
  func one(_ runID: String) async throws -> Page {
    guard let record = try await parts.runs.record(runID) else {
      guard let group = try await parts.groups.document(runID) else { throw SiteParts.unknownRun(runID) }
      return self.group(group)
    }
    let result = record.result
    let hash = await parts.configuration.configurationStatus().hash
    let isPreview = result.mode == .preview
    let isOver = result.status.isFinal
    let what: HTML
    if isPreview, isOver {
      let task = try await parts.status.task(result.task)
      let again: HTML? =
        task?.hasPreview == true ? Pieces.button("Preview again", "preview", ["task": result.task]) : nil
      what = Self.preview(result, of: task, now: parts.wallClock.now(), beside: again)
    } else {
      what = Self.outcome(result)
    }
    let group: HTML? = record.groupRunID.map { "<dt>Group</dt><dd><a href=\"/runs/\($0)\">\($0)</a></dd>" }
    return Page(
      title: "\(isPreview ? "Preview" : "Run") of \(result.task)", place: nil, etag: hash, isFresh: isPreview && isOver,
      content: """
        <p class="small"><a href="/tasks/\(result.task)">\(result.task)</a></p>
        <h1>\(isPreview ? "Preview" : "Run") of \(result.task)</h1>
        \(Self.standing(result))
        \(Self.verdict(result))
        \(what)
        \(Self.troubles(result))
        <h2>All of it</h2>
        <dl class="facts"><dt>Started</dt><dd>\(Pieces.time(result.startedAt))</dd>
        <dt>Ended</dt><dd>\(Pieces.time(result.finishedAt))</dd>
        <dt>Duration</dt><dd>\(Pieces.duration(result.durationMilliseconds))</dd>
        <dt>Started by</dt><dd>\(result.trigger.rawValue)</dd><dt>On</dt><dd>\(result.host)</dd>
        <dt>Run</dt><dd><code>\(result.runID)</code></dd>\(group)\(Self.settings(result))</dl>
        \(Self.counts(result))
        <details><summary>Result as JSON</summary><pre>\(Self.json(result))</pre></details>
        """)
  }

  /// How it ended, or how far it is and what moves while it works.
  private static func standing(_ result: RunResult) -> HTML {
    let status = Pieces.status(result.status.rawValue)
    guard !result.status.isFinal else {
      let reason: HTML? = result.reason.map { "<span class=\"wrap\">\($0)</span>" }
      return "<p><span class=\"state\">\(status)</span> \(reason)</p>"
    }
    let parts =
      result.tables.isEmpty
      ? result.counts.sorted { $0.key < $1.key } : result.tables.map { ($0.table, $0.deleted) }
    let rows = parts.map { name, count -> HTML in
      "<tr><th scope=\"row\">\(name)</th><td class=\"number\">\(NumberText.grouped(count))</td></tr>"
    }
    let hidden: HTML? = rows.isEmpty ? " hidden" : nil
    return """
      <section class="live" data-live="\(result.runID)" data-status="\(result.status.rawValue)" \
      data-began="\(result.startedAt?.rfc3339 ?? "")" aria-label="Progress">
      <p><span class="state">\(status)</span>
      <strong class="percent">\(NumberText.tenths(result.progress.percent)) %</strong>
      <span class="message">\(result.progress.message)</span></p>
      <progress max="100" value="\(NumberText.tenths(result.progress.percent))" aria-label="Progress"></progress>
      <p class="rate soft"></p>
      <table class="far"\(hidden)><caption>So far</caption><tbody>\(rows)</tbody></table>
      <ul class="log small"></ul>
      <div class="actions">\(Pieces.button("Cancel", "cancel", ["run": result.runID], kind: "danger"))</div>
      <p class="hint without-script">Load this page again to see how far it is.</p>
      </section>
      """
  }

  /// What a finished preview found, and the button that runs exactly that, beside another one.
  static func preview(_ result: RunResult, of task: TaskStatus?, now: Timestamp, beside again: HTML?) -> HTML {
    let rows = result.tables.reduce(0) { $0 + $1.deleted }
    let isGood = result.status == .completed || result.status == .completedWithErrors
    let verdict = result.guardVerdict.flatMap { $0.wouldRefuse && !$0.overridden ? $0 : nil }
    let refusal: HTML? = verdict.map { verdict in
      let tables = verdict.tables.map { table -> HTML in
        "<li>\(table.table): \(NumberText.grouped(table.doomed)) of \(NumberText.grouped(table.total)) rows, "
          + "\(NumberText.tenths(table.percent)) %</li>"
      }
      return """
        <div class="note bad"><strong>The guard would refuse this run</strong>: more than
        \(NumberText.tenths(verdict.maxPercent)) % of a table would go.<ul>\(tables)</ul></div>
        """
    }
    let what = result.tables.isEmpty ? changes(result) : "removes \(NumberText.counted(rows, "row"))"
    let differences = isGood ? task.map { Self.differences(result, from: $0) } ?? [] : []
    let button: HTML?
    if !isGood || task == nil || !differences.isEmpty {
      button = nil
    } else if verdict != nil {
      button = Pieces.button(
        "Run against the guard: \(what)", "agree", ["task": result.task, "preview": result.runID, "override": ""],
        kind: "danger")
    } else {
      button = Pieces.button(
        "Run now: \(what)", "agree", ["task": result.task, "preview": result.runID], kind: "main")
    }
    let stale = Pieces.note(
      "Made before the settings changed, or with others; preview again.", differences, kind: "warn")
    let then: HTML? = differences.isEmpty ? nil : " and with the settings of then"
    return """
      \(stale)<p>As the data was \(Pieces.time(result.startedAt, relativeTo: now))\(then), a run \(what).</p>
      \(refusal)\(tables(result, would: true))\(partitions(result))
      <div class="actions">\(button)\(again)</div>
      """
  }

  /// What a task has other settings in now than an earlier result: who agrees to that one would agree to something else.
  private static func differences(_ result: RunResult, from task: TaskStatus) -> [String] {
    Set(result.settings.keys).union(task.runSettings.keys).sorted().compactMap { key in
      let (then, now) = (result.settings[key] ?? .null, task.runSettings[key] ?? .null)
      return then == now ? nil : "\(key): \(then.text) then, \(now.text) now"
    }
  }

  /// What a task that removes nothing would change.
  private static func changes(_ result: RunResult) -> String {
    let counts = result.counts.filter { $0.value > 0 }.sorted { $0.key < $1.key }
    guard !counts.isEmpty else { return "changes nothing" }
    return counts.map { "\($0.key.replacing("_", with: " ")): \(NumberText.grouped($0.value))" }.joined(separator: ", ")
  }

  private static func outcome(_ result: RunResult) -> HTML {
    guard result.status.isFinal else { return "" }
    let rows = result.tables.reduce(0) { $0 + $1.deleted }
    let what: HTML? =
      result.tables.isEmpty
      ? nil : "<p>It removed \(NumberText.counted(rows, "row")) in \(Pieces.duration(result.durationMilliseconds)).</p>"
    return "\(what)\(tables(result, would: false))\(partitions(result))\(holds(result))"
  }

  /// The tables, each with the share of it that goes.
  private static func tables(_ result: RunResult, would: Bool) -> HTML? {
    guard !result.tables.isEmpty else { return nil }
    let hasTotals = result.tables.contains { $0.total != nil }
    let rows = result.tables.map { table -> HTML in
      let kept = table.keptReferenced + table.keptExcepted
      let share: HTML? =
        hasTotals
        ? """
        <td data-label="Of" class="number">\(table.total.map { NumberText.grouped($0) } ?? "")</td>\
        <td data-label="Share">\(Pieces.share(table.deleted, of: table.total))</td>
        """ : nil
      return """
        <tr><th scope="row" class="wrap">\(table.table)</th>
        <td data-label="\(would ? "Would go" : "Removed")" class="number">\(NumberText.grouped(table.deleted))</td>\(share)
        <td data-label="Kept" class="number">\(NumberText.grouped(kept))</td>
        <td data-label="Oldest">\(Pieces.time(table.oldest))</td><td data-label="Newest">\(Pieces.time(table.newest))</td></tr>
        """
    }
    let share: HTML? = hasTotals ? "<th scope=\"col\" class=\"number\">Of</th><th scope=\"col\">Share</th>" : nil
    let meaning: HTML? = hasTotals ? " Share: of the table, by which the guard judges." : nil
    return """
      <table class="cards"><caption>By table.\(meaning) Kept: rows that the rule
      selects and that stay, since others refer to them or an exception names them.</caption>
      <thead><tr><th scope="col">Table</th><th scope="col" class="number">\(would ? "Would go" : "Removed")</th>\(share)
      <th scope="col" class="number">Kept</th><th scope="col">Oldest</th><th scope="col">Newest</th>
      </tr></thead><tbody>
      \(rows)
      </tbody></table>
      \(holders(result))
      """
  }

  /// In which tables the rows are that keep others.
  private static func holders(_ result: RunResult) -> HTML? {
    let lines = result.tables.filter { !$0.referencedBy.isEmpty }.map { table -> HTML in
      "<li>Kept in \(table.table): rows of \(table.referencedBy.joined(separator: ", ")) refer to them</li>"
    }
    return lines.isEmpty ? nil : "<ul class=\"small\">\(lines)</ul>"
  }

  /// Which partitions went at once.
  private static func partitions(_ result: RunResult) -> HTML? {
    let dropped = DroppedPartitions.all(in: result).map { partitions -> HTML in
      "<li>\(partitions.text(would: result.mode == .preview))</li>"
    }
    return dropped.isEmpty ? nil : "<ul class=\"small\">\(dropped)</ul>"
  }

  /// How long the longest lock was, and how fast it went.
  private static func holds(_ result: RunResult) -> HTML? {
    let facts = result.details.compactMap { detail -> HTML? in
      guard case .object(let members) = detail, members["kind"] == "database", let hold = members["longest_hold_ms"]
      else { return nil }
      let rate: HTML? = members["rows_per_second"].map { ", \(number($0)) rows/s" }
      return "<li>\(members["name"]?.text ?? ""): longest lock \(number(hold)) ms\(rate)</li>"
    }
    return facts.isEmpty ? nil : "<ul class=\"small\">\(facts)</ul>"
  }

  /// `140,984`, `22.5`
  private static func number(_ value: JSONValue) -> String {
    switch value {
    case .integer(let number): NumberText.grouped(number)
    case .number(let number) where abs(number) >= 1000: NumberText.grouped(Int(number.rounded()))
    default: value.text
    }
  }

  private static func troubles(_ result: RunResult) -> HTML {
    let errors = result.errors.map { "\($0.step): \($0.message)" }
    return "\(Pieces.note("Errors", errors, kind: "bad"))\(Pieces.note("Warnings", result.warnings, kind: "warn"))"
  }

  /// What the guard said of a run, table by table: that it was refused, or that somebody overrode it.
  private static func verdict(_ result: RunResult) -> HTML? {
    guard result.mode == .run, let verdict = result.guardVerdict, verdict.wouldRefuse else { return nil }
    let limit = NumberText.tenths(verdict.maxPercent)
    let lead =
      verdict.overridden
      ? "The guard was overridden: more than \(limit) % of a table went"
      : "The guard refused: more than \(limit) % of a table would have gone. If that is meant, run a preview and agree to it, "
        + "or set a larger guard.max_percent"
    let tables = verdict.tables.map { table in
      "\(table.table): \(NumberText.grouped(table.doomed)) of \(NumberText.grouped(table.total)) rows, "
        + "\(NumberText.tenths(table.percent)) %"
    }
    return Pieces.note(lead, tables, kind: verdict.overridden ? "warn" : "bad")
  }

  /// The settings that it ran with.
  private static func settings(_ result: RunResult) -> HTML? {
    guard !result.settings.isEmpty else { return nil }
    let parts = result.settings.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.text)" }
    return "<dt>Settings</dt><dd class=\"wrap\">\(parts.joined(separator: ", "))</dd>"
  }

  private static func counts(_ result: RunResult) -> HTML? {
    guard !result.counts.isEmpty else { return nil }
    let rows = result.counts.sorted { $0.key < $1.key }.map { name, count -> HTML in
      "<tr><th scope=\"row\" class=\"wrap\"><code>\(name)</code></th><td class=\"number\">\(NumberText.grouped(count))</td></tr>"
    }
    return "<details><summary>Counts</summary><table><tbody>\(rows)</tbody></table></details>"
  }

  private static func json(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  private func group(_ group: GroupResult) -> Page {
    let cancel: HTML? =
      group.status.isFinal ? nil : Pieces.button("Cancel", "cancel", ["run": group.runID], kind: "danger")
    return Page(
      title: "Group \(group.group)", place: nil, isFresh: true,
      content: """
        <h1>Group \(group.group)</h1>
        <p>\(Pieces.status(group.status.rawValue)) from \(Pieces.time(group.startedAt)) to \(Pieces.time(group.finishedAt))</p>
        <div class="actions">\(cancel)</div>
        \(Pieces.note("Warnings", group.warnings, kind: "warn"))
        \(Pieces.runs(group.results, caption: "Its members, in order"))
        <details><summary>Result as JSON</summary><pre>\(Self.json(group))</pre></details>
        """)
  }
}
