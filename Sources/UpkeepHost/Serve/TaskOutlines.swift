import Synchronization
import UpkeepConfiguration
import UpkeepCore
import UpkeepRuns

/// What the configuration alone says of the tasks: made once for each configuration, since every page and every look at
/// the API shows it.
final class TaskOutlines: Sendable {
  private struct Made {
    /// The configuration's hash.
    var hash = ""
    var outlines: [String: TaskStatus] = [:]
  }

  private let made = Mutex(Made())

  /// A task as it is configured, neither paused nor running, and without its runs.
  func outline(of task: TaskConfiguration, in host: Host) -> TaskStatus {
    made.withLock { made in
      if made.hash != host.hash { made = Made(hash: host.hash) }
      if let outline = made.outlines[task.name] { return outline }
      let outline = Self.outline(of: task, in: host)
      made.outlines[task.name] = outline
      return outline
    }
  }

  private static func outline(of task: TaskConfiguration, in host: Host) -> TaskStatus {
    let overview = TaskOverview(task, in: host.configuration)
    let prefix = "tasks.\(task.name).settings."
    return TaskStatus(
      name: task.name, plugin: task.plugin, isEnabled: task.isEnabled, pause: nil, running: [], waiting: [],
      schedule: overview.schedule, interval: overview.interval, cron: overview.cron, timeZone: overview.timeZone,
      timeout: overview.timeout, nextRunAt: nil, lastRun: nil,
      settings: overview.settings.map {
        setting($0, key: String($0.key.dropFirst(prefix.count)), of: task.plugin, in: host.configuration.effective)
      }, runSettings: task.prepared.settings, hasPreview: task.prepared.preview != nil,
      origins: origins(of: task.name, in: host))
  }

  /// Where the values of a task's keys come from that may be changed.
  private static func origins(of task: String, in host: Host) -> [String: String] {
    let keys = ["enabled", "interval", "timeout"]
    return Dictionary(
      uniqueKeysWithValues: keys.map { ($0, host.configuration.effective["tasks.\(task).\($0)"]?.origin) }
    )
    .compactMapValues(\.self)
  }

  private static func setting(
    _ value: EffectiveValue, key: String, of plugin: String, in effective: EffectiveConfiguration
  ) -> SettingStatus {
    // A part of a map, such as limits.sync, is declared with the map.
    let name = key.split(separator: ".").first.map(String.init) ?? key
    let declared = BuiltInPlugins.all.first { $0.id == plugin }?.settings.first { $0.key == name }
    var status = SettingStatus(
      key: key, value: value.value, origin: value.origin, help: declared?.help ?? "",
      isTunable: declared.map { $0.kind.isTunable && !$0.isSecret } ?? false)
    if let declared, !declared.isSecret {
      status.parts = parts(of: status, declared.kind).map { part in
        var part = part
        part.origin = effective["\(value.key)\(part.key.dropFirst(key.count))"]?.origin ?? part.origin
        return part
      }
    }
    return status
  }

  /// What may be changed of a list of maps: of each, the values that are there.
  private static func parts(of list: SettingStatus, _ kind: SettingKind) -> [SettingStatus] {
    guard case .list(of: .group(let descriptions)) = kind, case .array(let items) = list.value else { return [] }
    return items.enumerated().flatMap { number, item -> [SettingStatus] in
      guard case .object(let members) = item else { return [] }
      return descriptions.filter { $0.kind.isTunable && !$0.isSecret }.compactMap { description in
        guard let value = members[description.key], value != .null else { return nil }
        return SettingStatus(
          key: "\(list.key).\(number).\(description.key)", value: value, origin: list.origin, help: description.help,
          isTunable: true)
      }
    }
  }
}
