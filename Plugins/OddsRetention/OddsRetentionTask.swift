public import UpkeepCore
import UpkeepDatabase
import UpkeepPurge

/// Removes old odds and old matches from the database of the odds comparison application.
///
/// Both cutoffs are computed once, in UTC, and compare strictly. A snapshot goes when it was captured *and* last
/// confirmed before the odds cutoff; a match goes, with all its odds, when its kickoff lies before the match cutoff.
/// What a row that stays refers to is kept and counted.
public struct OddsRetentionTask: DeletingTask, InspectableTask {
  /// Creates the task.
  public init() {}

  /// What is said of the plugin.
  public static let documentation = PluginDocumentation(
    summary: "Removes old odds, matches and scrape runs of the odds comparison application",
    sample: """
      odds_retention:
        interval: 24h
        settings:
          database: odds            # a name under databases:
          odds_keep: 14d            # odds and scrape runs older than this go
          match_keep: 14d           # matches whose kickoff is longer ago go, with their odds
          empty_tournaments: purge  # or keep
      """,
    counts: [
      ("odds_deleted", "snapshots of BetPawa odds"), ("market_odds_deleted", "their markets"),
      ("competitor_odds_deleted", "snapshots of the competitors' odds"),
      ("competitor_market_odds_deleted", "their markets"), ("market_odds_history_deleted", "rows of the odds history"),
      ("market_odds_current_deleted", "current odds of removed matches"), ("events_deleted", "matches"),
      ("event_bookmakers_deleted", "their links to bookmakers"), ("competitor_events_deleted", "competitors' matches"),
      ("competitor_events_unlinked", "competitors' matches that stay without the match they were linked to"),
      ("tournaments_deleted", "tournaments without a match"),
      ("competitor_tournaments_deleted", "competitors' tournaments without a match"),
      ("scrape_runs_deleted", "scrape runs"), ("scrape_errors_deleted", "their errors"),
      ("scrape_errors_unlinked", "errors that stay without the match they were about"),
      ("scrape_phase_logs_deleted", "their phases"), ("event_scrape_status_deleted", "their states by match"),
      ("scrape_batches_deleted", "scrape batches without a run"),
    ])

  private static let names = Purge.CountNames(deleted: [
    "odds_snapshots": "odds_deleted", "competitor_odds_snapshots": "competitor_odds_deleted",
  ])

  /// Deletes, and writes the application's own record of it.
  public func run(_ settings: OddsRetentionSettings, in context: TaskContext) async throws {
    let database = try context.database(settings.database)
    try await Purge.with(database, for: .deletion, names: Self.names, in: context) { purge in
      let elapsed = context.clock.stopwatch()
      let record = CleanupRecord(settings: settings, purge: purge, context: context)
      do {
        let rules = OddsRules(settings, catalogue: purge.catalogue, now: context.now)
        for warning in rules.warnings { context.warn(warning) }
        try await purge.run(
          try rules.plan(purge.catalogue, except: context.exceptions(in: database.name)), in: context)
      } catch {
        await record.write(failure: error, after: elapsed())
        throw error
      }
      await record.write(failure: nil, after: elapsed())
    }
    reportOldest(in: context)
  }

  /// Counts what a run would delete.
  public func preview(_ settings: OddsRetentionSettings, in context: TaskContext) async throws {
    let database = try context.database(settings.database)
    try await Purge.with(database, for: .preview, names: Self.names, in: context) { purge in
      let rules = OddsRules(settings, catalogue: purge.catalogue, now: context.now)
      for warning in rules.warnings { context.warn(warning) }
      let plan = try rules.plan(purge.catalogue, except: context.exceptions(in: database.name))
      try await purge.preview(plan, in: context)
    }
    reportOldest(in: context)
  }

  private func reportOldest(in context: TaskContext) {
    for (name, tables) in OddsRules.oldest {
      let oldest = context.journal.current.tables.filter { tables.contains($0.table) }.compactMap(\.oldest).min()
      context.detail("date", ["name": .string(name), "value": oldest.map { .string($0.rfc3339) } ?? .null])
    }
  }

  /// Counts, oldest and newest of the application's tables.
  public func statistics(_ settings: OddsRetentionSettings, in context: TaskContext) async throws -> Statistics {
    let database = try context.database(settings.database)
    return try await Purge.with(database, for: .preview, in: context) { purge in
      let catalogue = purge.catalogue
      return try await purge.read { try OddsStatistics.read($0, catalogue) }
    }
  }
}
