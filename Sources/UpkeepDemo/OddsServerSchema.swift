public import UpkeepCore

extension ServerSample {
  /// Columns without a zone; all other times have one.
  private static let naive = [
    "odds_snapshots": ["last_confirmed_at"], "competitor_tournaments": ["created_at", "deleted_at"],
    "competitor_events": ["kickoff", "created_at", "updated_at", "deleted_at"],
    "competitor_odds_snapshots": ["captured_at", "last_confirmed_at"],
    "scrape_batches": ["started_at", "completed_at"], "scrape_phase_logs": ["started_at", "ended_at"],
    "event_scrape_status": ["created_at"],
    "cleanup_runs": ["started_at", "completed_at", "oldest_odds_date", "oldest_match_date"],
  ]

  /// The odds application's tables as they stand on PostgreSQL: partitions, times with and without zone, and only a
  /// coarse index on the time of a snapshot.
  ///
  /// - Parameter now: The instant that the data leads up to: the history has a partition for each month around it.
  public static func odds(now: Timestamp) -> ServerSample {
    var tables = OddsSchema.tables.map { statement in
      let name = SampleFile.names(of: [statement])[0]
      return odds(statement, name)
    }
    tables.append("CREATE TABLE odds_snapshots_default PARTITION OF odds_snapshots DEFAULT")
    tables += months(around: now).map { first, next in
      "CREATE TABLE market_odds_history_\(first.prefix(7).replacing("-", with: "_")) PARTITION OF market_odds_history "
        + "FOR VALUES FROM ('\(first) 00:00+00') TO ('\(next) 00:00+00')"
    }
    let indexes = OddsSchema.indexes.map { statement in
      statement.replacing("ON odds_snapshots(captured_at)", with: "ON odds_snapshots USING brin (captured_at)")
    }
    return ServerSample(tables: tables, indexes: indexes, names: OddsSchema.tableNames)
  }

  private static func odds(_ statement: String, _ name: String) -> String {
    let isLarge = name.hasSuffix("odds_snapshots") || name.contains("market_odds")
    let isPartitioned = ["odds_snapshots", "market_odds_history"].contains(name)
    let key = "\(isLarge ? "bigserial" : "serial")\(isPartitioned ? "" : " PRIMARY KEY")"
    var text = statement.replacing("id integer PRIMARY KEY", with: "id \(key)")
      .replacing("(strftime('%Y-%m-%d %H:%M:%f', 'now'))", with: "now()")
    for column in naive[name] ?? [] {
      text = text.replacing(" \(column) datetime", with: " \(column) timestamp")
    }
    text = text.replacing(" datetime", with: " timestamptz")
    guard isPartitioned else { return text }
    return "\(text.dropLast()), PRIMARY KEY (id, captured_at)) PARTITION BY RANGE (captured_at)"
  }

  /// The first days of the months from three before an instant to one after it, each with that of the next month.
  private static func months(around now: Timestamp) -> [(first: String, next: String)] {
    let civil = now.civil
    func first(_ offset: Int) -> String {
      let month = civil.year * 12 + civil.month - 1 + offset
      return Timestamp(CivilTime(year: month / 12, month: month % 12 + 1, day: 1)).dateText
    }
    return (-3...1).map { (first($0), first($0 + 1)) }
  }
}
