/// A primary key of one column.
public enum RowKey: Hashable, Sendable {
  /// A whole number.
  case integer(Int)
  /// A text.
  case text(String)
}

extension RowKey: SettingValue {
  /// ``SettingKind/string``
  public static var kind: SettingKind { .string }

  /// Reads a whole number or a text.
  public static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> RowKey {
    switch node.content {
    case .integer(let number): return .integer(number)
    case .string(let text) where !text.unicodeScalars.contains("\0"): return .text(text)
    default: throw SettingProblem(code: "bad_type", "expected a whole number or a text, found \(node.found)")
    }
  }

  /// The key.
  public var json: JSONValue {
    switch self {
    case .integer(let number): .integer(number)
    case .text(let text): .string(text)
    }
  }
}
