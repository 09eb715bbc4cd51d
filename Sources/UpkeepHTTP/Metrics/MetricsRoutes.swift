import UpkeepCore
import UpkeepRuns

/// Figures in the text format of Prometheus.
struct MetricsRoutes {
  let parts: SiteParts

  init(_ parts: SiteParts) {
    self.parts = parts
  }

  var routes: [Route] {
    [
      Route(
        "GET", "/metrics", "Figures in the text format of Prometheus",
        answers: [RouteAnswer(200, "The figures", .text("text/plain"))]
      ) { [parts] _ in
        let status = await parts.configuration.configurationStatus()
        let text = try await MetricsText(tasks: parts.status.tasks(), figures: parts.metrics.snapshot(), status: status)
        return .text(text.document, type: "text/plain; version=0.0.4; charset=utf-8")
      }
    ]
  }
}

/// The document of `/metrics`. Tasks of the configuration only: others would be labels without end.
struct MetricsText {
  private var lines: [String] = []

  var document: String { lines.joined(separator: "\n") + "\n" }

  init(tasks: [TaskStatus], figures: RunMetrics.Figures, status: ConfigurationStatus) {
    let known = tasks.map { ($0, figures.tasks[$0.name] ?? RunMetrics.TaskFigures()) }
    family("task_runs_total", "counter", "Runs that ended, by status") {
      for (task, figures) in known {
        for status in RunStatus.allCases where status.isFinal {
          $0.add(figures.runs[status.rawValue] ?? 0, ["task": task.name, "status": status.rawValue])
        }
      }
    }
    family("task_run_duration_seconds", "histogram", "How long runs took") {
      for (task, figures) in known { $0.add(figures.durations, ["task": task.name]) }
    }
    family("task_last_success_timestamp_seconds", "gauge", "When the last completed run ended") {
      for (task, figures) in known {
        let last = task.lastRun.flatMap { $0.status == .completed ? $0.finishedAt : nil }
        if let instant = figures.lastSuccess ?? last { $0.add(instant, ["task": task.name]) }
      }
    }
    family("task_next_run_timestamp_seconds", "gauge", "When the schedule starts it next") {
      for (task, _) in known { if let next = task.nextRunAt { $0.add(next, ["task": task.name]) } }
    }
    family("task_running", "gauge", "How many of its runs work now") {
      for (task, _) in known { $0.add(task.running.count, ["task": task.name]) }
    }
    family("task_enabled", "gauge", "Whether the schedule starts it") {
      for (task, _) in known { $0.add(task.isEnabled ? 1 : 0, ["task": task.name]) }
    }
    family("task_missed_total", "counter", "Slots recorded as missed, by reason") {
      for (task, figures) in known {
        for reason in ["grace", "limit", "other", "skip"] {
          $0.add(figures.missed[reason] ?? 0, ["task": task.name, "reason": reason])
        }
      }
    }
    family("task_rows_deleted_total", "counter", "Rows deleted") {
      for (task, figures) in known { $0.add(figures.rowsDeleted, ["task": task.name]) }
    }
    family("task_bytes_freed_total", "counter", "Bytes of removed files") {
      for (task, figures) in known { $0.add(figures.bytesFreed, ["task": task.name]) }
    }
    family("task_longest_hold_seconds", "gauge", "The longest lock of the last run") {
      for (task, figures) in known { $0.add(figures.longestHold, ["task": task.name]) }
    }
    family("schedule_lag_seconds", "gauge", "How long after its slot the last scheduled run started") {
      $0.add(figures.lag)
    }
    family("config_last_reload_successful", "gauge", "Whether the file as it stands is in force") {
      $0.add(status.isCurrent ? 1 : 0)
    }
    family("config_last_reload_timestamp_seconds", "gauge", "When the file was last read") { $0.add(status.triedAt) }
    family("build_info", "gauge", "The program's version") { $0.add(1, ["version": Upkeep.version]) }
  }

  /// Adds the samples of one name.
  struct Samples {
    let name: String
    var lines: [String] = []

    mutating func add(_ value: Int, _ labels: KeyValuePairs<String, String> = [:]) {
      lines.append("\(name)\(Self.text(labels)) \(value)")
    }

    mutating func add(_ value: Double, _ labels: KeyValuePairs<String, String> = [:]) {
      lines.append("\(name)\(Self.text(labels)) \(value)")
    }

    mutating func add(_ instant: Timestamp, _ labels: KeyValuePairs<String, String> = [:]) {
      add(Double(instant.microseconds / 1000) / 1000, labels)
    }

    mutating func add(_ histogram: RunMetrics.Histogram, _ labels: KeyValuePairs<String, String>) {
      let inner = Self.pairs(labels)
      var count = 0
      for (bound, more) in zip(RunMetrics.bounds, histogram.counts) {
        count += more
        lines.append("\(name)_bucket{\(inner),le=\"\(bound)\"} \(count)")
      }
      lines.append("\(name)_bucket{\(inner),le=\"+Inf\"} \(histogram.count)")
      lines.append("\(name)_sum{\(inner)} \(histogram.sum)")
      lines.append("\(name)_count{\(inner)} \(histogram.count)")
    }

    private static func text(_ labels: KeyValuePairs<String, String>) -> String {
      labels.isEmpty ? "" : "{\(pairs(labels))}"
    }

    /// Names, statuses and versions hold nothing that must be escaped.
    private static func pairs(_ labels: KeyValuePairs<String, String>) -> String {
      labels.map { "\($0.key)=\"\($0.value)\"" }.joined(separator: ",")
    }
  }

  private mutating func family(
    _ name: String, _ type: String, _ help: String, _ add: (inout Samples) -> Void
  ) {
    var samples = Samples(name: "upkeep_\(name)")
    add(&samples)
    lines += ["# HELP upkeep_\(name) \(help)", "# TYPE upkeep_\(name) \(type)"] + samples.lines
  }
}
