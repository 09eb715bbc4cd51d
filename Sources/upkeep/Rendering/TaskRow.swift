import UpkeepCore
import UpkeepHost
import UpkeepRuns

/// A task in the list.
struct TaskRow: Encodable {
  let task: TaskOverview
  let lastRun: RunResult?
  let isRunning: Bool
  let pause: TaskPause?

  enum CodingKeys: String, CodingKey {
    case name, plugin, enabled, paused, pause, running, interval, cron, timeout, settings
    case timeZone = "time_zone"
    case nextRun = "next_run_at"
    case lastRun = "last_run"
  }

  private struct Setting: Encodable {
    var value: JSONValue
    var origin: String
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(task.name, forKey: .name)
    try container.encode(task.plugin, forKey: .plugin)
    try container.encode(task.isEnabled, forKey: .enabled)
    try container.encode(pause != nil, forKey: .paused)
    try container.encode(pause.map(PauseFacts.init), forKey: .pause)
    try container.encode(isRunning, forKey: .running)
    try container.encode(task.interval?.durationText, forKey: .interval)
    try container.encode(task.cron, forKey: .cron)
    try container.encode(task.timeZone, forKey: .timeZone)
    try container.encode(task.timeout.durationText, forKey: .timeout)
    try container.encode(task.nextRun, forKey: .nextRun)
    try container.encode(lastRun, forKey: .lastRun)
    let prefix = "tasks.\(task.name).settings."
    let settings = task.settings.map {
      (String($0.key.dropFirst(prefix.count)), Setting(value: $0.value, origin: $0.origin))
    }
    try container.encode(Dictionary(settings) { first, _ in first }, forKey: .settings)
  }

  /// The table for people.
  static func lines(_ rows: [TaskRow], now: Timestamp, width: Int, paint: Paint) -> [String] {
    guard !rows.isEmpty else { return ["no tasks"] }
    let table = TextTable(
      columns: [
        .text("TASK"), .text("ENABLED"), .text("SCHEDULE", shrinks: true), .text("LAST RUN", shrinks: true),
        .text("NEXT RUN (UTC)"),
      ],
      rows: rows.map { row in
        [
          row.task.name, row.task.isEnabled ? "yes" : "no", row.task.schedule, row.last(now: now), row.next,
        ]
      })
    var lines = table.lines(width: width)
    lines[0] = paint.dim(lines[0])
    return lines
  }

  private func last(now: Timestamp) -> String {
    if isRunning { return "running now" }
    guard let lastRun else { return "never" }
    let status = lastRun.status.rawValue.replacing("_", with: " ")
    return lastRun.finishedAt.map { "\(status), \(NumberText.age(now - $0))" } ?? status
  }

  private var next: String {
    if pause != nil { return "paused" }
    return task.nextRun?.minuteText ?? ""
  }
}

/// The groups below the list of tasks.
enum GroupText {
  static func lines(_ groups: [GroupOverview]) -> [String] {
    groups.map { "group \($0.name): \($0.tasks.joined(separator: ", "))" }
  }
}
