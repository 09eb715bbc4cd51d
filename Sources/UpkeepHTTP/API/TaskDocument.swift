import UpkeepCore
import UpkeepRuns

/// A task as the API shows it.
struct TaskDocument: Encodable {
  let task: TaskStatus
  /// The hash of the YAML file.
  let etag: String

  enum CodingKeys: String, CodingKey {
    case name, plugin, enabled, paused, pause, running, runs, waiting, schedule, interval, cron, timeout, settings, etag
    case timeZone = "time_zone"
    case nextRun = "next_run_at"
    case lastRun = "last_run"
    case hasPreview = "has_preview"
  }

  private struct Setting: Encodable {
    var value: JSONValue
    var origin: String
    var help: String
    var tunable: Bool
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(task.name, forKey: .name)
    try container.encode(task.plugin, forKey: .plugin)
    try container.encode(task.isEnabled, forKey: .enabled)
    try container.encode(task.pause != nil, forKey: .paused)
    try container.encode(task.pause, forKey: .pause)
    try container.encode(!task.running.isEmpty, forKey: .running)
    try container.encode(task.running, forKey: .runs)
    try container.encode(task.waiting, forKey: .waiting)
    try container.encode(task.schedule, forKey: .schedule)
    try container.encode(task.interval?.durationText, forKey: .interval)
    try container.encode(task.cron, forKey: .cron)
    try container.encode(task.timeZone, forKey: .timeZone)
    try container.encode(task.timeout.durationText, forKey: .timeout)
    try container.encode(task.nextRunAt, forKey: .nextRun)
    try container.encode(task.lastRun, forKey: .lastRun)
    try container.encode(task.hasPreview, forKey: .hasPreview)
    let settings = task.settings.map {
      ($0.key, Setting(value: $0.value, origin: $0.origin, help: $0.help, tunable: $0.isTunable))
    }
    try container.encode(Dictionary(settings) { first, _ in first }, forKey: .settings)
    try container.encode(etag, forKey: .etag)
  }
}
