import UpkeepCore
import UpkeepDatabase

/// The odds in force: one row a market, line and bookmaker.
///
/// The application's table has no index on `event_id`, so that it is read once for a batch, not once for an event.
extension OddsWriter {
  /// Puts the odds of events in place of those that were in force.
  func writeCurrent(_ events: [(event: Int64, markets: [ScrapedMarket])], _ platform: String) throws {
    guard tables.hasCurrent, !events.isEmpty else { return }
    var known: [Int64: [StoredMarkets.Key: CurrentRow]] = [:]
    try connection.query(
      """
      SELECT id, event_id, betpawa_market_id, line, outcomes, unavailable_at FROM market_odds_current
      WHERE bookmaker_slug = ?1 AND event_id IN (\(tables.numbers(json: "?2")))
      """, [.text(platform), .text(OutcomesText.write(events.map(\.event)))]
    ) { row in
      let key = StoredMarkets.Key(id: row.text(2) ?? "", line: row[3].number)
      known[row.integer(1), default: [:]][key] = CurrentRow(
        id: row.integer(0), outcomes: row.text(4).flatMap(OutcomesText.read) ?? [], isAvailable: row[5] == .null)
    }
    for (event, markets) in events {
      var rows = known[event] ?? [:]
      for market in markets {
        if let row = rows.removeValue(forKey: market.key) {
          try update(row, market)
        } else {
          try insert(market, event, platform)
        }
      }
      for row in rows.values where row.isAvailable {
        try connection.execute(
          "UPDATE market_odds_current SET unavailable_at = ?1 WHERE id = ?2", [.time(now), .integer(row.id)])
      }
    }
  }

  /// Says that the odds of events are still in force.
  func confirmCurrent(_ events: [Int64], _ platform: String) throws {
    guard tables.hasCurrent, !events.isEmpty else { return }
    try connection.execute(
      """
      UPDATE market_odds_current SET last_confirmed_at = ?1 WHERE bookmaker_slug = ?2 AND unavailable_at IS NULL
      AND event_id IN (\(tables.numbers(json: "?3")))
      """, [.time(now), .text(platform), .text(OutcomesText.write(events))])
  }

  private struct CurrentRow {
    var id: Int64
    var outcomes: [StoredOutcome]
    var isAvailable: Bool
  }

  private func update(_ row: CurrentRow, _ market: ScrapedMarket) throws {
    guard row.outcomes != market.outcomes || !row.isAvailable else {
      try connection.execute(
        "UPDATE market_odds_current SET last_confirmed_at = ?1 WHERE id = ?2", [.time(now), .integer(row.id)])
      return
    }
    try connection.execute(
      """
      UPDATE market_odds_current SET outcomes = ?1, unavailable_at = NULL, last_updated_at = ?2,
        last_confirmed_at = ?2 WHERE id = ?3
      """, [.text(OutcomesText.write(market.outcomes)), .time(now), .integer(row.id)])
  }

  private func insert(_ market: ScrapedMarket, _ event: Int64, _ platform: String) throws {
    try connection.execute(
      """
      INSERT INTO market_odds_current(event_id, bookmaker_slug, betpawa_market_id, betpawa_market_name, line,
        handicap_type, handicap_home, handicap_away, outcomes, market_groups, last_updated_at, last_confirmed_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)
      """, [.integer(event), .text(platform)] + Self.columns(of: market) + [.time(now)])
  }
}
