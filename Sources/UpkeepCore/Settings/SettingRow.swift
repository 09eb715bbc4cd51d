/// A declared setting, or key of the YAML, for people: a row of the tables that `describe` prints.
public struct SettingRow: Codable, Hashable, Sendable {
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

  /// Declared settings as rows, groups written out.
  public static func rows(_ descriptions: [SettingDescription], prefix: String = "") -> [SettingRow] {
    descriptions.flatMap { description -> [SettingRow] in
      let key = prefix + description.key
      if case .group(let inner) = description.kind, !inner.isEmpty { return rows(inner, prefix: key + ".") }
      // A list of groups has a row of its own, and one for each key of its entries.
      var entries: [SettingRow] = []
      if case .list(of: .group(let inner)) = description.kind { entries = rows(inner, prefix: key + "[].") }
      let standard =
        description.isRequired ? "required" : description.standard == .null ? "" : description.standard.text
      return [
        SettingRow(
          key: key, type: description.kind.name, standard: standard == "{}" ? "" : standard,
          range: description.range ?? "", help: description.help)
      ] + entries
    }
  }
}
