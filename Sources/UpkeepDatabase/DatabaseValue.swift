/// A value that goes to or comes from a database.
public enum DatabaseValue: Hashable, Sendable {
  /// NULL
  case null
  /// A whole number.
  case integer(Int64)
  /// A floating-point number.
  case real(Double)
  /// A text.
  case text(String)
  /// Bytes.
  case blob([UInt8])

  /// The whole number, where it is one.
  public var integer: Int64? {
    if case .integer(let value) = self { value } else { nil }
  }

  /// The text, where it is one.
  public var text: String? {
    if case .text(let value) = self { value } else { nil }
  }
}

extension DatabaseValue: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByNilLiteral {
  /// A whole number.
  public init(integerLiteral value: Int64) {
    self = .integer(value)
  }

  /// A text.
  public init(stringLiteral value: String) {
    self = .text(value)
  }

  /// NULL
  public init(nilLiteral: ()) {
    self = .null
  }
}

/// A row of a result, readable only while it is handed out.
public protocol DatabaseRow {
  /// The number of columns.
  var count: Int { get }
  /// The value of a column, from 0.
  subscript(column: Int) -> DatabaseValue { get }
}

extension DatabaseRow {
  /// The whole number in a column; 0 where there is none (as of `count` over nothing).
  public func integer(_ column: Int) -> Int64 {
    self[column].integer ?? 0
  }

  /// The text in a column.
  public func text(_ column: Int) -> String? {
    self[column].text
  }
}
