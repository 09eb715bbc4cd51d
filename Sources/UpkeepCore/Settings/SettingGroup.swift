/// Settings that stand under one key: a map with declared keys of its own.
public protocol SettingGroup: TaskSettings, SettingValue {}

extension SettingGroup {
  /// ``SettingKind/group(_:)`` of its settings.
  public static var kind: SettingKind { .group(descriptions) }

  /// Reads the map, and reports everything that is wrong in it.
  public static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> Self {
    let (settings, problems) = read(node, owner: node.origin, in: scope, place: "")
    if let problem = SettingProblem(problems) { throw problem }
    return settings
  }

  /// The values by key.
  public var json: JSONValue { .object(values) }
}
