import UpkeepCore
import UpkeepDatabase
import UpkeepPurge

/// Reads what the application's tables hold.
enum OddsStatistics {
  private static let tables = [
    ("odds_snapshots", "captured_at"), ("competitor_odds_snapshots", "captured_at"), ("events", "kickoff"),
    ("competitor_events", "kickoff"), ("tournaments", nil), ("competitor_tournaments", "created_at"),
    ("scrape_runs", "started_at"), ("scrape_batches", "started_at"),
  ]

  static func read(_ connection: any DatabaseConnection, _ catalogue: Catalogue) throws -> Statistics {
    var statistics = Statistics()
    for (name, column) in tables {
      guard let table = catalogue[name] else { continue }
      statistics.items.append(try Statistics.Item(table: table, timeColumn: column, on: connection))
    }
    let platforms: [(kind: String, needs: [String], sql: String)] = [
      (
        "events_by_platform", ["event_bookmakers", "bookmakers"],
        """
        SELECT b.slug, count(*) FROM event_bookmakers e JOIN bookmakers b ON b.id = e.bookmaker_id
        GROUP BY b.slug ORDER BY b.slug
        """
      ),
      (
        "competitor_events_by_source", ["competitor_events"],
        "SELECT source, count(*) FROM competitor_events GROUP BY source ORDER BY source"
      ),
    ]
    for (kind, needs, sql) in platforms where needs.allSatisfy({ catalogue[$0] != nil }) {
      for row in try connection.rows(sql) {
        statistics.details.append(
          .object([
            "kind": .string(kind), "platform": .string(row[0].text ?? ""), "count": .integer(Int(row[1].integer ?? 0)),
          ]))
      }
    }
    return statistics
  }
}
