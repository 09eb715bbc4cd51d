public import UpkeepCore
public import UpkeepRuns

/// Every value of a configuration with its origin, for people. Secrets are masked.
public struct EffectiveConfiguration: Sendable {
  /// One value.
  public struct Entry: Hashable, Sendable, Codable {
    /// The path of the key, such as `tasks.odds_retention.settings.odds_keep`.
    public var key: String
    /// The value.
    public var value: JSONValue
    /// Where it comes from: `upkeep.yaml:12:5`, `environment NAME`, `--set` or `default`.
    public var origin: String
    /// The environment variable that the value comes from; an edit of the YAML couldn't change it.
    public var variable: String?
    /// A hash of what was written, for a value that isn't shown: so that a change of it is noticed.
    var digest: String?

    enum CodingKeys: String, CodingKey {
      case key, value, origin, variable
    }

    /// Whether nothing was said, so that the default holds.
    var isStandard: Bool { origin == ValueOrigin.standard.text }

    /// The value for people.
    public var text: String { value.text }
  }

  /// The values, in the order of the file's declaration.
  public private(set) var entries: [Entry] = []

  /// The value of a key.
  public subscript(key: String) -> Entry? {
    entries.first { $0.key == key }
  }

  /// The values below a path, such as `tasks.odds_retention`.
  public func entries(under path: String) -> [Entry] {
    entries.filter { $0.key.hasPrefix(path + ".") }
  }

  mutating func add(_ key: String, _ value: JSONValue, _ node: ConfigurationNode?) {
    let origin = node.flatMap { $0.isNull ? nil : $0.origin } ?? .standard
    let variable: String? = if case .environment(let name) = origin { name } else { nil }
    let shown = Self.masked(value)
    entries.append(
      Entry(
        key: key, value: shown, origin: origin.text, variable: variable,
        digest: shown.text.contains(Secret.mask) ? node.map { ContentHash.of(Array($0.plainText.utf8)) } : nil))
  }

  /// Adds declared keys; groups and maps are added key by key.
  mutating func add(
    _ path: String, _ descriptions: [SettingDescription], _ values: [String: JSONValue], _ node: ConfigurationNode?,
    absent: Bool = true
  ) {
    for description in descriptions {
      let value = values[description.key] ?? .null
      if value == .null, !absent { continue }
      add("\(path).\(description.key)", description, value, node?[description.key])
    }
  }

  private mutating func add(
    _ path: String, _ description: SettingDescription, _ value: JSONValue, _ node: ConfigurationNode?
  ) {
    guard !description.isSecret, case .object(let values) = value, !values.isEmpty else {
      add(path, value, node)
      return
    }
    switch description.kind {
    case .group(let descriptions) where !descriptions.isEmpty: add(path, descriptions, values, node)
    default: addMap(path, values, node)
    }
  }

  private mutating func addMap(_ path: String, _ values: [String: JSONValue], _ node: ConfigurationNode?) {
    for (key, value) in values.sorted(by: { $0.key < $1.key }) {
      if case .object(let inner) = value, !inner.isEmpty {
        addMap("\(path).\(key)", inner, node?[key])
      } else {
        add("\(path).\(key)", value, node?[key])
      }
    }
  }

  /// The values that differ in another configuration, in the order of this one; what is new there comes last.
  public func changes(to other: EffectiveConfiguration) -> [ConfigurationChange] {
    let (old, new) = (byKey, other.byKey)
    var changes: [ConfigurationChange] = []
    for entry in entries {
      let present = new[entry.key]
      if present?.value != entry.value || present?.digest != entry.digest {
        changes.append(Self.change(entry.key, entry.value, present?.value))
      }
    }
    for entry in other.entries where old[entry.key] == nil {
      changes.append(Self.change(entry.key, nil, entry.value))
    }
    return changes
  }

  private var byKey: [String: Entry] {
    Dictionary(entries.map { ($0.key, $0) }) { first, _ in first }
  }

  private static func change(_ path: String, _ old: JSONValue?, _ new: JSONValue?) -> ConfigurationChange {
    let parts = path.split(separator: ".", maxSplits: 2).map(String.init)
    guard parts.count == 3, parts[0] == "tasks" else {
      return ConfigurationChange(task: nil, key: path, old: old ?? .null, new: new ?? .null)
    }
    return ConfigurationChange(task: parts[1], key: parts[2], old: old ?? .null, new: new ?? .null)
  }

  mutating func replace(_ key: String, _ value: JSONValue) {
    guard let index = entries.firstIndex(where: { $0.key == key }) else { return }
    entries[index].value = value
  }

  private static func masked(_ value: JSONValue) -> JSONValue {
    switch value {
    case .string(let text): .string(Secret.masked(text))
    case .array(let values): .array(values.map(masked))
    case .object(let values): .object(values.mapValues(masked))
    default: value
    }
  }
}

extension ConfigurationNode {
  /// What it holds as one text, places left out.
  fileprivate var plainText: String {
    switch content {
    case .list(let items): "[\(items.map(\.plainText).joined(separator: "\n"))]"
    case .map(let entries): "{\(entries.map { "\($0.key): \($0.value.plainText)" }.joined(separator: "\n"))}"
    default: text
    }
  }
}
