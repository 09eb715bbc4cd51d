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

      # Removes unfinished uploads that have expired, whichever server left them.
      tus_expiry:
        run_on_start: true
        interval: 10m
        settings:
          folder: uploads
          expire_after: 24h             # where a sidecar has no expiry of its own
          time_zone: UTC                # of times that are written without a zone

      # Does nothing, successfully: a second task to try things with.
      heartbeat:
        plugin: noop
        interval: 1h

    groups:
      nightly: [odds_retention, heartbeat]   # upkeep run nightly: in this order, one result

    """
}
