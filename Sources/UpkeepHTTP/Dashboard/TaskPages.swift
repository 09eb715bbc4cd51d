import UpkeepCore
import UpkeepRuns

/// The pages of the tasks: all of them, and one.
struct TaskPages {
  let parts: SiteParts

  /// What the history says of a task.
  private func recent(_ task: String, mode: RunMode = .run, limit: Int) async throws -> [RunResult] {
    try await parts.runs.records(RunQuery(task: task, mode: mode, limit: limit)).map(\.result)
  }

  /// All tasks.
  func list() async throws -> Page {
    let status = await parts.configuration.configurationStatus()
    let tasks = try await parts.status.tasks()
    let now = parts.wallClock.now()
    var rows: [HTML] = []
    for task in tasks {
      let runs = try await parts.runs.glances(RunQuery(task: task.name, mode: .run, limit: 30))
      rows.append(row(task, runs, now))
    }
    let table: HTML =
      tasks.isEmpty
      ? Pieces.empty("No task is configured in \(status.path) yet.")
      : """
      <table class="cards tasks"><thead><tr><th scope="col">Task</th><th scope="col">State</th><th scope="col">Schedule</th>
      <th scope="col">Next run</th><th scope="col">Last outcome</th><th scope="col">Last 30 runs</th>
      <th scope="col"><span class="needs-script">Actions</span></th></tr></thead><tbody>
      \(rows)
      </tbody></table>
      """
    return Page(
      title: "Tasks", place: .tasks, etag: status.hash, isFresh: true,
      content: "<h1>Tasks</h1>\(ConfigurationPage.banner(status))\(table)")
  }

  private func row(_ task: TaskStatus, _ runs: [RunGlance], _ now: Timestamp) -> HTML {
    let last: HTML =
      task.lastRun.map { run in
        """
        <a href="/runs/\(run.runID)">\(Pieces.status(run.status.rawValue))</a>
        <span class="small soft nowrap">\(Pieces.duration(run.durationMilliseconds)),
        \(Pieces.time(run.finishedAt, relativeTo: now))</span>
        """
      } ?? "<span class=\"soft\">Never run</span>"
    let plugin: HTML? = task.plugin == task.name ? nil : "<div class=\"small soft\">\(task.plugin)</div>"
    return """
      <tr><th scope="row"><a href="/tasks/\(task.name)">\(task.name)</a>\(plugin)</th>
      <td data-label="State">\(Self.state(task))</td>
      <td data-label="Schedule">\(Self.schedule(task))</td>
      <td data-label="Next run">\(next(task, now))</td>
      <td data-label="Last outcome">\(last)</td>
      <td data-label="Last runs">\(Pieces.strip(runs))</td>
      <td>\(Self.actions(task))</td></tr>
      """
  }

  private func next(_ task: TaskStatus, _ now: Timestamp) -> HTML {
    if task.isEnabled, task.interval != nil || task.cron != nil, let pause = task.pause, pause.until == nil {
      return "<span class=\"soft\">when it is resumed</span>"
    }
    guard task.isEnabled, let next = task.nextRunAt else { return "<span class=\"soft\">–</span>" }
    let pause: HTML? = task.pause == nil ? nil : "<div class=\"small soft\">after the pause</div>"
    return "<span class=\"nowrap\">\(Pieces.time(next, relativeTo: now))</span>\(pause)"
  }

  /// How a task stands.
  static func state(_ task: TaskStatus) -> HTML {
    var states: [HTML] = []
    if let run = task.running.first {
      states.append("<a href=\"/runs/\(run)\">\(Pieces.status("running"))</a> ")
    } else if let run = task.waiting.first {
      states.append("<a href=\"/runs/\(run)\">\(Pieces.status("queued", "waiting"))</a> ")
    }
    if task.lastRun?.status == .refused { states.append(Pieces.status("refused", "refused by the guard") + " ") }
    if let pause = task.pause {
      let until: HTML = pause.until.map { "until \(Pieces.time($0))" } ?? "until it is resumed"
      let why: HTML? = pause.reason.isEmpty ? nil : ": \(pause.reason)"
      states.append(
        "\(Pieces.status("paused")) <div class=\"small soft wrap\">by \(pause.by), \(until)\(why)</div>")
    }
    if !task.isEnabled {
      states.append(Pieces.status("disabled"))
    } else if states.isEmpty {
      states.append(Pieces.status("enabled"))
    }
    return "\(states)"
  }

  /// The schedule in words and as it is written.
  static func schedule(_ task: TaskStatus) -> HTML {
    let written = task.cron.map { "cron: \($0)" } ?? task.interval.map { "interval: \($0.durationText)" }
    let zone = task.timeZone.map { " (\($0))" } ?? ""
    let line: HTML? = written.map { "<div class=\"small nowrap\"><code>\($0)</code>\(zone)</div>" }
    let words: HTML = task.interval == nil ? "\(task.schedule)" : "<span class=\"nowrap\">\(task.schedule)</span>"
    return "\(words)\(line)"
  }

  /// What can be done with a task.
  static func actions(_ task: TaskStatus) -> HTML {
    let name = task.name
    let preview: HTML? = task.hasPreview ? Pieces.button("Preview", "preview", ["task": name]) : nil
    let run =
      task.hasPreview
      ? Pieces.button("Run…", "run", ["task": name, "previews": ""]) : Pieces.button("Run…", "run", ["task": name])
    let pause =
      task.pause == nil
      ? Pieces.button("Pause…", "pause", ["task": name]) : Pieces.button("Resume", "resume", ["task": name])
    let enable =
      task.isEnabled
      ? Pieces.button("Disable…", "disable", ["task": name]) : Pieces.button("Enable…", "enable", ["task": name])
    return "<div class=\"actions\">\(preview)\(run)\(pause)\(enable)</div>"
  }

  /// One task.
  func one(_ name: String) async throws -> Page {
    let task = try await parts.task(name)
    let hash = await parts.configuration.configurationStatus().hash
    let now = parts.wallClock.now()
    let runs = try await recent(name, limit: 50)
    let preview = try await recent(name, mode: .preview, limit: 1).first
    let again: HTML? = task.hasPreview ? Pieces.button("Preview now", "preview", ["task": name]) : nil
    let empty =
      task.hasPreview
      ? "Nobody has previewed it yet. A preview says what a run would do, and changes nothing."
      : "The plugin \(task.plugin) has no preview."
    let look =
      preview.map { RunPages.preview($0, of: task, now: now, beside: again) }
      ?? "\(Pieces.empty(empty))<div class=\"actions\">\(again)</div>"
    let history: HTML =
      runs.isEmpty
      ? Pieces.empty("It hasn't run yet.")
      : """
      \(Plot.document(runs))\(Pieces.runs(Array(runs.prefix(20)), caption: "The newest runs", namesTask: false))
      """
    return Page(
      title: name, place: .tasks, etag: hash, isFresh: true,
      content: """
        <h1>\(name)</h1>
        <dl class="facts"><dt>State</dt><dd>\(Self.state(task))</dd><dt>Plugin</dt><dd>\(task.plugin)</dd>
        <dt>Schedule</dt><dd>\(Self.schedule(task))</dd><dt>Next run</dt><dd>\(next(task, now))</dd></dl>
        \(Self.actions(task))
        <h2 id="settings">Settings</h2>
        \(settings(task))
        <h2 id="preview">Preview</h2>
        \(look)
        <h2 id="runs">Runs</h2>
        \(history)
        """)
  }

  private func settings(_ task: TaskStatus) -> HTML {
    var rows = [
      key(task, "enabled", .boolean(task.isEnabled), "Whether the schedule starts it"),
      key(task, "timeout", .string(task.timeout.durationText), "How long a run may take"),
    ]
    if let interval = task.interval {
      rows.insert(
        key(task, "interval", .string(interval.durationText), "How often the schedule starts it"), at: 1)
    }
    rows += task.settings.flatMap { [$0] + $0.parts }.map {
      setting(task, "settings.\($0.key)", $0.value, $0.help, $0.origin, $0.isTunable)
    }
    return """
      <table class="cards"><caption>Where each value comes from, and what it means. What isn't tunable, such as a path or an
      address, is changed in the file.</caption><thead><tr><th scope="col">Key</th><th scope="col">Value</th>
      <th scope="col">From</th><th scope="col">Meaning</th><th scope="col"><span class="needs-script">Edit</span></th></tr>
      </thead><tbody>
      \(rows)
      </tbody></table>
      """
  }

  /// One of the task's own keys.
  private func key(_ task: TaskStatus, _ key: String, _ value: JSONValue, _ help: String) -> HTML {
    setting(task, key, value, help, task.origins[key] ?? "", true)
  }

  private func setting(
    _ task: TaskStatus, _ key: String, _ value: JSONValue, _ help: String, _ origin: String, _ isTunable: Bool
  ) -> HTML {
    let isScalar: Bool
    switch value {
    case .array, .object: isScalar = false
    default: isScalar = true
    }
    let shown = key.hasPrefix("settings.") ? String(key.dropFirst(9)) : key
    let text = value == .null ? "" : value.text
    let edit: HTML? =
      isTunable && isScalar ? Pieces.button("Edit…", "edit", ["task": task.name, "key": key, "value": text]) : nil
    return """
      <tr><th scope="row"><code>\(shown)</code></th><td data-label="Value" class="wrap"><code>\(value.text)</code></td>
      <td data-label="From" class="small soft wrap">\(origin)</td><td data-label="Meaning">\(help)</td><td>\(edit)</td></tr>
      """
  }
}
