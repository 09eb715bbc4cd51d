import UpkeepCore

/// A scalar that is to be written into a YAML file.
struct ScalarText: Hashable, Sendable {
  /// Its value, without quotes.
  var text: String
  /// The quotes in which it was given: plain where there were none.
  var style: YAMLNode.ScalarStyle
  /// Whether it may take over the quotes of the scalar that it replaces: not where a number or a truth value is expected.
  var mayBeQuoted: Bool

  /// What it is, once it is read back in a style.
  func content(in style: YAMLNode.ScalarStyle) -> ConfigurationNode.Content {
    style == .plain ? CoreSchema.content(ofPlain: text) : .string(text)
  }

  /// The ways to write it, the best first. Each is to be checked by reading it back.
  ///
  /// - Parameters:
  ///   - old: How the scalar was written that it replaces; nothing where there was none.
  ///   - inFlow: Whether it stands within braces or brackets.
  func forms(replacing old: YAMLNode.ScalarStyle?, inFlow: Bool) -> [String] {
    if style == .plain, CoreSchema.content(ofPlain: text) == .null { return ["null"] }
    var styles: [YAMLNode.ScalarStyle] = []
    if mayBeQuoted, old == .singleQuoted || old == .doubleQuoted { styles.append(old ?? .plain) }
    styles.append(style)
    // What is more than a text, such as a number, would be another value in quotes.
    if case .string = content(in: style) { styles.append(.doubleQuoted) }
    var forms: [String] = []
    for style in styles {
      if let form = form(style, inFlow: inFlow), !forms.contains(form) { forms.append(form) }
    }
    return forms
  }

  private func form(_ style: YAMLNode.ScalarStyle, inFlow: Bool) -> String? {
    switch style {
    case .plain: Self.isPlain(text, inFlow: inFlow) ? text : nil
    case .singleQuoted: Self.isPrintable(text) ? "'\(text.replacing("'", with: "''"))'" : nil
    default: Self.doubleQuoted(text)
    }
  }

  /// A key as it is written.
  static func key(_ key: String, inFlow: Bool) -> String {
    isPlain(key, inFlow: inFlow) && !key.contains(":") ? key : doubleQuoted(key)
  }

  /// Whether a text can stand without quotes; rather no than yes.
  private static func isPlain(_ text: String, inFlow: Bool) -> Bool {
    guard let first = text.unicodeScalars.first, let last = text.unicodeScalars.last, isPrintable(text),
      first != " ", last != " ", last != ":", !text.contains(": "), !text.contains(" #"), !text.hasPrefix("---"),
      !text.hasPrefix("...")
    else { return false }
    if inFlow, text.contains(where: { ",[]{}".contains($0) }) { return false }
    if "-?:".unicodeScalars.contains(first) {
      // Such as a negative number.
      return text.unicodeScalars.dropFirst().first.map { $0 != " " && !",[]{}?:-".unicodeScalars.contains($0) } ?? false
    }
    return !",[]{}#&*!|>'\"%@`".unicodeScalars.contains(first)
  }

  /// Whether a text has nothing but printable characters, all in one line.
  private static func isPrintable(_ text: String) -> Bool {
    text.unicodeScalars.allSatisfy { scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse: false
      default: true
      }
    }
  }

  private static func doubleQuoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case _ where isPrintable(String(scalar)): result.unicodeScalars.append(scalar)
      default:
        let digits = String(scalar.value, radix: 16)
        result += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
      }
    }
    return result + "\""
  }
}
