/// The configuration of the demo.
public enum DemoConfiguration {
  /// The YAML, with the applications' databases on a server where an address is given, and the platforms on a port.
  static func text(server: String?, platformPort: Int) -> String {
    let text = text.replacing("127.0.0.1:\(DemoFolder.platformPort)/", with: "127.0.0.1:\(platformPort)/")
    guard let server else { return text }
    return ["odds", "stash"].reduce(text) { text, name in
      text.replacing("{ sqlite: data/\(name).sqlite }", with: "{ postgres: \"\(server)\" }")
    }
  }

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
      stash: { sqlite: data/stash.sqlite }
      app: { sqlite: data/app.sqlite }

    tasks:
      # Fetches the odds of three betting platforms. These addresses are of this machine, where upkeep demo itself answers
      # for the platforms while it runs, and upkeep demo DIR --platforms 8788 until it is stopped; without them the real ones would be asked.
      scraping:
        enabled: false                # upkeep demo runs it all the same
        interval: 5m
        grace: 60s
        settings:
          database: odds
          platforms:
            betpawa: { base_url: "http://127.0.0.1:\(DemoFolder.platformPort)/betpawa" }
            sportybet: { base_url: "http://127.0.0.1:\(DemoFolder.platformPort)/sportybet" }
            bet9ja: { base_url: "http://127.0.0.1:\(DemoFolder.platformPort)/bet9ja", delay: 0s }

      # Keeps the last 30 days of odds, and of matches.
      odds_retention:
        interval: 24h
        concurrency: { exclusive_with: [scraping] }   # never at the same time
        timeout: 30m                  # a run that takes longer is stopped between two batches
        guard: { max_percent: 50, min_rows: 1000 }   # refuses to delete more than half of any table
        settings:
          database: odds
          odds_keep: 30d
          match_keep: 30d

      # The clean-up of a media application's job queue, in four parts: see the group cleanup.
      stale_jobs:                     # ends jobs that hang
        interval: 5m
        settings: { database: stash, default_limit: 30m, limits: { analysis: 1h } }
      job_history:                    # removes jobs that ended long ago
        interval: 24h
        settings: { database: stash, keep: 30d }
      download_log:                   # removes old entries of the download log
        interval: 24h
        settings: { database: stash, keep: 14d }
      stuck_plans:                    # resets plans whose job is over or gone
        interval: 1h
        settings: { database: stash }
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

      # Removes unfinished uploads that have expired, whichever server left them.
      tus_expiry:
        run_on_start: true
        interval: 10m
        settings:
          folder: uploads
          expire_after: 24h             # where a sidecar has no expiry of its own
          time_zone: UTC                # of times that are written without a zone

      # Does nothing, successfully: another task to try things with.
      heartbeat:
        plugin: noop
        interval: 1h

    groups:
      nightly: [odds_retention, heartbeat]   # upkeep run nightly: in this order, one result
      cleanup: [stale_jobs, job_history, download_log, stuck_plans]

    """
}
