/// Rows that no deleting task may touch, whatever its rules select: a legal hold.
///
/// An excepted row is neither deleted nor changed, not even by what becomes of a row that it belongs to: then that row
/// stays, too.
public struct RowException: Hashable, Sendable {
  /// Which rows of the table.
  public enum Rows: Hashable, Sendable {
    /// Those for which an SQL expression is true; where it is NULL the row isn't excepted, as in a query's WHERE.
    case matching(String)
    /// Those with these primary keys.
    case keys([RowKey])
  }

  /// The database that it holds for; nothing means every one that the task works on.
  public var database: String?
  /// The table.
  public var table: String
  /// Which of its rows.
  public var rows: Rows

  /// Creates an exception.
  public init(database: String? = nil, table: String, rows: Rows) {
    self.database = database
    self.table = table
    self.rows = rows
  }
}

extension TaskContext {
  /// The exceptions that hold for a database.
  public func exceptions(in database: String) -> [RowException] {
    exceptions.filter { $0.database == nil || $0.database == database }
  }
}

extension RowException {
  /// What keeps a text from being one SQL expression that can be put between parentheses; nothing where nothing does.
  ///
  /// Whether it means something in a table, only the database can say.
  public static func problem(inExpression text: String) -> String? {
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
