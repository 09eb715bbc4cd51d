public import UpkeepCore

/// Every key of the YAML with its type, default and line of help: what `describe host` and `describe task` show.
///
/// The parser, the JSON Schema and these tables come from the same declarations.
public enum ConfigurationReference {
  /// A key for people.
  public struct Row: Hashable, Sendable, Codable {
    /// The key, dotted inside groups: `history.keep`.
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

  /// The keys of `host:`.
  public static let host = HostKeys.descriptions
  /// The keys of a database.
  public static let database = DatabaseKeys.descriptions
  /// The keys of a task.
  public static let task = TaskKeys.descriptions

  /// The keys as rows of a table, groups written out.
  public static func rows(_ descriptions: [SettingDescription], prefix: String = "") -> [Row] {
    descriptions.flatMap { description -> [Row] in
      let key = prefix + description.key
      if case .group(let inner) = description.kind, !inner.isEmpty { return rows(inner, prefix: key + ".") }
      // A list of groups has a row of its own, and one for each key of its entries.
      var entries: [Row] = []
      if case .list(of: .group(let inner)) = description.kind { entries = rows(inner, prefix: key + "[].") }
      let standard =
        description.isRequired ? "required" : description.standard == .null ? "" : description.standard.text
      return [
        Row(
          key: key, type: description.kind.name, standard: standard == "{}" ? "" : standard,
          range: description.range ?? "", help: description.help)
      ] + entries
    }
  }
}
