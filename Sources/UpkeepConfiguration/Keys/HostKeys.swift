import UpkeepCore
import UpkeepSchedule

/// The keys of `host:`.
struct HostKeys: TaskSettings {
  var state: StateText?
  var listen = ListenAddress.standard
  var timeZone = ZoneText.standard
  var maxConcurrentRuns = 4
  var drainTimeout = Duration.seconds(30)
  var history = HistoryKeys()
  var log = LogKeys()
  var allowedHosts: [String] = []
  var allowedOrigins: [String] = []
  var tokenFile: SettingPath?
  var onFailure: FailureKeys?

  static let noun = "key"
  static let fields: [SettingField<Self>] = [
    SettingField(
      "state", \.state,
      "Run history, leases and pauses: a path, or the name of a database (upkeep.sqlite beside the file, or in"
        + " $STATE_DIRECTORY)"),
    SettingField("listen", \.listen, "The address of the HTTP API and the dashboard"),
    SettingField("time_zone", \.timeZone, "The zone of cron expressions and windows"),
    SettingField("max_concurrent_runs", \.maxConcurrentRuns, in: 1...1000, "How many runs may work at once"),
    SettingField("drain_timeout", \.drainTimeout, "How long a stop waits for running tasks"),
    SettingField("history", \.history, "How long runs are remembered"),
    SettingField("log", \.log, "How and how much is logged"),
    SettingField("allowed_hosts", \.allowedHosts, "Further Host names that serve answers to"),
    SettingField("allowed_origins", \.allowedOrigins, "Origins that may use the compatibility routes from a browser"),
    SettingField("token_file", \.tokenFile, "A file with the token that the HTTP API wants"),
    SettingField("on_failure", \.onFailure, "Whom to tell of failures, once per streak"),
  ]
}

/// The keys of `host.history`.
struct HistoryKeys: SettingGroup {
  var keep = Duration.seconds(90 * 86_400)
  var keepFailures = Duration.seconds(365 * 86_400)

  static let noun = "key"
  static let fields: [SettingField<Self>] = [
    SettingField("keep", \.keep, atLeast: .seconds(1), "How long runs are kept"),
    SettingField("keep_failures", \.keepFailures, atLeast: .seconds(1), "How long runs that didn't complete are kept"),
  ]
}

/// The keys of `host.log`.
struct LogKeys: SettingGroup {
  var format = LogFormat.text
  var level = LogLevel.info

  static let noun = "key"
  static let fields: [SettingField<Self>] = [
    SettingField("format", \.format, "How a line of the log looks"),
    SettingField("level", \.level, "The least important messages that are logged"),
  ]
}

/// The keys of `host.on_failure`.
struct FailureKeys: SettingGroup {
  var command: [String] = []
  var webhook: WebAddress?
  var after = 1

  static let noun = "key"
  static let fields: [SettingField<Self>] = [
    SettingField("command", \.command, "A program and its arguments"),
    SettingField("webhook", \.webhook, secret: true, "An address that gets the result as JSON"),
    SettingField("after", \.after, in: 1...1000, "After how many failures in a row"),
  ]

  func problems() -> [(key: String, message: String)] {
    command.isEmpty && webhook == nil ? [("command", "expected a command, a webhook or both")] : []
  }
}

/// The keys of a database under `databases:`.
struct DatabaseKeys: TaskSettings {
  var sqlite: SettingPath?
  var postgres: String?
  var passwordFile: SettingPath?
  var secureDelete = false
  var maxReplicaLag: Duration?
  var maxWALBacklog: Int?
  var maxDeadRows: Int?
  var dropPartitions = false
  var except: [ExceptKeys] = []

  static let noun = "key"
  static let fields: [SettingField<Self>] = [
    SettingField("sqlite", \.sqlite, "The file of an SQLite database"),
    SettingField("postgres", \.postgres, "The URL of a PostgreSQL database, without a password"),
    SettingField("password_file", \.passwordFile, "A file with the password of a PostgreSQL database"),
    SettingField(
      "secure_delete", \.secureDelete,
      "Whether SQLite also overwrites the pages that a deletion frees, so that nothing deleted can be read from the file"
    ),
    SettingField(
      "max_replica_lag", \.maxReplicaLag, atLeast: .zero,
      "How far a PostgreSQL server's replicas may be behind before a purge waits for them (30s unless set); 0s: it never does"
    ),
    SettingField(
      "max_wal_backlog_mb", \.maxWALBacklog, atLeast: 0,
      "How many MB of its log a PostgreSQL server may have to keep for its archive or a replication slot before a purge waits (10240 unless set); 0: it never does"
    ),
    SettingField(
      "max_dead_rows", \.maxDeadRows, atLeast: 1,
      "How many dead rows a PostgreSQL table may hold before a purge of it waits for autovacuum; it never does unless set"
    ),
    SettingField(
      "drop_partitions", \.dropPartitions,
      "Whether partitions of PostgreSQL tables are dropped where every row of them goes by the partition key alone"),
    SettingField("except", \.except, "Rows that no deleting task touches, whatever its rules select"),
  ]
}
