/// A boolean SQL expression over the columns of a table, as it stands in a configuration.
public struct SQLExpression: SettingValue, Hashable {
  /// The expression.
  public var text: String

  /// Takes a text as it is.
  public init(_ text: String) {
    self.text = text
  }

  /// ``SettingKind/string``
  public static var kind: SettingKind { .string }

  /// Reads a text and checks that it is one expression.
  public static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> SQLExpression {
    let text = try String.read(node, in: scope)
    if let problem = problem(in: text) { throw SettingProblem(code: "bad_expression", problem) }
    return SQLExpression(text)
  }

  /// The text.
  public var json: JSONValue { .string(text) }

  /// What keeps a text from being one SQL expression that can be put between parentheses; nothing where nothing does.
  ///
  /// Whether it means something in a table, only the database can say.
  public static func problem(in text: String) -> String? {
    if text.allSatisfy(\.isWhitespace) { return "expected an SQL expression, found nothing" }
    var depth = 0
    // Scalars, not characters: a mark that combines with a semicolon must not hide it.
    var rest = text.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      switch scalar {
      case "'", "\"", "`", "[":
        let end: Unicode.Scalar = scalar == "[" ? "]" : scalar
        // A doubled quote within a text ends it and begins the next at once, which comes to the same.
        guard let close = rest.firstIndex(of: end) else { return "\(scalar) is never closed" }
        rest = rest[rest.index(after: close)...]
      case "(": depth += 1
      case ")":
        depth -= 1
        if depth < 0 { return "a parenthesis is closed that was never opened" }
      case ";": return "expected one expression, found ;"
      case "-" where rest.first == "-", "/" where rest.first == "*":
        return "expected an expression without comments, found \(scalar)\(rest.first ?? " ")"
      case "?", ":", "@", "$", "#":
        return "expected an expression without parameters, found \(scalar)"
      case "\0": return "expected a text without NUL"
      default: break
      }
    }
    return depth == 0 ? nil : "a parenthesis is never closed"
  }
}
