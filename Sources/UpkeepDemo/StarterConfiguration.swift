/// The configuration that somebody starts from: what `upkeep init` writes, and `config/upkeep.yaml` holds.
public enum StarterConfiguration {
  /// The YAML.
  public static let text = """
    # Upkeep's configuration. Every key but version and a task's database has a default.
    #   upkeep validate --live    checks this file and the databases it names
    #   upkeep config             shows every value, defaults included, and where it comes from
    #   upkeep describe task      lists every key that a task may have; describe host, describe odds_retention …
    #   upkeep schema > upkeep.schema.json    lets an editor complete and check:
    # yaml-language-server: $schema=./upkeep.schema.json
    version: 1

    host:
      # Run history, leases and pauses: a path, relative to this file. Its folder must exist.
      state: upkeep.sqlite
      listen: 127.0.0.1:8787        # of upkeep serve
      time_zone: UTC                # of cron expressions, where a task names none
      max_concurrent_runs: 4        # of all processes together
      drain_timeout: 30s            # how long the end of upkeep serve waits for running tasks
      log: { format: text, level: info }   # of upkeep serve; format json: an object a line
      # on_failure: { command: [notify-send, upkeep], webhook: "https://example.org/hook", after: 1 }
      history:
        keep: 90d                   # how long runs are remembered
        keep_failures: 365d         # and those that didn't complete

    databases:
      # A name for tasks to use, and the file, relative to this one. ${NAME:-default} takes an environment variable.
      odds: { sqlite: "${ODDS_DATABASE:-../data/odds.sqlite}" }

    tasks:
      # Removes old odds, matches and scrape runs of the odds comparison application.
      odds_retention:
        enabled: true
        interval: 24h               # or cron: "15 3 * * *"; neither means on demand only
        jitter: 0s                  # starts up to so much later, always the same for this task on this host
        missed: run_once            # slots that passed while upkeep serve was down: run_once | skip | run_all
        # grace: 6h                 # and nothing is made up for once the newest is older than this
        # run_on_start: true        # also when upkeep serve starts
        # window: "01:00-05:00"     # starts only within, and stops between two batches at its end
        timeout: 30m                # a run that takes longer is stopped between two batches
        # A run is refused when it would delete more than this share of any table, from min_rows on.
        guard: { max_percent: 50, min_rows: 1000 }
        concurrency:
          overlap: skip             # while it still runs: skip | queue | cancel_previous | allow
          exclusive_with: []        # tasks that never run at the same time, whichever process runs them
          on_conflict: wait         # while one of those runs: wait | skip
          max_wait: 10m
        settings:
          database: odds
          odds_keep: 14d            # odds and scrape runs older than this go
          match_keep: 14d           # matches whose kickoff is longer ago go, with their odds
          empty_tournaments: purge  # or keep

      # Removes old records from the history of runs, as host.history says.
      run_history:
        enabled: true
        interval: 24h

      # Fetches the odds of BetPawa, SportyBet and Bet9ja. Leave it out where the application's own scraper still runs, and name
      # it in exclusive_with of odds_retention.
      # scraping:
      #   interval: 5m
      #   grace: 60s
      #   settings:
      #     database: odds
      #     platforms: { bet9ja: { enabled: false } }   # upkeep describe scraping lists what a platform may have

      # Removes old rows of any tables; upkeep init --database FILE proposes rules for a database.
      #   upkeep describe table_retention    lists what a rule may have
      # table_retention:
      #   interval: 24h
      #   settings:
      #     database: app             # a name under databases:
      #     rules:
      #       - { table: logs, time_column: created_at, keep: 90d }

      # Does nothing, successfully: try a schedule or an alarm with it.
      heartbeat:
        plugin: noop
        enabled: false
        interval: 1h
        settings: { duration: 0s }

    groups:
      nightly: [odds_retention, heartbeat]   # upkeep run nightly: in this order, one result

    """
}
