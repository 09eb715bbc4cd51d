import UpkeepCore
import UpkeepDatabase

/// Writes events and odds within one transaction.
///
/// Every id is looked up again in each transaction: rows may have been purged since the last one.
struct OddsWriter {
  let connection: any DatabaseConnection
  let tables: OddsTables
  let references: OddsReferences
  /// The row of the run in `scrape_runs`.
  let run: Int64
  let now: Timestamp
  /// Whether the history has a place for rows of this month.
  let writesHistory: Bool

  /// What a batch did.
  struct Outcome: Sendable {
    var written = 0
    var confirmed = 0
  }

  /// Stores events of one platform with their odds.
  func store(_ events: [ScrapedEvent], of platform: String) throws -> Outcome {
    var outcome = Outcome()
    var current: [(event: Int64, markets: [ScrapedMarket])] = []
    var confirmed: [Int64] = []
    for event in events {
      let row = try platform == BetPawa.name ? ownEvent(event) : competitorEvent(event, platform)
      let snapshots = SnapshotTables(platform)
      let isNew = try write(event.markets, of: row, platform, snapshots)
      outcome.written += isNew ? 1 : 0
      outcome.confirmed += isNew ? 0 : 1
      guard let id = row.event else { continue }
      if isNew || row.isNewLink { current.append((id, event.markets)) } else { confirmed.append(id) }
    }
    try writeCurrent(current, platform)
    try confirmCurrent(confirmed, platform)
    return outcome
  }

  /// Writes a snapshot where the odds differ from the newest one; confirms that one where they don't.
  /// - Returns: Whether a snapshot was written.
  private func write(
    _ markets: [ScrapedMarket], of row: EventRow, _ platform: String, _ names: SnapshotTables
  ) throws -> Bool {
    let owner = row.id
    let newest = try newestSnapshot(of: owner, names, platform)
    let old = try newest.map { try storedMarkets(of: $0, names) }
    let new = StoredMarkets(markets)
    if let newest, old == new {
      try connection.execute(
        "UPDATE \(names.snapshots) SET last_confirmed_at = ?1 WHERE id = ?2", [.time(now), .integer(newest)])
      if let event = row.event, row.isNewLink { try writeHistory(markets, event, platform) }
      return false
    }
    let isOwn = names.isOwn
    let snapshot = try inserted(
      """
      INSERT INTO \(names.snapshots)(\(names.owner), \(isOwn ? "bookmaker_id, " : "")captured_at, scrape_run_id, \
      last_confirmed_at) VALUES (?1, \(isOwn ? "?2, " : "")?3, ?4, ?5) RETURNING id
      """, [.integer(owner), .integer(references.bookmaker(platform)), .time(now), .integer(run), .time(now)])
    for market in markets { try write(market, snapshot, names) }
    guard let event = row.event else { return true }
    let moved = markets.filter { row.isNewLink || old?.outcomes[$0.key] != $0.outcomes }
    try writeHistory(moved, event, platform)
    return true
  }

  private func write(_ market: ScrapedMarket, _ snapshot: Int64, _ names: SnapshotTables) throws {
    try connection.execute(
      """
      INSERT INTO \(names.markets)(snapshot_id, betpawa_market_id, betpawa_market_name, line, handicap_type,
        handicap_home, handicap_away, outcomes, market_groups) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
      """, [.integer(snapshot)] + Self.columns(of: market))
  }

  /// The values of a market's columns, from its id to its groups.
  static func columns(of market: ScrapedMarket) -> [DatabaseValue] {
    let line = market.line.map { DatabaseValue.real($0) } ?? .null
    let handicap = market.isHandicap ? market.line : nil
    return [
      .text(market.id), .text(market.name), line, market.isHandicap ? "handicap" : .null,
      handicap.map { .real($0) } ?? .null, handicap.map { .real(0 - $0) } ?? .null,
      .text(OutcomesText.write(market.outcomes)),
      market.groups.isEmpty ? .null : .text(OutcomesText.write(market.groups)),
    ]
  }

  private func writeHistory(_ markets: [ScrapedMarket], _ event: Int64, _ platform: String) throws {
    guard tables.hasHistory, writesHistory else { return }
    for market in markets {
      try connection.execute(
        """
        INSERT INTO market_odds_history(event_id, bookmaker_slug, betpawa_market_id, line, outcomes, captured_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        """,
        [
          .integer(event), .text(platform), .text(market.id), market.line.map { .real($0) } ?? .null,
          .text(OutcomesText.write(market.outcomes)), .time(now),
        ])
    }
  }

  func newestSnapshot(of owner: Int64, _ names: SnapshotTables, _ platform: String) throws -> Int64? {
    let bookmaker = names.isOwn ? [DatabaseValue.integer(references.bookmaker(platform))] : []
    return try connection.first(
      """
      SELECT id FROM \(names.snapshots) WHERE \(names.owner) = ?1\(names.isOwn ? " AND bookmaker_id = ?2" : "")
      ORDER BY captured_at DESC, id DESC LIMIT 1
      """, [.integer(owner)] + bookmaker)?[0].integer
  }

  private func storedMarkets(of snapshot: Int64, _ names: SnapshotTables) throws -> StoredMarkets {
    var stored = StoredMarkets()
    try connection.query(
      """
      SELECT betpawa_market_id, line, outcomes FROM \(names.markets)
      WHERE snapshot_id = ?1 AND unavailable_at IS NULL
      """, [.integer(snapshot)]
    ) { stored.take(id: $0.text(0), line: $0[1], outcomes: $0.text(2)) }
    return stored
  }

  /// Gives events that became known to be the same one link, and the odds in force that they have by then.
  func link(_ platform: String, competitor: Int64, to event: Int64, externalID: String) throws {
    let names = SnapshotTables(platform)
    try connection.execute(
      "UPDATE competitor_events SET betpawa_event_id = ?1 WHERE id = ?2", [.integer(event), .integer(competitor)])
    try writeLink(event, platform, externalID)
    guard let snapshot = try newestSnapshot(of: competitor, names, platform) else { return }
    let rows = try connection.rows(
      """
      SELECT betpawa_market_id, betpawa_market_name, line, handicap_type, outcomes FROM \(names.markets)
      WHERE snapshot_id = ?1 AND unavailable_at IS NULL
      """, [.integer(snapshot)])
    let markets = rows.compactMap { row -> ScrapedMarket? in
      guard let id = row[0].text, let outcomes = row[4].text.flatMap(OutcomesText.read) else { return nil }
      return ScrapedMarket(
        id: id, name: row[1].text ?? "", line: row[2].number, isHandicap: row[3].text != nil, outcomes: outcomes)
    }
    try writeCurrent([(event, markets)], platform)
    try writeHistory(markets, event, platform)
  }

  /// Marks the markets of an event that a platform no longer has.
  /// - Returns: Whether there were any left.
  func markUnavailable(_ owner: Int64, event: Int64?, _ platform: String) throws -> Bool {
    let names = SnapshotTables(platform)
    guard let snapshot = try newestSnapshot(of: owner, names, platform) else { return false }
    let changed = try connection.execute(
      "UPDATE \(names.markets) SET unavailable_at = ?1 WHERE snapshot_id = ?2 AND unavailable_at IS NULL",
      [.time(now), .integer(snapshot)])
    guard changed > 0 else { return false }
    if let event, tables.hasCurrent {
      try connection.execute(
        """
        UPDATE market_odds_current SET unavailable_at = ?1
        WHERE event_id = ?2 AND bookmaker_slug = ?3 AND unavailable_at IS NULL
        """, [.time(now), .integer(event), .text(platform)])
    }
    return true
  }

  /// Executes a statement that returns the id of the row it makes.
  func inserted(_ sql: String, _ values: [DatabaseValue]) throws -> Int64 {
    guard let id = try connection.first(sql, values)?[0].integer else {
      throw TaskError(
        code: "no_id", place: tables.label, problem: "a new row got no id", fix: "check the triggers of its table")
    }
    return id
  }
}

/// Where a platform's snapshots lie.
struct SnapshotTables {
  /// Whether they are BetPawa's.
  let isOwn: Bool

  init(_ platform: String) {
    isOwn = platform == BetPawa.name
  }

  var snapshots: String { isOwn ? "odds_snapshots" : "competitor_odds_snapshots" }
  var owner: String { isOwn ? "event_id" : "competitor_event_id" }
  var markets: String { isOwn ? "market_odds" : "competitor_market_odds" }
}
