import UpkeepCore
import UpkeepDatabase

/// The odds application's tables as they stand in a database: which of the newer ones there are.
struct OddsTables: Sendable {
  let engine: DatabaseEngine
  /// How the database is called in messages.
  let label: String
  /// Whether there is a table with the odds in force.
  let hasCurrent: Bool
  /// Whether there is a table with every change of odds.
  let hasHistory: Bool
  /// Whether rows of that history need a partition for their month.
  let historyIsPartitioned: Bool

  private static let needed: [(table: String, columns: [String])] = [
    ("sports", ["id", "name", "slug"]), ("bookmakers", ["id", "name", "slug"]),
    ("tournaments", ["id", "sport_id", "name", "country"]),
    ("events", ["id", "tournament_id", "name", "home_team", "away_team", "kickoff", "sportradar_id", "created_at"]),
    ("event_bookmakers", ["event_id", "bookmaker_id", "external_event_id"]),
    ("odds_snapshots", ["id", "event_id", "bookmaker_id", "captured_at", "scrape_run_id", "last_confirmed_at"]),
    ("market_odds", ["snapshot_id", "betpawa_market_id", "line", "outcomes", "unavailable_at"]),
    ("competitor_tournaments", ["id", "source", "external_id"]),
    ("competitor_events", ["id", "source", "external_id", "betpawa_event_id", "sportradar_id"]),
    ("competitor_odds_snapshots", ["id", "competitor_event_id", "captured_at", "last_confirmed_at"]),
    ("competitor_market_odds", ["snapshot_id", "betpawa_market_id", "line", "outcomes", "unavailable_at"]),
    ("scrape_runs", ["id", "status", "started_at", "completed_at", "platform_status"]),
    ("scrape_errors", ["scrape_run_id", "bookmaker_id", "error_type", "error_message", "occurred_at"]),
  ]

  /// Looks at a database.
  /// - Throws: ``UpkeepCore/TaskError`` where it isn't the application's.
  init(_ catalogue: Catalogue, _ database: any Database) throws {
    engine = catalogue.engine
    label = "database \(database.name)"
    for (name, columns) in Self.needed {
      guard let table = catalogue[name] else {
        throw TaskError(
          code: "missing_table", place: "\(label), table \(name)", problem: "there is no such table",
          fix: "name the odds application's database, or let the application make its tables first")
      }
      for column in columns where table.column(column) == nil {
        throw TaskError(
          code: "missing_column", place: "\(label), table \(name)", problem: "it has no column \(column)",
          fix: "let the application bring its tables up to date")
      }
    }
    hasCurrent = catalogue["market_odds_current"] != nil
    hasHistory = catalogue["market_odds_history"] != nil
    historyIsPartitioned = engine == .postgres && hasHistory
  }

  /// The whole numbers of a JSON list, as the rows of a query.
  func numbers(json parameter: String) -> String {
    engine == .sqlite
      ? "SELECT value FROM json_each(\(parameter))"
      : "SELECT CAST(jsonb_array_elements_text(CAST(\(parameter) AS jsonb)) AS bigint)"
  }
}

extension DatabaseValue {
  /// An instant, as both engines read it.
  static func time(_ instant: Timestamp) -> DatabaseValue { .text(instant.sqlText) }

  /// A text, or NULL.
  static func optional(_ text: String?) -> DatabaseValue { text.map { .text($0) } ?? .null }

  /// A number, whichever way the engine stores it.
  var number: Double? {
    switch self {
    case .real(let number): number
    case .integer(let number): Double(number)
    default: nil
    }
  }

  /// The instant in a column of times.
  var instant: Timestamp? { text.flatMap { Timestamp(text: $0) } }
}
