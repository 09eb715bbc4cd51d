import UpkeepConfiguration
public import UpkeepCore

/// One key of the YAML, or one setting of a plugin, for people.
public struct DescribedKey: Codable, Hashable, Sendable {
  /// The key, dotted inside groups.
  public var key: String
  /// The type, such as `duration` or `skip | queue`.
  public var type: String
  /// The default as it would be written; `required` where it must be given, empty where there is none.
  public var standard: String
  /// `at least 1s`, or empty.
  public var range: String
  /// One line of help.
  public var help: String

  enum CodingKeys: String, CodingKey {
    case key, type, range, help
    case standard = "default"
  }
}

/// What can be written into a configuration, for people and for editors.
public enum HostDescription {
  /// The keys of `host:`.
  public static var host: [DescribedKey] { keys(ConfigurationReference.host) }
  /// The keys of a task.
  public static var task: [DescribedKey] { keys(ConfigurationReference.task) }

  /// Declared settings for people, groups written out.
  public static func keys(_ descriptions: [SettingDescription]) -> [DescribedKey] {
    ConfigurationReference.rows(descriptions).map {
      DescribedKey(key: $0.key, type: $0.type, standard: $0.standard, range: $0.range, help: $0.help)
    }
  }

  /// The JSON Schema of the YAML, for editors.
  public static var schema: JSONValue { JSONSchema.schema(plugins: BuiltInPlugins.all) }
}
