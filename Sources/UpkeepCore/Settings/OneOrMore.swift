/// A setting that takes one value, or a list of them: `per: device` or `per: [device, sensor]`.
public struct OneOrMore<Element: SettingValue & Hashable>: SettingValue, Hashable {
  /// The values, in their order.
  public var values: [Element]

  /// Takes values.
  public init(_ values: [Element] = []) {
    self.values = values
  }

  /// ``SettingKind/oneOrMore(of:)``
  public static var kind: SettingKind { .oneOrMore(of: Element.kind) }

  /// Reads a value, or a list.
  public static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> OneOrMore {
    if case .list = node.content { return OneOrMore(try [Element].read(node, in: scope)) }
    return OneOrMore([try Element.read(node, in: scope)])
  }

  /// The value, the list, or null where there is none.
  public var json: JSONValue {
    values.isEmpty ? .null : values.count == 1 ? values[0].json : values.json
  }
}
