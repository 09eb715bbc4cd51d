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
    /// Where it comes from: `upkeep.yaml:12:5`, `environment NAME`, `--set KEY=VALUE` or `default`.
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

  /// What is said of one value, without the path that its section has.
  private struct Fact: Hashable, Sendable {
    var key: String
    var value: JSONValue
    var origin: String
    var variable: String?
    var digest: String?

    func isSame(as other: Fact) -> Bool {
      key == other.key && value == other.value && digest == other.digest
    }
  }

  /// The values below one path, as numbers of facts. Ten thousand tasks say much the same: what is left at its default is
  /// kept once.
  private struct Section: Sendable {
    var path: String
    var facts: [Int32] = []
  }

  private var facts: [Fact] = []
  private var standardFacts: [Fact: Int32] = [:]
  /// In the order of the file's declaration; those below the path of another one follow it.
  private var sections: [Section] = []
  private var places: [String: Int] = [:]
  /// Where the parts of lists come from, by their keys.
  private var partOrigins: [String: ValueOrigin] = [:]

  /// The values, in the order of the file's declaration.
  public var entries: [Entry] { sections.flatMap(entries) }

  /// The value of a key, or of a part of a list, such as `tasks.logs.settings.rules.0.keep`.
  public subscript(key: String) -> Entry? {
    if let place = place(of: key) {
      return entry(sections[place.section].path, facts[Int(sections[place.section].facts[place.position])])
    }
    guard let dot = key.lastIndex(of: "."), var whole = self[String(key[..<dot])] else { return nil }
    let step = String(key[key.index(after: dot)...])
    switch whole.value {
    case .array(let items):
      guard let number = Int(step), items.indices.contains(number) else { return nil }
      whole.value = items[number]
    // The keys of a map that nobody gave are absent.
    case .object(let members): whole.value = members[step] ?? .null
    default: return nil
    }
    whole.key = key
    if let origin = partOrigins[key] {
      (whole.origin, whole.variable) = (origin.text, origin.variable)
    } else if whole.variable == nil {
      whole.origin = ValueOrigin.standard.text
    }
    return whole
  }

  /// The values below a path, such as `tasks.odds_retention`.
  public func entries(under path: String) -> [Entry] {
    let prefix = path + "."
    guard let first = places[path] else { return entries.filter { $0.key.hasPrefix(prefix) } }
    let below = sections[(first + 1)...].prefix { $0.path.hasPrefix(prefix) }
    return entries(sections[first]) + below.flatMap(entries)
  }

  private func entries(_ section: Section) -> [Entry] {
    section.facts.map { entry(section.path, facts[Int($0)]) }
  }

  private func entry(_ path: String, _ fact: Fact) -> Entry {
    Entry(
      key: path.isEmpty ? fact.key : "\(path).\(fact.key)", value: fact.value, origin: fact.origin,
      variable: fact.variable, digest: fact.digest)
  }

  private func place(of key: String) -> (section: Int, position: Int)? {
    var path = key
    while !path.isEmpty {
      path = path.lastIndex(of: ".").map { String(path[..<$0]) } ?? ""
      guard let section = places[path] else { continue }
      let rest = path.isEmpty ? key : String(key.dropFirst(path.count + 1))
      if let position = sections[section].facts.firstIndex(where: { facts[Int($0)].key == rest }) {
        return (section, position)
      }
    }
    return nil
  }

  private mutating func add(_ fact: Fact, to path: String) {
    var number = standardFacts[fact]
    if number == nil {
      number = Int32(facts.count)
      facts.append(fact)
      if fact.origin == ValueOrigin.standard.text { standardFacts[fact] = number }
    }
    let section = places[path] ?? sections.count
    if section == sections.count {
      sections.append(Section(path: path))
      places[path] = section
    }
    if let number { sections[section].facts.append(number) }
  }

  mutating func add(_ key: String, _ value: JSONValue, _ node: ConfigurationNode?) {
    add("", key, value, node)
  }

  private mutating func add(_ path: String, _ key: String, _ value: JSONValue, _ node: ConfigurationNode?) {
    let origin = node.flatMap { $0.isNull ? nil : $0.origin } ?? .standard
    let shown = Self.masked(value)
    add(
      Fact(
        key: key, value: shown, origin: addParts(of: "\(path).\(key)", node, in: origin), variable: origin.variable,
        digest: shown.text.contains(Secret.mask) ? node.map { ContentHash.of(Array($0.plainText.utf8)) } : nil),
      to: path)
  }

  /// Takes note of where the parts of a list come from.
  /// - Returns: Where the list comes from: its own place, and the variables that give parts of it.
  private mutating func addParts(of key: String, _ node: ConfigurationNode?, in origin: ValueOrigin) -> String {
    var variables: [String] = []
    for (number, item) in (node?.items ?? []).enumerated() {
      let part = "\(key).\(number)"
      for (place, value) in [(part, item)] + item.entries.map({ ("\(part).\($0.key)", $0.value) }) {
        partOrigins[place] = value.origin
        if let name = value.origin.variable, name != origin.variable { variables.append(name) }
      }
    }
    return ([origin.text] + variables.map { ValueOrigin.environment(variable: $0).text }).joined(separator: ", ")
  }

  /// Adds declared keys below a path; groups and maps are added key by key.
  mutating func add(
    _ path: String, _ descriptions: [SettingDescription], _ values: [String: JSONValue], _ node: ConfigurationNode?,
    absent: Bool = true
  ) {
    for description in descriptions {
      let value = values[description.key] ?? .null
      if value == .null, !absent { continue }
      add(path, description.key, description, value, node?[description.key])
    }
  }

  private mutating func add(
    _ path: String, _ key: String, _ description: SettingDescription, _ value: JSONValue, _ node: ConfigurationNode?
  ) {
    guard !description.isSecret, case .object(let values) = value, !values.isEmpty else {
      add(path, key, value, node)
      return
    }
    switch description.kind {
    case .group(let descriptions) where !descriptions.isEmpty:
      for inner in descriptions {
        add(path, "\(key).\(inner.key)", inner, values[inner.key] ?? .null, node?[inner.key])
      }
    default: addMap(path, key, values, node)
    }
  }

  private mutating func addMap(
    _ path: String, _ key: String, _ values: [String: JSONValue], _ node: ConfigurationNode?
  ) {
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      if case .object(let inner) = value, !inner.isEmpty {
        addMap(path, "\(key).\(name)", inner, node?[name])
      } else {
        add(path, "\(key).\(name)", value, node?[name])
      }
    }
  }

  /// The values that differ in another configuration, in the order of this one; what is new there comes last.
  public func changes(to other: EffectiveConfiguration) -> [ConfigurationChange] {
    let (mine, others) = (differing(from: other), other.differing(from: self))
    let (old, new) = (Self.byKey(mine), Self.byKey(others))
    var changes: [ConfigurationChange] = []
    for entry in mine {
      let present = new[entry.key]
      if present?.value != entry.value || present?.digest != entry.digest {
        changes += Self.changes(entry.key, entry.value, present?.value ?? .null)
      }
    }
    for entry in others where old[entry.key] == nil {
      changes += Self.changes(entry.key, .null, entry.value)
    }
    return changes
  }

  /// What differs between two values: of lists as long as each other, and of maps, the parts that do.
  private static func changes(_ key: String, _ old: JSONValue, _ new: JSONValue) -> [ConfigurationChange] {
    switch (old, new) {
    case (.array(let before), .array(let after)) where before.count == after.count && before != after:
      return zip(before, after).enumerated().flatMap { index, pair in
        pair.0 == pair.1 ? [] : changes("\(key).\(index)", pair.0, pair.1)
      }
    case (.object(let before), .object(let after)) where before != after:
      return Set(before.keys).union(after.keys).sorted().flatMap { name in
        let (old, new) = (before[name] ?? .null, after[name] ?? .null)
        return old == new ? [] : changes("\(key).\(name)", old, new)
      }
    default: return [change(key, old, new)]
    }
  }

  /// The values of sections that aren't the same in another configuration.
  private func differing(from other: EffectiveConfiguration) -> [Entry] {
    sections.flatMap { section -> [Entry] in
      // Of a task that is new, or gone, what was written counts.
      guard let place = other.places[section.path] else { return entries(section).filter { !$0.isStandard } }
      let numbers = other.sections[place].facts
      let isSame =
        numbers.count == section.facts.count
        && zip(section.facts, numbers).allSatisfy { facts[Int($0)].isSame(as: other.facts[Int($1)]) }
      return isSame ? [] : entries(section)
    }
  }

  private static func byKey(_ entries: [Entry]) -> [String: Entry] {
    Dictionary(entries.map { ($0.key, $0) }) { first, _ in first }
  }

  private static func change(_ path: String, _ old: JSONValue, _ new: JSONValue) -> ConfigurationChange {
    let parts = path.split(separator: ".", maxSplits: 2).map(String.init)
    guard parts.count == 3, parts[0] == "tasks" else {
      return ConfigurationChange(task: nil, key: path, old: old, new: new)
    }
    return ConfigurationChange(task: parts[1], key: parts[2], old: old, new: new)
  }

  mutating func replace(_ key: String, _ value: JSONValue) {
    guard let place = place(of: key) else { return }
    // The fact may be another task's as well.
    var fact = facts[Int(sections[place.section].facts[place.position])]
    fact.value = value
    sections[place.section].facts[place.position] = Int32(facts.count)
    facts.append(fact)
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

extension ValueOrigin {
  /// The environment variable that a value comes from.
  fileprivate var variable: String? {
    if case .environment(let name) = self { name } else { nil }
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
