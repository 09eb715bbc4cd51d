public import UpkeepCore

/// The name of a time zone, as a setting.
public struct ZoneText: SettingValue, Hashable {
  /// The name, such as `Europe/Riga`.
  public var name: String

  /// Creates a setting; the name isn't checked.
  public init(name: String) {
    self.name = name
  }

  /// UTC.
  public static let standard = ZoneText(name: "UTC")
  /// ``UpkeepCore/SettingKind/string``
  public static var kind: SettingKind { .string }

  /// Reads a name that ``ZoneName`` knows.
  public static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> ZoneText {
    let name = try String.read(node, in: scope)
    guard ZoneName.zone(name) != nil else {
      let suggestion = ZoneName.nearest(to: name)
      let hint = suggestion.map { "did you mean \($0)?" } ?? "expected a name such as UTC or Europe/Riga"
      throw SettingProblem(
        code: "unknown_time_zone", "unknown time zone \(name.isEmpty ? node.found : name); \(hint)",
        suggestion: suggestion)
    }
    return ZoneText(name: name)
  }

  /// The name.
  public var json: JSONValue { .string(name) }
}
