/// Names of tables and columns in statements.
public enum SQLName {
  /// An identifier in quotes, where it needs them.
  public static func quoted(_ name: String) -> String {
    let plain = name.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "_") }
    let isWord = plain && name.first?.isNumber == false && !words.contains(name)
    return isWord
      ? name : "\"\(name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
  }

  private static let words: Set<String> = [
    "add", "all", "alter", "and", "as", "between", "by", "case", "check", "collate", "column", "commit", "constraint",
    "create", "cross", "current_date", "current_time", "current_timestamp", "default", "deferrable", "delete", "desc",
    "distinct", "do", "drop", "else", "end", "escape", "except", "exists", "filter", "foreign", "from", "full", "group",
    "having", "in", "index", "inner", "insert", "intersect", "into", "is", "isnull", "join", "key", "left", "like",
    "limit", "match", "natural", "not", "nothing", "notnull", "null", "of", "offset", "on", "or", "order", "outer",
    "over", "primary", "references", "returning", "right", "select", "set", "table", "then", "to", "transaction",
    "trigger", "union", "unique", "update", "user", "using", "values", "view", "when", "where", "window", "with",
  ]
}
