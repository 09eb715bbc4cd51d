import Foundation
import UpkeepCore
import UpkeepSchedule

/// Makes values of a configuration's nodes and reports every problem.
struct ConfigurationReader {
  let path: String
  let folder: String
  let plugins: [PluginDescriptor]
  let environment: [String: String]
  let overrides: [(TaskOverride, ValueOrigin)]
  var problems: [Diagnostic] = []
  var secrets = SecretFinder()
  /// Every value with its origin, collected on the way.
  var effective = EffectiveConfiguration()

  init(
    path: String, folder: String, plugins: [PluginDescriptor], environment: [String: String],
    overrides: [(TaskOverride, ValueOrigin)]
  ) {
    self.path = path
    self.folder = folder
    self.plugins = plugins
    self.environment = environment
    self.overrides = overrides
  }

  /// The keys of the whole file, each with its line of help.
  static let topLevel = [
    ("version", "The version of this format: 1"), ("host", "What concerns the host as a whole"),
    ("databases", "The databases that tasks name"), ("tasks", "The tasks by name"),
    ("groups", "Lists of tasks that run in order and give one result"),
  ]

  mutating func read(_ root: ConfigurationNode) -> HostConfiguration? {
    let known = Self.topLevel.map(\.0)
    guard case .map(let entries) = root.content else {
      report("bad_type", "expected a map of \(known.joined(separator: ", ")), found \(root.found)", root.origin)
      return nil
    }
    for entry in entries where !known.contains(entry.key) {
      problems.append(.unknown("key", entry.key, code: "unknown_key", known: known, at: entry.keyOrigin))
    }
    readVersion(root["version"])
    let start = root.origin
    let databaseEntries = map(root, "databases")
    let scope = SettingScope(folder: folder, databases: databaseEntries.map(\.key))

    let hostNode = root["host"].flatMap { $0.isNull ? nil : $0 }
    let (host, hostProblems) = HostKeys.read(hostNode, owner: start, in: scope, place: "host")
    problems += hostProblems
    secrets.collect(hostNode, HostKeys.descriptions)
    let state = stateLocation(host, hostNode, scope)
    effective.add("version", .integer(1), root["version"])
    effective.add("host", HostKeys.descriptions, host.values, hostNode)
    effective.replace("host.state", .string(state.text))
    let databases = databaseEntries.compactMap { readDatabase($0, scope) }

    let taskEntries = overridden(map(root, "tasks"))
    let names = taskEntries.map(\.key)
    let held = databases.flatMap(\.exceptions)
    var tasks: [TaskConfiguration] = []
    tasks.reserveCapacity(taskEntries.count)
    for entry in taskEntries {
      if let task = readTask(entry, host: host, names: names, held: held, scope: scope) { tasks.append(task) }
    }
    let groups = map(root, "groups").compactMap { readGroup($0, tasks: names) }
    for group in groups {
      effective.add("groups.\(group.name)", .array(group.tasks.map { .string($0) }), root["groups"]?[group.name])
    }
    return HostConfiguration(
      path: path, folder: folder, state: state.location, listen: host.listen, timeZone: zone(host.timeZone),
      maxConcurrentRuns: host.maxConcurrentRuns, drainTimeout: host.drainTimeout, historyKeep: host.history.keep,
      historyKeepFailures: host.history.keepFailures, logFormat: host.log.format, logLevel: host.log.level,
      allowedHosts: host.allowedHosts, allowedOrigins: host.allowedOrigins, tokenFile: host.tokenFile?.text,
      onFailure: host.onFailure.map { FailureNotice(command: $0.command, webhook: $0.webhook?.text, after: $0.after) },
      databases: databases, tasks: tasks, groups: groups, effective: effective)
  }

  private mutating func readVersion(_ node: ConfigurationNode?) {
    guard let node, !node.isNull else { return }
    guard node.content == .integer(1) else {
      report("unsupported_version", "version: expected 1, found \(node.found)", node.origin)
      return
    }
  }

  private mutating func stateLocation(
    _ host: HostKeys, _ node: ConfigurationNode?, _ scope: SettingScope
  ) -> (location: StateLocation, text: String) {
    guard let text = host.state?.text else {
      let folders = environment["STATE_DIRECTORY"]?.split(separator: ":").map(String.init) ?? []
      let path = (folders.first ?? folder) + "/upkeep.sqlite"
      return (.path(path), path)
    }
    let databases = scope.databases ?? []
    if databases.contains(text) { return (.database(text), text) }
    if !text.contains("/"), !text.contains("."), let origin = node?["state"]?.origin {
      let suggestion = NameSuggestion.nearest(to: text, among: databases)
      let hint = suggestion.map { "did you mean \($0)?" } ?? "write ./\(text) if that is meant"
      problems.append(
        Diagnostic(
          .warning, code: "state_is_a_path", "state: there is no database \(text), so it is taken as a file; \(hint)",
          at: origin, suggestion: suggestion))
    }
    let path = text.hasPrefix("/") ? text : folder + "/" + text
    return (.path(path), path)
  }

  /// The entries of a map under a key of the file; none where it is absent or something else.
  mutating func map(_ root: ConfigurationNode, _ key: String) -> [ConfigurationEntry] {
    guard let node = root[key], !node.isNull else { return [] }
    guard case .map(let entries) = node.content else {
      report("bad_type", "\(key): expected a map of names, found \(node.found)", node.origin)
      return []
    }
    return entries
  }

  /// Reports a name that isn't one.
  mutating func checkName(_ what: String, _ entry: ConfigurationEntry) {
    guard !TaskName.isValid(entry.key) else { return }
    let proposal = String(
      entry.key.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    let suggestion = TaskName.isValid(proposal) ? proposal : nil
    problems.append(
      Diagnostic(
        code: "bad_name",
        "\(what) \(entry.key.isEmpty ? "\"\"" : entry.key): a name is 1 to 63 lower-case letters, digits and underscores"
          + " and begins with a letter\(suggestion.map { "; write \($0)" } ?? "")",
        at: entry.keyOrigin, suggestion: suggestion))
  }

  mutating func report(_ code: String, _ message: String, _ origin: ValueOrigin) {
    problems.append(Diagnostic(code: code, message, at: origin))
  }

  func zone(_ text: ZoneText) -> TimeZone {
    ZoneName.zone(text.name) ?? .gmt
  }
}
