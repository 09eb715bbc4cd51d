/// The tables of the odds application as they stand on SQLite.
public enum OddsSchema {
  /// All tables and indexes, in an order in which they can be created.
  public static let statements = tables + indexes

  /// The names of the tables, parents first.
  public static let tableNames = SampleFile.names(of: tables)

  /// The tables, parents first.
  ///
  /// As in the application, `market_odds.snapshot_id` is no declared foreign key, and nothing refers from
  /// `market_odds_current` and `market_odds_history` but a plain number.
  public static let tables = [
    """
    CREATE TABLE sports(
      id integer PRIMARY KEY, name text NOT NULL UNIQUE, slug text NOT NULL UNIQUE)
    """,
    """
    CREATE TABLE bookmakers(
      id integer PRIMARY KEY, name text NOT NULL UNIQUE, slug text NOT NULL UNIQUE, is_active boolean NOT NULL,
      base_url text, logo_url text, created_at datetime NOT NULL, updated_at datetime NOT NULL)
    """,
    """
    CREATE TABLE tournaments(
      id integer PRIMARY KEY, sport_id int NOT NULL REFERENCES sports(id), name text NOT NULL,
      country text NOT NULL DEFAULT 'Unknown', sportradar_id text UNIQUE, UNIQUE(sport_id, name, country))
    """,
    """
    CREATE TABLE events(
      id integer PRIMARY KEY, tournament_id int NOT NULL REFERENCES tournaments(id), name text NOT NULL,
      home_team text NOT NULL, away_team text NOT NULL, kickoff datetime NOT NULL,
      sportradar_id text NOT NULL UNIQUE, created_at datetime NOT NULL)
    """,
    """
    CREATE TABLE event_bookmakers(
      id integer PRIMARY KEY, event_id int NOT NULL REFERENCES events(id),
      bookmaker_id int NOT NULL REFERENCES bookmakers(id), external_event_id text NOT NULL, event_url text,
      created_at datetime NOT NULL, UNIQUE(event_id, bookmaker_id))
    """,
    """
    CREATE TABLE scrape_batches(
      id integer PRIMARY KEY, started_at datetime NOT NULL, completed_at datetime, status text NOT NULL,
      trigger text, notes text)
    """,
    """
    CREATE TABLE scrape_runs(
      id integer PRIMARY KEY, batch_id int REFERENCES scrape_batches(id), status text NOT NULL,
      started_at datetime NOT NULL, completed_at datetime, events_scraped int NOT NULL DEFAULT 0,
      events_failed int NOT NULL DEFAULT 0, trigger text, current_phase text, current_platform text,
      platform_status json, platform_timings json)
    """,
    """
    CREATE TABLE scrape_errors(
      id integer PRIMARY KEY, scrape_run_id int NOT NULL REFERENCES scrape_runs(id),
      bookmaker_id int REFERENCES bookmakers(id), event_id int REFERENCES events(id), error_type text NOT NULL,
      error_message text NOT NULL, occurred_at datetime NOT NULL)
    """,
    """
    CREATE TABLE scrape_phase_logs(
      id integer PRIMARY KEY, scrape_run_id int NOT NULL REFERENCES scrape_runs(id), platform text,
      phase text NOT NULL, started_at datetime NOT NULL, ended_at datetime, events_processed int, message text,
      error_details json)
    """,
    """
    CREATE TABLE event_scrape_status(
      id integer PRIMARY KEY, scrape_run_id int NOT NULL REFERENCES scrape_runs(id), sportradar_id text NOT NULL,
      status text NOT NULL, platforms_requested json, platforms_scraped json, platforms_failed json, timing_ms int,
      error_details json, created_at datetime NOT NULL)
    """,
    """
    CREATE TABLE cleanup_runs(
      id integer PRIMARY KEY, started_at datetime NOT NULL, completed_at datetime, trigger text NOT NULL,
      odds_retention_days int NOT NULL, match_retention_days int NOT NULL, odds_deleted int NOT NULL DEFAULT 0,
      competitor_odds_deleted int NOT NULL DEFAULT 0, scrape_runs_deleted int NOT NULL DEFAULT 0,
      scrape_batches_deleted int NOT NULL DEFAULT 0, events_deleted int NOT NULL DEFAULT 0,
      competitor_events_deleted int NOT NULL DEFAULT 0, tournaments_deleted int NOT NULL DEFAULT 0,
      competitor_tournaments_deleted int NOT NULL DEFAULT 0, oldest_odds_date datetime, oldest_match_date datetime,
      status text NOT NULL, error_message text, duration_seconds float)
    """,
    """
    CREATE TABLE odds_snapshots(
      id integer PRIMARY KEY, event_id int NOT NULL REFERENCES events(id),
      bookmaker_id int NOT NULL REFERENCES bookmakers(id),
      captured_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
      scrape_run_id int REFERENCES scrape_runs(id), last_confirmed_at datetime)
    """,
    """
    CREATE TABLE market_odds(
      id integer PRIMARY KEY, snapshot_id bigint NOT NULL, betpawa_market_id text NOT NULL,
      betpawa_market_name text NOT NULL, line float, handicap_type text, handicap_home float, handicap_away float,
      outcomes json NOT NULL, market_groups json, unavailable_at datetime)
    """,
    """
    CREATE TABLE competitor_tournaments(
      id integer PRIMARY KEY, source text NOT NULL, sport_id int NOT NULL REFERENCES sports(id), name text NOT NULL,
      country_raw text, country_iso text, external_id text NOT NULL, sportradar_id text,
      created_at datetime NOT NULL, deleted_at datetime, UNIQUE(source, external_id))
    """,
    """
    CREATE TABLE competitor_events(
      id integer PRIMARY KEY, source text NOT NULL,
      tournament_id int NOT NULL REFERENCES competitor_tournaments(id), betpawa_event_id int REFERENCES events(id),
      name text NOT NULL, home_team text NOT NULL, away_team text NOT NULL, kickoff datetime NOT NULL,
      external_id text NOT NULL, sportradar_id text NOT NULL, created_at datetime NOT NULL,
      updated_at datetime NOT NULL, deleted_at datetime, UNIQUE(source, external_id))
    """,
    """
    CREATE TABLE competitor_odds_snapshots(
      id integer PRIMARY KEY, competitor_event_id int NOT NULL REFERENCES competitor_events(id),
      captured_at datetime NOT NULL, scrape_run_id int REFERENCES scrape_runs(id), last_confirmed_at datetime)
    """,
    """
    CREATE TABLE competitor_market_odds(
      id integer PRIMARY KEY, snapshot_id bigint NOT NULL REFERENCES competitor_odds_snapshots(id),
      betpawa_market_id text NOT NULL, betpawa_market_name text NOT NULL, line float, handicap_type text,
      handicap_home float, handicap_away float, outcomes json NOT NULL, market_groups json, unavailable_at datetime)
    """,
    """
    CREATE TABLE market_odds_current(
      id integer PRIMARY KEY, event_id int NOT NULL, bookmaker_slug text NOT NULL, betpawa_market_id text NOT NULL,
      betpawa_market_name text NOT NULL, line float, handicap_type text, handicap_home float, handicap_away float,
      outcomes jsonb NOT NULL, market_groups jsonb, unavailable_at datetime, last_updated_at datetime NOT NULL,
      last_confirmed_at datetime NOT NULL)
    """,
    """
    CREATE TABLE market_odds_history(
      id integer PRIMARY KEY, event_id int NOT NULL, bookmaker_slug text NOT NULL, betpawa_market_id text NOT NULL,
      line float, outcomes jsonb NOT NULL, captured_at datetime NOT NULL)
    """,
  ]

  /// The indexes. As in the application there is none on `scrape_run_id`, `events.kickoff` and `tournament_id`.
  public static let indexes = [
    "CREATE INDEX ix_odds_event ON odds_snapshots(event_id)",
    "CREATE INDEX ix_odds_bookmaker ON odds_snapshots(bookmaker_id)",
    "CREATE INDEX ix_odds_event_captured ON odds_snapshots(event_id, captured_at DESC)",
    "CREATE INDEX ix_odds_captured ON odds_snapshots(captured_at)",
    "CREATE INDEX ix_market_snapshot ON market_odds(snapshot_id)",
    "CREATE INDEX ix_comp_event_kickoff ON competitor_events(kickoff)",
    "CREATE INDEX ix_comp_odds_event ON competitor_odds_snapshots(competitor_event_id)",
    "CREATE INDEX ix_comp_odds_captured ON competitor_odds_snapshots(captured_at)",
    "CREATE INDEX ix_comp_market_snapshot ON competitor_market_odds(snapshot_id)",
  ]
}
