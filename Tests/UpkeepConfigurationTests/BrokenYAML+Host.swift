/// Mistakes in the host's part, databases, groups and variables.
let brokenHost: [BrokenYAML] = [
  BrokenYAML(
    "unknown key at the top",
    "taks:\n  noop:\n",
    "1:1 [unknown_key] unknown key taks; did you mean tasks?"),
  BrokenYAML(
    "unknown key far off",
    "xyzzy: 1\n",
    "1:1 [unknown_key] unknown key xyzzy; expected one of version, host, databases, tasks, groups"),
  BrokenYAML(
    "version 2",
    "version: 2\n",
    "1:10 [unsupported_version] version: expected 1, found the number 2"),
  BrokenYAML(
    "version as text",
    "version: '1'\n",
    "1:10 [unsupported_version] version: expected 1, found \"1\""),
  BrokenYAML(
    "tasks as list",
    "tasks:\n  - noop\n",
    "2:3 [bad_type] tasks: expected a map of names, found a list"),
  BrokenYAML(
    "host as text",
    "host: abc\n",
    "1:7 [bad_type] host: expected a map of keys, found \"abc\""),
  BrokenYAML(
    "unknown host key",
    "host:\n  lissen: a:1\n",
    "2:3 [unknown_key] unknown key lissen; did you mean listen?"),
  BrokenYAML(
    "listen without port",
    "host:\n  listen: localhost\n",
    "2:11 [bad_value] listen: expected HOST:PORT such as 127.0.0.1:8787 or [::1]:8787, found \"localhost\""),
  BrokenYAML(
    "listen port too large",
    "host:\n  listen: localhost:70000\n",
    "2:11 [bad_value] listen: expected a port of 0 to 65535, found 70000"),
  BrokenYAML(
    "unknown zone",
    "host:\n  time_zone: Europe/Rga\n",
    "2:14 [unknown_time_zone] time_zone: unknown time zone Europe/Rga; did you mean Europe/Riga?"),
  BrokenYAML(
    "city only",
    "host:\n  time_zone: Riga\n",
    "2:14 [unknown_time_zone] time_zone: unknown time zone Riga; did you mean Europe/Riga?"),
  BrokenYAML(
    "zero runs",
    "host:\n  max_concurrent_runs: 0\n",
    "2:24 [out_of_range] max_concurrent_runs: expected 1 to 1000, found 0"),
  BrokenYAML(
    "runs as text",
    "host:\n  max_concurrent_runs: many\n",
    "2:24 [bad_type] max_concurrent_runs: expected a whole number, found \"many\""),
  BrokenYAML(
    "keep zero",
    "host:\n  history: { keep: 0s }\n",
    "2:20 [out_of_range] history: keep: expected at least 1s, found 0s"),
  BrokenYAML(
    "two faults in one map",
    "host:\n  history: { keep: 0s, keep_failures: 3, kep: 1d }\n",
    "2:20 [out_of_range] history: keep: expected at least 1s, found 0s",
    "2:39 [bad_duration] history: keep_failures: 3 has no unit; write 3s, 3m, 3h or 3d",
    "2:42 [unknown_key] history: unknown key kep; did you mean keep?"),
  BrokenYAML(
    "log format",
    "host:\n  log: { format: jsn }\n",
    "2:18 [bad_value] log: format: expected one of text, json, found \"jsn\"; did you mean json?"),
  BrokenYAML(
    "log level",
    "host:\n  log: { level: verbose }\n",
    "2:17 [bad_value] log: level: expected one of trace, debug, info, notice, warning, error, critical, found "
      + "\"verbose\""),
  BrokenYAML(
    "hosts as text",
    "host:\n  allowed_hosts: a.example\n",
    "2:18 [bad_type] allowed_hosts: expected a list of text, found \"a.example\""),
  BrokenYAML(
    "on_failure without anything",
    "host:\n  on_failure: { after: 2 }\n",
    "2:15 [bad_value] on_failure: command: expected a command, a webhook or both"),
  BrokenYAML(
    "webhook",
    "host:\n  on_failure: { webhook: ftp://x }\n",
    "2:26 [bad_value] on_failure: webhook: expected an address that begins with http:// or https://, found ***"),
  BrokenYAML(
    "negative drain",
    "host:\n  drain_timeout: -5s\n",
    "2:18 [bad_duration] drain_timeout: a duration can't be negative: -5s; write one such as 30s, 24h or 14d"),
  BrokenYAML(
    "drain without unit",
    "host:\n  drain_timeout: 30\n",
    "2:18 [bad_duration] drain_timeout: 30 has no unit; write 30s, 30m, 30h or 30d"),
  BrokenYAML(
    "state near a database",
    "databases: {odds: {sqlite: x}}\nhost:\n  state: ods\n",
    "3:10 [state_is_a_path] state: there is no database ods, so it is taken as a file; did you mean odds?"),
  BrokenYAML(
    "database without engine",
    "databases:\n  odds:\n",
    "2:3 [database_engine] the database odds has no engine; write sqlite: with a path"),
  BrokenYAML(
    "database with two engines",
    "databases:\n  odds: { sqlite: a, postgres: 'postgresql://h/d' }\n",
    "2:32 [database_engine] the database odds is given twice, as sqlite and as postgres; remove one of them"),
  BrokenYAML(
    "secure_delete for postgres",
    "databases:\n  odds: { postgres: 'postgresql://u@h/d', secure_delete: true }\n",
    "2:58 [bad_value] secure_delete: only an SQLite database has a file to overwrite; remove it"),
  BrokenYAML(
    "max_replica_lag for sqlite",
    "databases:\n  odds: { sqlite: a, max_replica_lag: 10s }\n",
    "2:39 [bad_value] max_replica_lag: an SQLite database has no replicas; remove it"),
  BrokenYAML(
    "max_wal_backlog_mb for sqlite",
    "databases:\n  odds: { sqlite: a, max_wal_backlog_mb: 100 }\n",
    "2:42 [bad_value] max_wal_backlog_mb: an SQLite database has no archive and no replication slots; remove it"),
  BrokenYAML(
    "max_dead_rows for sqlite",
    "databases:\n  odds: { sqlite: a, max_dead_rows: 100 }\n",
    "2:37 [bad_value] max_dead_rows: an SQLite database has no dead rows; remove it"),
  BrokenYAML(
    "drop_partitions for sqlite",
    "databases:\n  odds: { sqlite: a, drop_partitions: true }\n",
    "2:39 [bad_value] drop_partitions: an SQLite database has no partitions; remove it"),
  BrokenYAML(
    "postgres isn't a URL",
    "databases:\n  odds: { postgres: 'host=h password=geheim' }\n",
    "2:21 [bad_value] postgres: expected a URL such as postgresql://user@host/name, found host=h password=***"),
  BrokenYAML(
    "password for sqlite",
    "databases:\n  odds: { sqlite: a, password_file: b }\n",
    "2:37 [bad_value] password_file: an SQLite database has no password; remove it"),
  BrokenYAML(
    "unknown database key",
    "databases:\n  odds: { sqlit: a }\n",
    "2:11 [unknown_key] unknown key sqlit; did you mean sqlite?"),
  BrokenYAML(
    "bad database name",
    "databases:\n  My-DB: { sqlite: a }\n",
    "2:3 [bad_name] database My-DB: a name is 1 to 63 lower-case letters, digits and underscores and begins with "
      + "a letter; write my_db"),
  BrokenYAML(
    "database as text",
    "databases:\n  odds: data/odds.sqlite\n",
    "2:9 [bad_type] databases.odds: expected a map of keys, found \"data/odds.sqlite\""),
  BrokenYAML(
    "empty path",
    "databases:\n  odds: { sqlite: '' }\n",
    "2:19 [bad_value] sqlite: expected a path, found an empty text"),
  BrokenYAML(
    "unknown member",
    "tasks: { noop: }\ngroups:\n  g: [nop]\n",
    "3:7 [unknown_task] unknown task nop; did you mean noop?"),
  BrokenYAML(
    "member twice",
    "tasks: { noop: }\ngroups:\n  g: [noop, noop]\n",
    "3:13 [duplicate_task] the task noop is in the group g twice"),
  BrokenYAML(
    "group named like a task",
    "tasks: { noop: }\ngroups:\n  noop: [noop]\n",
    "3:3 [duplicate_name] the group noop is named like a task; give it another name"),
  BrokenYAML(
    "empty group",
    "groups:\n  g: []\n",
    "2:6 [bad_value] the group g has no tasks"),
  BrokenYAML(
    "group as text",
    "groups:\n  g: noop\n",
    "2:6 [bad_type] g: expected a list of tasks, found \"noop\""),
  BrokenYAML(
    "undefined variable",
    "host:\n  listen: ${LISTEN}\n",
    "2:11 [undefined_variable] the environment variable LISTEN isn't set; set it, or write ${LISTEN:-default}"),
  BrokenYAML(
    "undefined with a message",
    "host:\n  listen: ${LISTEN:?set the address}\n",
    "2:11 [undefined_variable] the environment variable LISTEN isn't set: set the address"),
  BrokenYAML(
    "unclosed variable",
    "host:\n  listen: 'x${LISTEN'\n",
    "2:13 [bad_variable] ${ has no closing brace; write ${NAME}, or $${ for the characters ${"),
  BrokenYAML(
    "variable without a name",
    "host:\n  listen: ${}\n",
    "2:11 [bad_variable] ${} isn't a variable; write ${NAME}, or $${ for the characters ${"),
  BrokenYAML(
    "variable with an odd operator",
    "host:\n  listen: ${LISTEN+x}\n",
    "2:11 [bad_variable] ${LISTEN+x} isn't a variable; write ${NAME}, ${NAME:-default} or ${NAME:?message}"),
  BrokenYAML(
    "wide characters before the place",
    "host: { state: 'тест/файл', time_zone: Mars }\n",
    "1:40 [unknown_time_zone] time_zone: unknown time zone Mars; expected a name such as UTC or Europe/Riga"),
  BrokenYAML(
    "several mistakes",
    "version: 3\nhost:\n  listen: nowhere\n  bogus: 1\ntasks:\n  noop:\n    interval: 5\n    timeout: 0s\n    enabled: "
      + "no\n  nope:\ngroups:\n  all: [noop, x]\n",
    "1:10 [unsupported_version] version: expected 1, found the number 3",
    "3:11 [bad_value] listen: expected HOST:PORT such as 127.0.0.1:8787 or [::1]:8787, found \"nowhere\"",
    "4:3 [unknown_key] unknown key bogus; expected one of state, listen, time_zone, max_concurrent_runs, "
      + "drain_timeout, history, log, allowed_hosts, allowed_origins, token_file, on_failure",
    "7:15 [bad_duration] interval: 5 has no unit; write 5s, 5m, 5h or 5d",
    "8:14 [out_of_range] timeout: expected at least 1ms, found 0s",
    "9:14 [bad_type] enabled: expected true or false, found \"no\"",
    "10:3 [unknown_plugin] the task nope names no plugin, and none is called nope; write plugin: with one of "
      + "odds_retention, noop, scraping",
    "12:15 [unknown_task] unknown task x; expected one of noop, nope"),
]
