import UpkeepCore
import UpkeepDatabase

/// Reads what is stored of each platform.
enum ScrapeStatistics {
  static func read(_ connection: any DatabaseConnection, _ tables: OddsTables) throws -> Statistics {
    var statistics = Statistics()
    for platform in Platforms.all {
      let name = DatabaseValue.text(platform.name)
      let isOwn = platform.name == BetPawa.name
      let events =
        isOwn
        ? "events e JOIN event_bookmakers l ON l.event_id = e.id JOIN bookmakers b ON b.id = l.bookmaker_id WHERE b.slug = ?1"
        : "competitor_events e WHERE e.source = ?1"
      let snapshots =
        isOwn
        ? "odds_snapshots s JOIN bookmakers b ON b.id = s.bookmaker_id WHERE b.slug = ?1"
        : "competitor_odds_snapshots s JOIN competitor_events e ON e.id = s.competitor_event_id WHERE e.source = ?1"
      for (kind, column, source) in [("events", "e.kickoff", events), ("snapshots", "s.captured_at", snapshots)] {
        let instant = tables.engine == .sqlite ? "upkeep_instant(\(column))" : column
        let row = try connection.first("SELECT count(*), min(\(instant)), max(\(instant)) FROM \(source)", [name]) ?? []
        guard row.count == 3 else { continue }
        statistics.items.append(
          Statistics.Item(
            name: "\(platform.name) \(kind)", count: Int(row[0].integer ?? 0), oldest: instantValue(row[1]),
            newest: instantValue(row[2])))
      }
    }
    return statistics
  }

  /// Microseconds of a file, or a server's text.
  private static func instantValue(_ value: DatabaseValue) -> Timestamp? {
    value.integer.map { Timestamp(microseconds: $0) } ?? value.instant
  }
}
