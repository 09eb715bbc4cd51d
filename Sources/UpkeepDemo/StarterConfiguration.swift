/// The configuration that somebody starts from: what `upkeep init` writes, and `config/upkeep.yaml` holds.
public enum StarterConfiguration {
  /// The YAML.
  public static let text = """
    # Upkeep's configuration. Every key but version and a task's database has a default.
    #   upkeep validate --live    checks this file and the databases it names
    #   upkeep config             shows every value, defaults included, and where it comes from
    #   upkeep describe task      lists every key that a task may have; describe host, database, odds_retention …
    #   upkeep schema > upkeep.schema.json    lets an editor complete and check:
    # yaml-language-server: $schema=./upkeep.schema.json
    version: 1

    host:
      # Run history, leases and pauses: a path, relative to this file. Its folder must exist.
      state: upkeep.sqlite
      listen: 127.0.0.1:8787        # of upkeep serve: its API and its pages
      # token_file: upkeep.token    # a file with the token that the API wants; needed where listen isn't loopback
      # allowed_hosts: [upkeep.example.org]             # further names that it is asked for by, behind a proxy
      # allowed_origins: ["https://odds.example.org"]   # front ends that use the applications' own routes
      time_zone: UTC                # of cron expressions and windows, where a task names none
      max_concurrent_runs: 4        # of all processes together
      drain_timeout: 30s            # how long the end of upkeep serve waits for running tasks
      log: { format: text, level: info }   # of upkeep serve; format json: an object a line
      # Told once per streak of so many failures, and when it works again: a program, an address, or both.
      # on_failure: { command: [notify-send, upkeep], webhook: "https://example.org/hook", after: 1 }
      history:
        keep: 90d                   # how long runs are remembered
        keep_failures: 365d         # and those that didn't complete

    databases:
      # A name for tasks to use, and the file, relative to this one. ${NAME:-default} takes an environment variable.
      odds:
        sqlite: "${ODDS_DATABASE:-../data/odds.sqlite}"
        # secure_delete: true       # overwrites what was deleted in freed pages, too; nearly doubles what is written
        # except:                   # rows that no task deletes or changes, whatever its rules say
        #   - { table: events, where: "sportradar_id IN ('s1', 's2')" }
      # stash:
      #   postgres: postgresql://upkeep@db.example.org/stash   # every setting of libpq; or a service, or PGHOST …
      #   password_file: secrets/stash     # the password and nothing else
      #   max_replica_lag: 30s             # a purge waits for replicas that are further behind; 0s: it doesn't
      #   max_wal_backlog_mb: 10240        # and while the server keeps more of its log for its archive or a slot; 0: it doesn't
      #   max_dead_rows: 5000000           # and for autovacuum, while a table it works on has more dead rows
      #   drop_partitions: true            # a partition of which every row goes is dropped; otherwise it is emptied

    tasks:
      # Removes old odds, matches and scrape runs of the odds comparison application.
      odds_retention:
        # plugin: odds_retention    # left out where the task has the plugin's name
        enabled: true
        interval: 24h               # neither this nor cron: on demand only
        # cron: "15 3 * * *"        # instead of interval: minute, hour, day of month, month, day of week
        # time_zone: Europe/Riga    # of its cron and window
        jitter: 0s                  # starts up to so much later, always the same for this task on this host
        missed: run_once            # slots that passed while upkeep serve was down: run_once | skip | run_all
        # grace: 6h                 # and nothing is made up for once the newest is older than this
        # run_on_start: true        # also when upkeep serve starts
        # window: "01:00-05:00"     # the schedule's runs delete only within, and stop between two batches at its end
        # budget: { max_rows: 5000000, max_duration: 10m }   # what one run may delete; the next one goes on there
        timeout: 30m                # a run that takes longer is stopped between two batches
        # A run is refused when it would delete more than this share of any table, from min_rows on.
        guard: { max_percent: 50, min_rows: 1000 }
        concurrency:
          overlap: skip             # while it still runs: skip | queue | cancel_previous | allow
          exclusive_with: []        # tasks that never run at the same time, whichever process runs them
          on_conflict: wait         # while one of those runs: wait | skip
          max_wait: 10m             # for a rule; then the run is skipped
        # except: [{ table: market_odds, keys: [101, 102] }]   # rows that this task never touches
        # heartbeat_url: https://hc-ping.com/your-uuid         # a dead-man's switch: told of start, success, failure
        settings:
          database: odds
          odds_keep: 14d            # odds and scrape runs older than this go
          match_keep: 14d           # matches whose kickoff is longer ago go, with their odds
          empty_tournaments: purge  # or keep

      # Removes old records from the history of runs, as host.history says.
      run_history:
        enabled: true
        interval: 24h

      # Fetches the odds of BetPawa, SportyBet and Bet9ja. Leave it out where the application's own scraper still runs,
      # and name it in exclusive_with of odds_retention.
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

      # Removes unfinished uploads that have expired from the folder of a TUS server.
      # tus_expiry:
      #   run_on_start: true
      #   interval: 10m
      #   settings: { folder: ../uploads, expire_after: 24h }

      # Cleans up a job queue: ends jobs that take too long, removes old ones, old downloads, and frees stuck plans.
      # stale_jobs: { interval: 5m, settings: { database: stash } }
      # job_history: { interval: 24h, settings: { database: stash, keep: 30d } }
      # download_log: { interval: 24h, settings: { database: stash, keep: 14d } }
      # stuck_plans: { interval: 1h, settings: { database: stash } }

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
