import UpkeepCore
import UpkeepRuns
import UpkeepSchedule

extension ConfigurationReader {
  /// Reads one task; reports and returns nothing where no task can be made of it.
  mutating func readTask(
    _ entry: ConfigurationEntry, host: HostKeys, names: [String], held: [RowException], scope: SettingScope
  ) -> TaskConfiguration? {
    checkName("task", entry)
    let name = entry.key
    let node = entry.value.isNull ? nil : entry.value
    let plugin = findPlugin(name, node, entry.keyOrigin)
    var (keys, found) = TaskKeys.read(node, owner: entry.keyOrigin, in: scope, place: "tasks.\(name)")
    if let plugin, plugin.powers.contains(.delete), !plugin.isGuardedByDefault, node?["guard"]?.isNull ?? true {
      keys.guardSetting = .none
    }
    problems += found.map { misplacedSetting($0, node, plugin) }
    guard node == nil || node?.entries.isEmpty == false || node?.content == .map([]) else { return nil }
    let schedule = readSchedule(keys, node, host)
    checkConcurrency(node, name: name, names: names)
    guard let plugin else { return nil }
    if !keys.except.isEmpty, plugin.powers.isDisjoint(with: [.delete, .change]) {
      problems.append(
        Diagnostic(
          .warning, code: "unused_except", "except has no effect: \(plugin.id) neither deletes nor changes rows",
          at: keyOrigin("except", in: node)))
    }

    let settings = node?["settings"].flatMap { $0.isNull ? nil : $0 }
    secrets.collect(settings, plugin.settings)
    let descriptions = TaskKeys.descriptions.filter { $0.key != "settings" }
    secrets.collect(node, descriptions)
    let (prepared, settingProblems) = plugin.prepare(settings, entry.keyOrigin, scope)
    problems += settingProblems
    var shown = keys
    shown.plugin = plugin.id
    shown.timeZone = keys.timeZone ?? host.timeZone
    effective.add("tasks.\(name)", descriptions, shown.values, node)
    effective.add("tasks.\(name).settings", plugin.settings, prepared.settings, settings)

    let zone = zone(keys.timeZone ?? host.timeZone)
    let rule: GuardRule? = if case .rule(let rule) = keys.guardSetting { rule } else { nil }
    return TaskConfiguration(
      name: name, plugin: plugin.id, isEnabled: keys.enabled, schedule: schedule,
      timeZone: zone, runOnStart: keys.runOnStart, jitter: keys.jitter,
      missed: keys.missed, grace: keys.grace,
      rules: TaskRules(
        timeout: keys.timeout, overlap: keys.concurrency.overlap, exclusiveWith: keys.concurrency.exclusiveWith,
        onConflict: keys.concurrency.onConflict, maxWait: keys.concurrency.maxWait, guardRule: rule,
        budget: keys.budget.map { RunBudget(maxRows: $0.maxRows, maxDuration: $0.maxDuration) }, window: keys.window,
        timeZone: zone, exceptions: keys.except.compactMap { $0.exception(in: nil) } + held),
      heartbeatURL: keys.heartbeatURL?.text, settings: settings, prepared: prepared, origin: entry.keyOrigin)
  }

  /// The id of the plugin of a task: what `plugin:` says, or the task's name.
  static func pluginID(_ name: String, _ node: ConfigurationNode?) -> String {
    if let text = node?["plugin"]?.text, !text.isEmpty { text } else { name }
  }

  private mutating func findPlugin(
    _ name: String, _ node: ConfigurationNode?, _ origin: ValueOrigin
  ) -> PluginDescriptor? {
    let id = Self.pluginID(name, node)
    if let plugin = plugins.first(where: { $0.id == id }) { return plugin }
    let known = plugins.map(\.id)
    if let given = node?["plugin"], !given.isNull {
      guard case .string = given.content else { return nil }
      problems.append(.unknown("plugin", id, code: "unknown_plugin", known: known, at: given.origin))
    } else if TaskName.isValid(name) {
      let suggestion = NameSuggestion.nearest(to: name, among: known)
      let hint =
        suggestion.map { "did you mean \($0)?" } ?? "write plugin: with one of \(known.joined(separator: ", "))"
      problems.append(
        Diagnostic(
          code: "unknown_plugin", "the task \(name) names no plugin, and none is called \(name); \(hint)", at: origin,
          suggestion: suggestion))
    }
    return nil
  }

  /// Says of a setting that stands among the task's keys where it belongs.
  private func misplacedSetting(
    _ problem: Diagnostic, _ node: ConfigurationNode?, _ plugin: PluginDescriptor?
  ) -> Diagnostic {
    guard problem.code == "unknown_key",
      let entry = node?.entries.first(where: { $0.keyOrigin == problem.origin }),
      plugin?.settings.contains(where: { $0.key == entry.key }) == true
    else { return problem }
    var problem = problem
    problem.message = "unknown key \(entry.key); it is a setting, write it under settings:"
    problem.suggestion = "settings.\(entry.key)"
    return problem
  }

  private mutating func readSchedule(_ keys: TaskKeys, _ node: ConfigurationNode?, _ host: HostKeys) -> Schedule? {
    let hasInterval = node?["interval"].map { !$0.isNull } ?? false
    let hasCron = node?["cron"].map { !$0.isNull } ?? false
    if hasInterval, hasCron {
      let keys = (node?.entries ?? []).filter { $0.key == "interval" || $0.key == "cron" }
      if let last = keys.last {
        report(
          "schedule_conflict", "interval and cron can't both be given; remove one of them", last.keyOrigin)
      }
    }
    if let zone = node?["time_zone"], !zone.isNull, !hasCron, keys.window == nil {
      problems.append(
        Diagnostic(
          .warning, code: "unused_time_zone", "time_zone has no effect without cron or window",
          at: keyOrigin("time_zone", in: node)))
    }
    if let interval = keys.interval {
      if keys.jitter >= interval, let origin = node?["jitter"]?.origin {
        let (found, limit) = (keys.jitter.durationText, interval.durationText)
        report("out_of_range", "jitter: expected less than the interval \(limit), found \(found)", origin)
      }
      return .interval(interval)
    }
    return keys.cron.map { .cron($0.expression, zone: zone(keys.timeZone ?? host.timeZone)) }
  }

  private mutating func checkConcurrency(_ node: ConfigurationNode?, name: String, names: [String]) {
    guard case .list(let items) = node?["concurrency"]?["exclusive_with"]?.content else { return }
    let others = items.filter { item in
      guard item.content == .string(name) else { return true }
      report(
        "exclusive_with_itself",
        "exclusive_with: \(name) can't exclude itself; overlap says what happens while it runs", item.origin)
      return false
    }
    let strings = others.filter { if case .string = $0.content { true } else { false } }
    _ = self.names(
      strings, "exclusive_with", known: names.filter { $0 != name }, twice: "exclusive_with: %% is given twice")
  }

  func keyOrigin(_ key: String, in node: ConfigurationNode?) -> ValueOrigin {
    node?.entries.first { $0.key == key }?.keyOrigin ?? .standard
  }
}
