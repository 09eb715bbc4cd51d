public import UpkeepCore

/// Every key of the YAML with its type, default and line of help: what `describe host`, `database` and `task` show.
///
/// The parser, the JSON Schema and these tables come from the same declarations.
public enum ConfigurationReference {
  /// The keys of `host:`.
  public static let host = HostKeys.descriptions
  /// The keys of a database.
  public static let database = DatabaseKeys.descriptions
  /// The keys of a task.
  public static let task = TaskKeys.descriptions
}
