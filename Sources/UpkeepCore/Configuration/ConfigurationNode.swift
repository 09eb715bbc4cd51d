/// One value of a configuration, with where it comes from.
public struct ConfigurationNode: Hashable, Sendable {
  /// What a node holds. Scalars follow YAML 1.2's core schema.
  public enum Content: Hashable, Sendable {
    /// Nothing: an absent key.
    case null
    /// `true` or `false`.
    case boolean(Bool)
    /// A whole number.
    case integer(Int)
    /// A number with a fraction.
    case number(Double)
    /// A text.
    case string(String)
    /// A sequence.
    case list([ConfigurationNode])
    /// A mapping, in the order of the file; keys are unique.
    case map([ConfigurationEntry])
  }

  /// What the node holds.
  public var content: Content
  /// The scalar as it was written (after expansion of variables); empty for lists and maps.
  public var text: String
  /// Where it comes from.
  public var origin: ValueOrigin

  /// Creates a node.
  public init(_ content: Content, text: String = "", origin: ValueOrigin) {
    self.content = content
    self.text = text
    self.origin = origin
  }

  /// The value under `key`, where this is a map that has it.
  public subscript(key: String) -> ConfigurationNode? {
    guard case .map(let entries) = content else { return nil }
    return entries.first { $0.key == key }?.value
  }

  /// The entries of a map; none for anything else.
  public var entries: [ConfigurationEntry] {
    if case .map(let entries) = content { entries } else { [] }
  }

  /// The parts of a list; none for anything else.
  public var items: [ConfigurationNode] {
    if case .list(let items) = content { items } else { [] }
  }

  /// What stands at one step of a path: the value of a map's key, or the part of a list with that number, from 0.
  public func part(_ step: String) -> ConfigurationNode? {
    guard case .list(let items) = content else { return self[step] }
    return Int(step).flatMap { items.indices.contains($0) ? items[$0] : nil }
  }

  /// True for an absent value.
  public var isNull: Bool {
    content == .null
  }

  /// What was found, for messages: `the text "abc"`, `the number 3`, `a list`.
  public var found: String {
    switch content {
    case .null: "nothing"
    case .boolean(let value): "\(value)"
    case .integer, .number: "the number \(text)"
    case .string(""): "an empty text"
    case .string(let value): "\"\(value.count > 60 ? value.prefix(57) + "…" : value)\""
    case .list: "a list"
    case .map: "a map"
    }
  }
}

/// One key of a map and its value.
public struct ConfigurationEntry: Hashable, Sendable {
  /// The key.
  public var key: String
  /// Where the key stands.
  public var keyOrigin: ValueOrigin
  /// The value.
  public var value: ConfigurationNode

  /// Creates an entry.
  public init(key: String, keyOrigin: ValueOrigin, value: ConfigurationNode) {
    self.key = key
    self.keyOrigin = keyOrigin
    self.value = value
  }
}
