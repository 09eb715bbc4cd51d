import UpkeepCore
import UpkeepDatabase

/// Some values of a column, and the forms of time that they can be read in.
///
/// No number means an instant in two forms (``UpkeepDatabase/TimeForm``), so each value has one form or none.
struct TimeSample {
  private static let values = 200

  /// How many values can be read in a form, and one of them.
  private(set) var forms: [TimeForm: (count: Int, example: String)] = [:]
  /// How many values were looked at.
  private(set) var count = 0
  /// A value that can't be read.
  private(set) var stray: String?

  /// Looks at the first and the last rows, and at the smallest and the greatest values where an index gives them.
  init(of column: String, in table: TableDescription, on connection: any DatabaseConnection) throws {
    let (name, value) = (SQLName.quoted(table.name), SQLName.quoted(column))
    let order = (table.rowNumber.map { [$0] } ?? table.primaryKey).map(SQLName.quoted)
    func look(_ keys: [String], _ direction: String) throws {
      let by = keys.map { "\($0) \(direction)" }.joined(separator: ", ")
      let sql = "SELECT \(value) FROM \(name) WHERE \(value) IS NOT NULL ORDER BY \(by) LIMIT \(Self.values)"
      try connection.query(sql, []) { add($0[0]) }
    }
    for direction in ["ASC", "DESC"] {
      if !order.isEmpty { try look(order, direction) }
      if table.hasIndex(on: [column]) { try look([value], direction) }
    }
  }

  private mutating func add(_ value: DatabaseValue) {
    count += 1
    let form = TimeForm.allCases.first { form in
      // A whole number of that size is more likely something else, so Julian days without a fraction have to be named.
      if form == .julianDay, value.integer != nil { return false }
      return form.instant(of: value) != nil
    }
    guard let form else {
      stray = stray ?? Self.shown(value)
      return
    }
    forms[form, default: (0, Self.shown(value))].count += 1
  }

  private static func shown(_ value: DatabaseValue) -> String {
    switch value {
    case .null: "NULL"
    case .integer(let number): "\(number)"
    case .real(let number): "\(number)"
    case .text(let text): "'\(text.prefix(40))'"
    case .blob: "a blob"
    }
  }

  /// The form of the column; nothing where it holds no value.
  ///
  /// One form must be that of nine values in ten that can be read, and of half of all: what isn't in it is kept.
  /// - Throws: ``UpkeepCore/TaskError`` with code `ambiguous_time` or `unknown_time`.
  func form(place: String, column: String) throws(TaskError) -> TimeForm? {
    guard count > 0 else { return nil }
    let found = forms.sorted { ($0.value.count, $1.key.code) > ($1.value.count, $0.key.code) }
    let readable = found.reduce(0) { $0 + $1.value.count }
    guard let first = found.first, readable * 2 >= count else {
      throw TaskError(
        code: "unknown_time", place: place,
        problem: "\(column) doesn't hold times: \(readable) of \(count) values can be read, and "
          + "\(stray ?? "others") can't",
        fix: "name another time_column, or say with time_format how it holds times: "
          + TimeForm.allCases.map(\.rawValue).joined(separator: ", "))
    }
    guard first.value.count * 10 >= readable * 9 else {
      let list = found.map { "\($0.value.count) are \($0.key.rawValue) such as \($0.value.example)" }
      throw TaskError(
        code: "ambiguous_time", place: place,
        problem: "\(column) holds times in several forms: of \(count) values \(list.joined(separator: ", "))",
        fix: "write \(found.map { "time_format: \($0.key.rawValue)" }.joined(separator: " or ")) into the rule; "
          + "rows in another form are kept then")
    }
    return first.key
  }
}
