import UpkeepCore
import UpkeepRuns

/// The last and the next 24 hours of all tasks.
struct TimelinePage {
  let parts: SiteParts

  private static let reach = Duration.seconds(86_400)
  /// So many runs of the last 24 hours are shown at the most.
  private static let mostRuns = 2000
  /// So many coming slots are shown for each task at the most.
  private static let mostSlots = 300
  private static let (labels, width, lane, top) = (150.0, 1000.0, 30.0, 26.0)

  /// A run's stretch of time.
  private struct Stretch {
    var run: RunGlance
    var start: Timestamp
    var end: Timestamp
  }

  func page() async throws -> Page {
    let now = parts.wallClock.now()
    let tasks = try await parts.status.tasks()
    let runs = try await recent(since: now - Self.reach)
    let newest = try await parts.runs.records(RunQuery(mode: .run, limit: 50)).map(\.result)
    var slots: [String: [Timestamp]] = [:]
    for task in tasks where task.isEnabled {
      slots[task.name] = await parts.status.upcoming(task.name, until: now + Self.reach, limit: Self.mostSlots)
    }
    let stretches = runs.compactMap { run -> Stretch? in
      guard let start = run.startedAt ?? run.scheduledAt ?? run.finishedAt else { return nil }
      return Stretch(run: run, start: start, end: run.finishedAt ?? now)
    }
    let picture: HTML =
      tasks.isEmpty ? Pieces.empty("No task is configured yet.") : picture(tasks, stretches, slots, now)
    let list: HTML =
      runs.isEmpty
      ? Pieces.empty("Nothing ran in the last 24 hours.")
      : Pieces.runs(
        Array(newest.prefix(runs.count)),
        caption: (runs.count > newest.count ? "The newest \(newest.count) of " : "")
          + "\(runs.count) in the last 24 hours")
    return Page(
      title: "Timeline", place: .timeline, isFresh: true,
      content: """
        <h1>Timeline</h1><p class="soft">The last and the next 24 hours<span class=\"without-script\">, times in UTC</span>.</p>\(picture)
        <p class="legend">\(Self.legend)<span>◇ due (on a line: many)</span><span>Shaded: several runs at once</span></p>
        <h2>The last 24 hours</h2>\(list)
        """)
  }

  private static let legend: [HTML] = [
    RunStatus.completed, .completedWithErrors, .failed, .timedOut, .refused, .skipped, .missed, .running,
  ].map { "<span>\(Pieces.status($0.rawValue))</span>" }

  private func recent(since start: Timestamp) async throws -> [RunGlance] {
    var runs: [RunGlance] = []
    var cursor: String?
    while runs.count < Self.mostRuns {
      let page = try await parts.runs.glances(RunQuery(mode: .run, before: cursor, limit: 500))
      let young = page.filter { $0.createdAt >= start }
      runs += young
      guard young.count == 500 else { break }
      cursor = page.last?.runID
    }
    return runs
  }

  private func picture(
    _ tasks: [TaskStatus], _ stretches: [Stretch], _ slots: [String: [Timestamp]], _ now: Timestamp
  ) -> HTML {
    let height = Self.top + Self.lane * Double(tasks.count) + 8
    func x(_ instant: Timestamp) -> Double {
      let share = (instant - now).inSeconds / Self.reach.inSeconds
      let half = (Self.width - Self.labels - 10) / 2
      return Self.labels + half * (1 + min(1, max(-1, share)))
    }
    let hours = stride(from: -24, through: 24, by: 6).map { hour -> HTML in
      let instant = now + .seconds(hour * 3600)
      let place = Plot.place(x(instant))
      let anchor = hour == 24 ? "end" : hour == -24 ? "start" : "middle"
      let text = hour == 0 ? "now" : String(instant.minuteText.suffix(5))
      return """
        <line class="\(hour == 0 ? "now" : "axis")" x1="\(place)" x2="\(place)" y1="18" y2="\(Plot.place(height))"/>\
        <text class="soft" x="\(place)" y="12" text-anchor="\(anchor)" data-clock="\(hour == 0 ? "" : instant.rfc3339)">\(text)</text>
        """
    }
    let shades = Self.overlaps(stretches).map { overlap -> HTML in
      let width = max(1.5, x(overlap.end) - x(overlap.start))
      return """
        <rect class="overlap" x="\(Plot.place(x(overlap.start)))" y="18" width="\(Plot.place(width))" \
        height="\(Plot.place(height - 18))"/>
        """
    }
    let lanes = tasks.enumerated().map { index, task -> HTML in
      let y = Self.top + Self.lane * Double(index)
      let own = stretches.filter { $0.run.task == task.name }.map { stretch -> HTML in
        let status = stretch.run.status.rawValue
        let words = status.replacing("_", with: " ")
        let title =
          "\(task.name): \(words), \(stretch.start.minuteText) UTC, \(Pieces.duration(stretch.run.durationMilliseconds))"
        let width = max(5, x(stretch.end) - x(stretch.start))
        return """
          <a href="/runs/\(stretch.run.runID)" aria-label="\(title)"><rect class="run \(status)" \
          x="\(Plot.place(x(stretch.start)))" y="\(Plot.place(y + 12))" width="\(Plot.place(width))" height="12" rx="2">\
          <title>\(title)</title></rect><text x="\(Plot.place(x(stretch.start) + width / 2))" y="\(Plot.place(y + 10))" \
          text-anchor="middle">\(Pieces.glyph(status))</text></a>
          """
      }
      var last = -Double.infinity
      // Slots that would touch are left out: the line through them says that there are more.
      let apart = (slots[task.name] ?? []).filter { slot in
        guard x(slot) - last >= 9 else { return false }
        last = x(slot)
        return true
      }
      let isDense = apart.count < slots[task.name]?.count ?? 0
      let through: HTML? =
        isDense
        ? "<line class=\"slot\" x1=\"\(Plot.place(x(now)))\" x2=\"990\" y1=\"\(Plot.place(y + 18))\" y2=\"\(Plot.place(y + 18))\"/>"
        : nil
      let due = apart.map { slot -> HTML in
        let (middle, line) = (x(slot), y + 18)
        return """
          <path class="slot" d="M\(Plot.place(middle - 4)) \(Plot.place(line)) l4 -5 l4 5 l-4 5 z">\
          <title>\(task.name) is due \(slot.minuteText) UTC</title></path>
          """
      }
      return """
        <text x="0" y="\(Plot.place(y + 22))">\(task.name)</text>\
        <text class="soft again" aria-hidden="true" x="\(Plot.place(x(now) + 8))" y="\(Plot.place(y + 11))">\(task.name)</text>\
        <line class="axis" x1="0" x2="1000" y1="\(Plot.place(y + Self.lane))" y2="\(Plot.place(y + Self.lane))"/>\(through)\(due)\(own)
        """
    }
    return """
      <div class="scroll" tabindex="0" role="group" aria-label="Timeline, can be scrolled sideways">
      <svg class="timeline" viewBox="0 0 1000 \(Plot.place(height))" role="group" aria-label="Runs of the last 24 hours and \
      slots of the next 24 hours, by task">\(shades)\(hours)\(lanes)</svg></div>
      """
  }

  /// The times in which more than one run worked.
  private static func overlaps(_ stretches: [Stretch]) -> [(start: Timestamp, end: Timestamp)] {
    let worked = stretches.filter { $0.run.startedAt != nil }.sorted { $0.start < $1.start }
    var overlaps: [(start: Timestamp, end: Timestamp)] = []
    var latest: Timestamp?
    for stretch in worked {
      if let latest, stretch.start < latest { overlaps.append((stretch.start, min(latest, stretch.end))) }
      latest = max(latest ?? stretch.end, stretch.end)
    }
    return overlaps
  }
}
