import UpkeepCore
import UpkeepRuns

/// A pause for people.
enum PauseText {
  /// `until 2026-11-20 14:00 UTC`
  static func end(_ pause: TaskPause) -> String {
    pause.until.map { "until \($0.minuteText) UTC" } ?? "until upkeep resume"
  }

  /// `paused: odds_retention until 2026-11-20 14:00 UTC, by root: migration`
  static func line(_ pause: TaskPause) -> String {
    "paused: \(pause.task) \(end(pause)), by \(pause.by)\(pause.reason.isEmpty ? "" : ": \(pause.reason)")"
  }
}

/// A pause for programs: every key is there, absent values are null.
struct PauseFacts: Encodable {
  let pause: TaskPause

  enum CodingKeys: String, CodingKey {
    case until, reason, by, since
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(pause.until, forKey: .until)
    try container.encode(pause.reason.isEmpty ? nil : pause.reason, forKey: .reason)
    try container.encode(pause.by, forKey: .by)
    try container.encode(pause.since, forKey: .since)
  }
}
