import UpkeepCore
import UpkeepDatabase
import UpkeepPurge

/// Which rows of the odds application's tables go, and what belongs to what.
///
/// The order matters: matches go before scrape runs, since a match takes snapshots with it that would hold a run.
struct OddsRules {
  /// The dates that the application shows, and the tables whose oldest removed row they are.
  static let oldest = [
    ("oldest_odds_date", ["odds_snapshots", "competitor_odds_snapshots"]),
    ("oldest_match_date", ["events", "competitor_events"]),
  ]

  /// References that the schema doesn't declare, or whose rows go with their parent though the schema refuses it.
  private static let edges = [
    DeletionEdge("market_odds", "snapshot_id", to: "odds_snapshots", .delete),
    DeletionEdge("competitor_market_odds", "snapshot_id", to: "competitor_odds_snapshots", .delete),
    DeletionEdge("odds_snapshots", "event_id", to: "events", .delete),
    DeletionEdge("event_bookmakers", "event_id", to: "events", .delete),
    DeletionEdge("market_odds_current", "event_id", to: "events", .delete),
    DeletionEdge("scrape_errors", "event_id", to: "events", .unlink),
    DeletionEdge("competitor_events", "betpawa_event_id", to: "events", .unlink),
    DeletionEdge("competitor_odds_snapshots", "competitor_event_id", to: "competitor_events", .delete),
    DeletionEdge("events", "tournament_id", to: "tournaments", .hold),
    DeletionEdge("competitor_events", "tournament_id", to: "competitor_tournaments", .hold),
    DeletionEdge("scrape_errors", "scrape_run_id", to: "scrape_runs", .delete),
    DeletionEdge("scrape_phase_logs", "scrape_run_id", to: "scrape_runs", .delete),
    DeletionEdge("event_scrape_status", "scrape_run_id", to: "scrape_runs", .delete),
    DeletionEdge("odds_snapshots", "scrape_run_id", to: "scrape_runs", .hold),
    DeletionEdge("competitor_odds_snapshots", "scrape_run_id", to: "scrape_runs", .hold),
    DeletionEdge("scrape_runs", "batch_id", to: "scrape_batches", .hold),
  ]

  private var rules: [DeletionRule] = []
  /// What the schema lacks.
  private(set) var warnings: [String] = []

  init(_ settings: OddsRetentionSettings, catalogue: Catalogue, now: Timestamp) {
    let (odds, matches) = (now - settings.oddsKeep, now - settings.matchKeep)
    for table in ["odds_snapshots", "competitor_odds_snapshots"] {
      add(table, at: "captured_at", before: odds, and: unconfirmed(table, since: odds, in: catalogue))
    }
    if catalogue["market_odds_history"] != nil {
      add("market_odds_history", at: "captured_at", before: odds)
    } else {
      warnings.append("the database has no table market_odds_history; its step is left out")
    }
    if catalogue["market_odds_current"] == nil {
      warnings.append("the database has no table market_odds_current; current odds of removed matches are left out")
    }
    add("competitor_events", at: "kickoff", before: matches)
    add("events", at: "kickoff", before: matches)
    if settings.emptyTournaments == .purge {
      for table in ["tournaments", "competitor_tournaments"] {
        rules.append(DeletionRule(name: table, table: table, condition: .always, selectsUnreferenced: true))
      }
    }
    add("scrape_runs", at: "started_at", before: odds)
    add("scrape_batches", at: "started_at", before: odds)
  }

  func plan(_ catalogue: Catalogue, except exceptions: [RowException]) throws -> DeletionPlan {
    try DeletionPlan(rules, graph: DeletionGraph(catalogue, declared: Self.edges), exceptions: exceptions)
  }

  private mutating func add(_ table: String, at column: String, before cutoff: Timestamp, and more: RowCondition? = nil)
  {
    let older = RowCondition.older(column: column, than: cutoff)
    rules.append(
      DeletionRule(
        name: table, table: table, condition: more.map { .all([older, $0]) } ?? older, timeColumn: column))
  }

  /// Odds that were seen unchanged since the cutoff are in force still: an event whose odds don't move must not lose its
  /// only snapshot.
  private mutating func unconfirmed(_ table: String, since cutoff: Timestamp, in catalogue: Catalogue) -> RowCondition?
  {
    guard let description = catalogue[table] else { return nil }
    guard description.column("last_confirmed_at") != nil else {
      warnings.append("\(table) has no column last_confirmed_at; snapshots go by captured_at alone")
      return nil
    }
    return .any([.isNull(column: "last_confirmed_at"), .older(column: "last_confirmed_at", than: cutoff)])
  }
}
