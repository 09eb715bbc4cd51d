import UpkeepCore
import UpkeepDatabase
import UpkeepPurge

/// The row that each run leaves in the application's own table `cleanup_runs`, where there is one.
///
/// It is written once, when the run has ended, so that a crash leaves none that says `running` for ever.
struct CleanupRecord {
  let settings: OddsRetentionSettings
  let purge: Purge
  let context: TaskContext

  private static let counters = [
    "odds_deleted", "competitor_odds_deleted", "scrape_runs_deleted", "scrape_batches_deleted", "events_deleted",
    "competitor_events_deleted", "tournaments_deleted", "competitor_tournaments_deleted",
  ]

  /// Writes the row; a failure to do so is a warning, since the purge itself is done.
  func write(failure: (any Error)?, after duration: Duration) async {
    guard let table = purge.catalogue["cleanup_runs"] else { return }
    let run = context.journal.current
    let failures = run.errors.map(\.message) + (failure.map { [String(describing: $0)] } ?? [])
    var values: [(column: String, value: DatabaseValue)] = [
      ("started_at", .text(context.now.sqlText)), ("completed_at", .text((context.now + duration).sqlText)),
      ("trigger", .text(context.trigger.rawValue)), ("odds_retention_days", .integer(days(settings.oddsKeep))),
      ("match_retention_days", .integer(days(settings.matchKeep))),
      ("status", .text(failures.isEmpty ? "completed" : "failed")),
      ("error_message", failures.first.map { .text($0) } ?? .null), ("duration_seconds", .real(duration.inSeconds)),
    ]
    for name in Self.counters { values.append((name, .integer(Int64(run.counts[name] ?? 0)))) }
    for (name, tables) in OddsRules.oldest {
      let oldest = run.tables.filter { tables.contains($0.table) }.compactMap(\.oldest).min()
      values.append((name, oldest.map { .text($0.sqlText) } ?? .null))
    }
    let known = values.filter { table.column($0.column) != nil }
    let columns = known.map(\.column).joined(separator: ", ")
    let places = known.indices.map { "?\($0 + 1)" }.joined(separator: ", ")
    let statement = "INSERT INTO cleanup_runs (\(columns)) VALUES (\(places))"
    do {
      try await purge.record { _ = try $0.execute(statement, known.map(\.value)) }
    } catch {
      context.warn("cleanup_runs: the application's own record of this run couldn't be written: \(error)")
    }
  }

  /// Whole days, rounded up: the application's column takes no fraction.
  private func days(_ duration: Duration) -> Int64 {
    (duration.components.seconds + 86_399) / 86_400
  }
}
