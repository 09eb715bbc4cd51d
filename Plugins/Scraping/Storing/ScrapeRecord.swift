import Foundation
import UpkeepCore
import UpkeepDatabase

/// The application's own record of a run: its row in `scrape_runs`, and its errors.
struct ScrapeRecord {
  /// Marks the rows of these runs among those of the application's own scraper.
  static let mark = "upkeep_run"

  /// Begins a run; one that a killed process left running is closed.
  /// - Returns: The new row, and how many were closed.
  static func begin(
    _ context: TaskContext, on connection: any DatabaseConnection, platforms: [String]
  ) throws -> (id: Int64, closed: Int) {
    let now = DatabaseValue.time(context.wallClock.now())
    let left = try connection.rows(
      "SELECT id FROM scrape_runs WHERE status = 'running' AND CAST(platform_status AS text) LIKE ?1",
      [.text("%\"\(mark)\"%")]
    ).compactMap { $0[0].integer }
    for id in left {
      try connection.execute(
        "UPDATE scrape_runs SET status = 'failed', completed_at = ?1 WHERE id = ?2", [now, .integer(id)])
      try error(
        "interrupted", "the process that ran it ended before it had finished", run: id, bookmaker: nil, at: now,
        on: connection)
    }
    let status = statusText(Dictionary(platforms.map { ($0, "pending") }) { first, _ in first }, context.runID)
    let id = try connection.first(
      """
      INSERT INTO scrape_runs(status, started_at, events_scraped, events_failed, trigger, current_phase, platform_status)
      VALUES ('running', ?1, 0, 0, ?2, 'discovery', ?3) RETURNING id
      """, [.time(context.now), .text(context.trigger.rawValue), .text(status)])?[0].integer
    guard let id else {
      throw TaskError(
        code: "no_id", place: "table scrape_runs", problem: "a new row got no id", fix: "check the table's triggers")
    }
    return (id, left.count)
  }

  /// Says how far a run is.
  static func progress(
    _ id: Int64, phase: String, _ platforms: [String: String], runID: String, on connection: any DatabaseConnection
  ) throws {
    try connection.execute(
      "UPDATE scrape_runs SET current_phase = ?1, platform_status = ?2 WHERE id = ?3",
      [.text(phase), .text(statusText(platforms, runID)), .integer(id)])
  }

  /// What is known of a run at its end.
  struct End: Sendable {
    var status: String
    var scraped: Int
    var failed: Int
    var platforms: [String: String]
    var timings: [String: Int]
    /// Why it was stopped, if it was.
    var interruption: String?
  }

  /// Ends a run.
  static func finish(
    _ id: Int64, _ end: End, runID: String, now: Timestamp, on connection: any DatabaseConnection
  ) throws {
    let timings =
      "{\(end.timings.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ","))}"
    try connection.execute(
      """
      UPDATE scrape_runs SET status = ?1, completed_at = ?2, events_scraped = ?3, events_failed = ?4,
        current_phase = NULL, current_platform = NULL, platform_status = ?5, platform_timings = ?6 WHERE id = ?7
      """,
      [
        .text(end.status), .time(now), .integer(Int64(end.scraped)), .integer(Int64(end.failed)),
        .text(statusText(end.platforms, runID)), .text(timings), .integer(id),
      ])
    if let interruption = end.interruption {
      try error("interrupted", interruption, run: id, bookmaker: nil, at: .time(now), on: connection)
    }
  }

  /// Records an error.
  static func error(
    _ type: String, _ message: String, run: Int64, bookmaker: Int64?, event: Int64? = nil, at now: DatabaseValue,
    on connection: any DatabaseConnection
  ) throws {
    try connection.execute(
      """
      INSERT INTO scrape_errors(scrape_run_id, bookmaker_id, event_id, error_type, error_message, occurred_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6)
      """,
      [
        .integer(run), bookmaker.map { .integer($0) } ?? .null, event.map { .integer($0) } ?? .null, .text(type),
        .text(message), now,
      ])
  }

  private static func statusText(_ platforms: [String: String], _ runID: String) -> String {
    let entries =
      platforms.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\"\($0.value)\"" } + ["\"\(mark)\":\"\(runID)\""]
    return "{\(entries.joined(separator: ","))}"
  }
}
