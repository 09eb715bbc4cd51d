import UpkeepConfiguration
public import UpkeepCore

/// What can be written into a configuration, for people and for editors.
public enum HostDescription {
  /// The keys of `host:`.
  public static var host: [SettingRow] { SettingRow.rows(ConfigurationReference.host) }
  /// The keys of a database.
  public static var database: [SettingRow] { SettingRow.rows(ConfigurationReference.database) }
  /// The keys of a task.
  public static var task: [SettingRow] { SettingRow.rows(ConfigurationReference.task) }

  /// The JSON Schema of the YAML, for editors.
  public static var schema: JSONValue { JSONSchema.schema(plugins: BuiltInPlugins.all) }
}
