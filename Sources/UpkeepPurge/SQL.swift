import UpkeepCore
import UpkeepDatabase

/// A statement in the making: its text and the values of its parameters.
public struct SQL: Sendable {
  private(set) var text = ""
  private(set) var values: [DatabaseValue] = []
  private let reserved: Int

  /// Begins a statement whose first `reserved` parameters are given when it is executed.
  init(_ text: String = "", reserved: Int = 0) {
    self.text = text
    self.reserved = reserved
  }

  static func += (statement: inout SQL, text: String) {
    statement.text += text
  }

  /// Adds a parameter.
  mutating func bind(_ value: DatabaseValue) {
    values.append(value)
    text += "?\(reserved + values.count)"
  }

  /// Puts the statement between two texts without parameters.
  func wrapped(_ before: String, _ after: String) -> SQL {
    var result = self
    result.text = before + text + after
    return result
  }

  /// An identifier in quotes, where it needs them.
  public static func quoted(_ name: String) -> String {
    let plain = name.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "_") }
    let isWord = plain && name.first?.isNumber == false && !words.contains(name)
    return isWord
      ? name : "\"\(name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
  }

  static func list(_ names: [String], of alias: String? = nil) -> String {
    names.map { (alias.map { "\($0)." } ?? "") + quoted($0) }.joined(separator: ", ")
  }

  /// One column, or several as a row value.
  static func tuple(_ names: [String], of alias: String? = nil) -> String {
    names.count == 1 ? list(names, of: alias) : "(\(list(names, of: alias)))"
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

extension SQL {
  /// Adds a condition on the rows of `alias`.
  mutating func add(_ condition: RowCondition, of alias: String) {
    switch condition {
    case .always:
      self += "1"
    case .isNull(let column):
      self += "\(alias).\(SQL.quoted(column)) IS NULL"
    case .isOneOf(let column, let values):
      addMembership("\(alias).\(SQL.quoted(column))", of: values)
    case .older(let column, let cutoff):
      addOlder("\(alias).\(SQL.quoted(column))", than: cutoff)
    case .any(let conditions):
      add(conditions, joined: " OR ", none: "0", of: alias)
    case .all(let conditions):
      add(conditions, joined: " AND ", none: "1", of: alias)
    }
  }

  /// Most rows have one of the values, so that an index on the column would find too much: `IS TRUE` keeps SQLite from
  /// taking it, and leaves it the index of the time.
  private mutating func addMembership(_ column: String, of values: [String]) {
    guard !values.isEmpty else { return self += "0" }
    self += "(\(column) IN ("
    for (index, value) in values.enumerated() {
      if index > 0 { self += ", " }
      bind(.text(value))
    }
    self += ")) IS TRUE"
  }

  private mutating func add(_ conditions: [RowCondition], joined: String, none: String, of alias: String) {
    guard !conditions.isEmpty else { return self += none }
    self += "("
    for (index, condition) in conditions.enumerated() {
      if index > 0 { self += joined }
      add(condition, of: alias)
    }
    self += ")"
  }

  /// A bound that an index can use, and the exact comparison of instants behind it. A number in the column sorts before
  /// every text, so that the bound alone must not let it pass.
  private mutating func addOlder(_ column: String, than cutoff: Timestamp) {
    self += "(\(column) < "
    bind(.text(cutoff.textBound))
    self += " AND upkeep_instant(\(column)) < "
    bind(.integer(cutoff.microseconds))
    self += ")"
  }
}

extension Timestamp {
  /// A text that sorts behind every text of an earlier instant, whatever form and offset it is written with.
  var textBound: String {
    (self + .seconds(2 * 86_400)).dateText
  }
}
