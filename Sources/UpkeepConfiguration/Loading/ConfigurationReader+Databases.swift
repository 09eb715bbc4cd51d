import UpkeepCore

extension ConfigurationReader {
  /// Keys that only a server's database has, and what they are about.
  private static let ofServers = [
    ("max_replica_lag", "replicas"), ("max_wal_backlog_mb", "archive and no replication slots"),
    ("max_dead_rows", "dead rows"), ("drop_partitions", "partitions"),
  ]

  /// Reads one database; reports and returns nothing where it can't be used.
  mutating func readDatabase(_ entry: ConfigurationEntry, _ scope: SettingScope) -> DatabaseConfiguration? {
    checkName("database", entry)
    let name = entry.key
    let node = entry.value.isNull ? nil : entry.value
    let (keys, found) = DatabaseKeys.read(node, owner: entry.keyOrigin, in: scope, place: "databases.\(name)")
    problems += found
    // An empty list of exceptions says as little as an absent one.
    let values = keys.values.filter { $0.value != .array([]) }
    effective.add("databases.\(name)", DatabaseKeys.descriptions, values, node, absent: false)
    guard found.isEmpty else { return nil }
    let exceptions = keys.except.compactMap { $0.exception(in: name) }
    let passwordOrigin = node?["password_file"]?.origin ?? entry.keyOrigin
    switch (keys.sqlite, keys.postgres) {
    case (let path?, nil):
      if keys.passwordFile != nil {
        report("bad_value", "password_file: an SQLite database has no password; remove it", passwordOrigin)
      }
      for (key, what) in Self.ofServers {
        guard let value = node?[key], key != "drop_partitions" || keys.dropPartitions else { continue }
        report("bad_value", "\(key): an SQLite database has no \(what); remove it", value.origin)
      }
      return DatabaseConfiguration(
        name: name, engine: .sqlite(path: path.text), exceptions: exceptions, secureDelete: keys.secureDelete,
        origin: entry.keyOrigin)
    case (nil, let url?):
      let origin = node?["postgres"]?.origin ?? entry.keyOrigin
      guard url.hasPrefix("postgres://") || url.hasPrefix("postgresql://") else {
        let masked = Secret.masked(url)
        report("bad_value", "postgres: expected a URL such as postgresql://user@host/name, found \(masked)", origin)
        return nil
      }
      if let secure = node?["secure_delete"], keys.secureDelete {
        report("bad_value", "secure_delete: only an SQLite database has a file to overwrite; remove it", secure.origin)
      }
      let (lag, backlog) = (keys.maxReplicaLag ?? .seconds(30), keys.maxWALBacklog ?? 10_240)
      return DatabaseConfiguration(
        name: name, engine: .postgres(url: url, passwordFile: keys.passwordFile?.text), exceptions: exceptions,
        maxReplicaLag: lag == .zero ? nil : lag, maxWALBacklog: backlog == 0 ? nil : backlog,
        maxDeadRows: keys.maxDeadRows, dropsPartitions: keys.dropPartitions, origin: entry.keyOrigin)
    case (_?, _?):
      report(
        "database_engine", "the database \(name) is given twice, as sqlite and as postgres; remove one of them",
        node?["postgres"]?.origin ?? entry.keyOrigin)
      return nil
    case (nil, nil):
      report("database_engine", "the database \(name) has no engine; write sqlite: with a path", entry.keyOrigin)
      return nil
    }
  }

  /// Reads one group.
  mutating func readGroup(_ entry: ConfigurationEntry, tasks: [String]) -> GroupConfiguration? {
    checkName("group", entry)
    if tasks.contains(entry.key) {
      report(
        "duplicate_name", "the group \(entry.key) is named like a task; give it another name", entry.keyOrigin)
    }
    guard case .list(let items) = entry.value.content else {
      report("bad_type", "\(entry.key): expected a list of tasks, found \(entry.value.found)", entry.value.origin)
      return nil
    }
    if items.isEmpty { report("bad_value", "the group \(entry.key) has no tasks", entry.value.origin) }
    let members = names(items, "\(entry.key)", known: tasks, twice: "the task %% is in the group \(entry.key) twice")
    return GroupConfiguration(name: entry.key, tasks: members)
  }

  /// Reads a list of different tasks.
  mutating func names(
    _ items: [ConfigurationNode], _ place: String, known: [String], twice: String
  ) -> [String] {
    var result: [String] = []
    for item in items {
      guard case .string(let name) = item.content else {
        report("bad_type", "\(place): expected the name of a task, found \(item.found)", item.origin)
        continue
      }
      if !known.contains(name) {
        problems.append(.unknown("task", name, code: "unknown_task", known: known, at: item.origin))
      } else if result.contains(name) {
        report("duplicate_task", twice.replacing("%%", with: name), item.origin)
      } else {
        result.append(name)
      }
    }
    return result
  }
}
