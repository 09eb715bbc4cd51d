/// Mistakes in tasks and their settings.
let brokenTasks: [BrokenYAML] = [
  BrokenYAML(
    "unknown task key",
    "tasks:\n  noop:\n    intervall: 5m\n",
    "3:5 [unknown_key] unknown key intervall; did you mean interval?"),
  BrokenYAML(
    "unknown plugin",
    "tasks:\n  noop:\n    plugin: odds_retension\n",
    "3:13 [unknown_plugin] unknown plugin odds_retension; did you mean odds_retention?"),
  BrokenYAML(
    "task named like no plugin",
    "tasks:\n  odds_retentoin:\n",
    "2:3 [unknown_plugin] the task odds_retentoin names no plugin, and none is called odds_retentoin; did you "
      + "mean odds_retention?"),
  BrokenYAML(
    "task far from any plugin",
    "tasks:\n  cleanup_things: {}\n",
    "2:3 [unknown_plugin] the task cleanup_things names no plugin, and none is called cleanup_things; write "
      + "plugin: with one of odds_retention, noop, scraping"),
  BrokenYAML(
    "bad task name",
    "tasks:\n  Odds-Cleanup: { plugin: noop }\n",
    "2:3 [bad_name] task Odds-Cleanup: a name is 1 to 63 lower-case letters, digits and underscores and begins "
      + "with a letter; write odds_cleanup"),
  BrokenYAML(
    "task as a number",
    "tasks:\n  noop: 5\n",
    "2:9 [bad_type] tasks.noop: expected a map of keys, found the number 5"),
  BrokenYAML(
    "interval zero",
    "tasks:\n  noop:\n    interval: 0s\n",
    "3:15 [out_of_range] interval: expected at least 1s, found 0s"),
  BrokenYAML(
    "interval without unit",
    "tasks:\n  noop:\n    interval: 24\n",
    "3:15 [bad_duration] interval: 24 has no unit; write 24s, 24m, 24h or 24d"),
  BrokenYAML(
    "interval negative",
    "tasks:\n  noop:\n    interval: -1h\n",
    "3:15 [bad_duration] interval: a duration can't be negative: -1h; write one such as 30s, 24h or 14d"),
  BrokenYAML(
    "interval in words",
    "tasks:\n  noop:\n    interval: 1 hour\n",
    "3:15 [bad_duration] interval: 1 hour isn't a duration; write whole numbers with ms, s, m, h, d or w, such "
      + "as 1h30m or 14d"),
  BrokenYAML(
    "interval too long",
    "tasks:\n  noop:\n    interval: 99999999d\n",
    "3:15 [bad_duration] interval: 99999999d is too long; the longest duration is 36525d (100 years)"),
  BrokenYAML(
    "interval as list",
    "tasks:\n  noop:\n    interval: [1h]\n",
    "3:15 [bad_duration] interval: expected a duration such as 30s, 24h or 14d, found a list"),
  BrokenYAML(
    "yes isn't true",
    "tasks:\n  noop:\n    enabled: yes\n",
    "3:14 [bad_type] enabled: expected true or false, found \"yes\""),
  BrokenYAML(
    "interval and cron",
    "tasks:\n  noop:\n    interval: 1h\n    cron: 0 3 * * *\n",
    "4:5 [schedule_conflict] interval and cron can't both be given; remove one of them"),
  BrokenYAML(
    "cron with four fields",
    "tasks:\n  noop:\n    cron: 0 3 * *\n",
    "3:11 [bad_cron] cron: expected 5 fields (minute, hour, day of month, month, day of week), found 4"),
  BrokenYAML(
    "cron hour",
    "tasks:\n  noop:\n    cron: 0 25 * * *\n",
    "3:11 [bad_cron] cron: expected 0 to 23 for the hour, found 25"),
  BrokenYAML(
    "cron never",
    "tasks:\n  noop:\n    cron: 0 0 30 2 *\n",
    "3:11 [bad_cron] cron: the day 30 of month 2 never comes; write a day that the month has"),
  BrokenYAML(
    "cron word",
    "tasks:\n  noop:\n    cron: '@dayly'\n",
    "3:11 [bad_cron] cron: unknown word @dayly; expected one of @annually, @daily, @hourly, @midnight, @monthly, "
      + "@weekly, @yearly"),
  BrokenYAML(
    "cron as number",
    "tasks:\n  noop:\n    cron: 5\n",
    "3:11 [bad_cron] cron: expected a cron expression such as \"15 3 * * *\", found the number 5"),
  BrokenYAML(
    "zone without cron or window",
    "tasks:\n  noop:\n    interval: 1h\n    time_zone: Europe/Riga\n",
    "4:5 [unused_time_zone] time_zone has no effect without cron or window"),
  BrokenYAML(
    "jitter longer than interval",
    "tasks:\n  noop:\n    interval: 10m\n    jitter: 10m\n",
    "4:13 [out_of_range] jitter: expected less than the interval 10m, found 10m"),
  BrokenYAML(
    "timeout zero",
    "tasks:\n  noop:\n    timeout: 0s\n",
    "3:14 [out_of_range] timeout: expected at least 1ms, found 0s"),
  BrokenYAML(
    "grace zero",
    "tasks:\n  noop:\n    grace: 0s\n",
    "3:12 [out_of_range] grace: expected at least 1ms, found 0s"),
  BrokenYAML(
    "missed",
    "tasks:\n  noop:\n    missed: run_twice\n",
    "3:13 [bad_value] missed: expected one of run_once, skip, run_all, found \"run_twice\"; did you mean run_once?"),
  BrokenYAML(
    "window",
    "tasks:\n  noop:\n    window: \"1:00-5:00\"\n",
    "3:13 [bad_window] window: expected a window such as 01:00-05:00, found \"1:00-5:00\""),
  BrokenYAML(
    "empty window",
    "tasks:\n  noop:\n    window: \"01:00-01:00\"\n",
    "3:13 [bad_window] window: the window 01:00-01:00 is empty; leave it out for the whole day"),
  BrokenYAML(
    "budget zero",
    "tasks:\n  noop:\n    budget: { max_rows: 0 }\n",
    "3:25 [out_of_range] budget: max_rows: expected at least 1, found 0"),
  BrokenYAML(
    "empty budget",
    "tasks:\n  noop:\n    budget: {}\n",
    "3:13 [bad_value] budget: max_rows: expected max_rows, max_duration or both"),
  BrokenYAML(
    "overlap",
    "tasks:\n  noop:\n    concurrency: { overlap: cancel }\n",
    "3:29 [bad_value] concurrency: overlap: expected one of skip, queue, cancel_previous, allow, found \"cancel\""),
  BrokenYAML(
    "exclusive with unknown",
    "tasks:\n  noop:\n    concurrency: { exclusive_with: [scrapin] }\n",
    "3:37 [unknown_task] unknown task scrapin; there is none"),
  BrokenYAML(
    "exclusive with itself",
    "tasks:\n  noop:\n    concurrency: { exclusive_with: [noop] }\n",
    "3:37 [exclusive_with_itself] exclusive_with: noop can't exclude itself; overlap says what happens while it runs"),
  BrokenYAML(
    "guard percent",
    "tasks:\n  noop:\n    guard: { max_percent: 120 }\n",
    "3:27 [out_of_range] guard: max_percent: expected 0 to 100, found 120"),
  BrokenYAML(
    "guard off",
    "tasks:\n  noop:\n    guard: off\n",
    "3:12 [bad_type] guard: expected none, or a map of max_percent and min_rows, found \"off\""),
  BrokenYAML(
    "setting among the keys",
    "databases: {odds: {sqlite: x}}\ntasks:\n  odds_retention:\n    odds_keep: 3d\n    settings: { database: odds }\n",
    "4:5 [unknown_key] unknown key odds_keep; it is a setting, write it under settings:"),
  BrokenYAML(
    "unknown setting",
    "databases: {odds: {sqlite: x}}\ntasks:\n  odds_retention:\n    settings: { database: odds, odds_kep: 3d }\n",
    "4:33 [unknown_setting] unknown setting odds_kep; did you mean odds_keep?"),
  BrokenYAML(
    "missing setting",
    "databases: {odds: {sqlite: x}}\ntasks:\n  odds_retention:\n    settings: { odds_keep: 3d }\n",
    "4:15 [missing_setting] settings.database is missing; the database"),
  BrokenYAML(
    "no settings where one is required",
    "tasks:\n  odds_retention:\n    interval: 1h\n",
    "2:3 [missing_setting] settings.database is missing; the database"),
  BrokenYAML(
    "unknown database",
    "databases: {odds: {sqlite: x}}\ntasks:\n  odds_retention:\n    settings: { database: ods }\n",
    "4:27 [unknown_database] database: unknown database ods; did you mean odds?"),
  BrokenYAML(
    "setting below its range",
    "databases: {odds: {sqlite: x}}\ntasks:\n  odds_retention:\n    settings: { database: odds, odds_keep: 0s }\n",
    "4:44 [out_of_range] odds_keep: expected at least 1s, found 0s"),
  BrokenYAML(
    "setting beyond its range",
    "databases: {odds: {sqlite: x}}\ntasks:\n  odds_retention:\n    settings: { database: odds, batch: 5000 }\n",
    "4:40 [out_of_range] batch: expected 1 to 1000, found 5000"),
  BrokenYAML(
    "word of an enumeration",
    "databases: {odds: {sqlite: x}}\ntasks:\n  odds_retention:\n    settings: { database: odds, empty_tournaments: "
      + "kep }\n",
    "4:52 [bad_value] empty_tournaments: expected one of purge, keep, found \"kep\"; did you mean keep?"),
  BrokenYAML(
    "map of durations",
    "databases: {odds: {sqlite: x}}\ntasks:\n  odds_retention:\n    settings: { database: odds, limits: { sync: 5, "
      + "search: x } }\n",
    "4:49 [bad_duration] limits: sync: 5 has no unit; write 5s, 5m, 5h or 5d",
    "4:60 [bad_duration] limits: search: x isn't a duration; write whole numbers with ms, s, m, h, d or w, such "
      + "as 1h30m or 14d"),
  BrokenYAML(
    "settings as list",
    "databases: {odds: {sqlite: x}}\ntasks:\n  odds_retention:\n    settings: [database]\n",
    "4:15 [bad_type] settings: expected a map of settings, found a list"),
  BrokenYAML(
    "list with a map",
    "databases: {odds: {sqlite: x}}\ntasks:\n  odds_retention:\n    settings: { database: odds, statuses: [a, {b: "
      + "c}, [d]] }\n",
    "4:47 [bad_type] statuses.1: expected a text, found a map",
    "4:55 [bad_type] statuses.2: expected a text, found a list"),
]
