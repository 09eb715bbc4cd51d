/// The configuration of the demo.
public enum DemoConfiguration {
  /// The YAML.
  public static let text = """
    # The configuration of this demo. Paths are relative to this file.
    #   upkeep validate --config upkeep.yaml     checks it
    #   upkeep config --config upkeep.yaml       shows every value, defaults included, and where it comes from
    version: 1

    host:
      state: var/upkeep.sqlite        # run history and leases

    databases:
      odds: { sqlite: data/odds.sqlite }
      app: { sqlite: data/app.sqlite }

    tasks:
      # Keeps the last 30 days of odds, and of matches.
      odds_retention:
        interval: 24h
        timeout: 30m                  # a run that takes longer is stopped between two batches
        guard: { max_percent: 50, min_rows: 1000 }   # refuses to delete more than half of any table
        settings:
          database: odds
          odds_keep: 30d
          match_keep: 30d

      # Keeps a log and a sensor's readings to 30 days, by rules for its tables.
      table_retention:
        interval: 24h
        settings:
          database: app
          rules:
            - table: logs
              time_column: created_at   # text, as most tables have it
              keep: 30d
              where: "level <> 'error'" # errors stay
            - table: readings
              time_column: taken_at     # Unix seconds: found out from the values
              keep: 30d
              keep_last: 100            # whatever their age, the newest of each device stay
              per: device_id

      # Removes what is older than host: history: { keep: 90d, keep_failures: 365d } from the history of runs.
      run_history:
        interval: 24h

      # Does nothing, successfully: another task to try things with.
      heartbeat:
        plugin: noop
        interval: 1h

    groups:
      nightly: [odds_retention, heartbeat]   # upkeep run nightly: in this order, one result

    """
}
