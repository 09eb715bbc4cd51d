import UpkeepCore
import UpkeepDatabase

/// A statement in the making: its text and the values of its parameters.
struct SQL {
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
  static func quoted(_ name: String) -> String {
    SQLName.quoted(name)
  }

  static func list(_ names: [String], of alias: String? = nil) -> String {
    names.map { (alias.map { "\($0)." } ?? "") + quoted($0) }.joined(separator: ", ")
  }

  /// One column, or several as a row value.
  static func tuple(_ names: [String], of alias: String? = nil) -> String {
    names.count == 1 ? list(names, of: alias) : "(\(list(names, of: alias)))"
  }
}

extension SQL {
  /// Adds a condition on the rows of `alias`.
  ///
  /// - Parameter scanning: Whether the rows are found otherwise, so that no index has to be offered.
  mutating func add(_ condition: RowCondition, of alias: String, scanning: Bool = false) {
    switch condition {
    case .always:
      self += "TRUE"
    case .isNull(let column):
      self += "\(alias).\(SQL.quoted(column)) IS NULL"
    case .isOneOf(let column, let values):
      addMembership("\(alias).\(SQL.quoted(column))", of: values)
    case .older(let column, let cutoff, let form):
      addOlder(TimeColumn(column, form), of: alias, than: cutoff, scanning: scanning)
    case .matching(let expression):
      self += expression.sql(of: alias)
    case .outranked(let ranking):
      self += ranking.sql(of: alias)
    case .server(let condition):
      add(condition, of: alias)
    case .any(let conditions):
      add(conditions, joined: " OR ", none: "FALSE", of: alias, scanning: scanning)
    case .all(let conditions):
      add(conditions, joined: " AND ", none: "TRUE", of: alias, scanning: scanning)
    }
  }

  /// Most rows have one of the values, so that an index on the column would find too much: `IS TRUE` keeps SQLite from
  /// taking it, and leaves it the index of the time.
  mutating func addMembership(_ column: String, of values: [String]) {
    guard !values.isEmpty else { return self += "FALSE" }
    self += "(\(column) IN ("
    for (index, value) in values.enumerated() {
      if index > 0 { self += ", " }
      bind(.text(value))
    }
    self += ")) IS TRUE"
  }

  private mutating func add(
    _ conditions: [RowCondition], joined: String, none: String, of alias: String, scanning: Bool
  ) {
    guard !conditions.isEmpty else { return self += none }
    self += "("
    for (index, condition) in conditions.enumerated() {
      if index > 0 { self += joined }
      add(condition, of: alias, scanning: scanning)
    }
    self += ")"
  }

  /// A bound that an index can use, and the exact comparison of instants behind it. A number in the column sorts before
  /// every text, and one of another form before any bound, so that the bound alone must not let them pass.
  ///
  /// A column declared as `datetime` has numeric affinity: SQLite would try to read each of its texts as a number before
  /// it compares them, which a `+` spares it. What can be read as a number is one since it was stored.
  private mutating func addOlder(_ column: TimeColumn, of alias: String, than cutoff: Timestamp, scanning: Bool) {
    self += "(\(scanning && column.form == .text ? "+" : "")\(alias).\(SQL.quoted(column.name)) < "
    bind(column.form.bound(before: cutoff))
    self += " AND \(column.instant(of: alias)) < "
    bind(.integer(cutoff.microseconds))
    self += ")"
  }
}

/// A column with times, and how it holds them.
struct TimeColumn: Hashable, Sendable {
  var name: String
  var form: TimeForm
  /// How it holds them on a server with types for times.
  var server: ServerTime?

  init(_ name: String, _ form: TimeForm) {
    self.name = name
    self.form = form
  }

  /// - Throws: ``UpkeepCore/TaskError`` where a column of a server doesn't hold times.
  init(_ name: String, _ form: TimeForm, of table: TableDescription) throws(TaskError) {
    self.init(name, form)
    if table.engine == .postgres { server = try ServerTime(name, form, of: table) }
  }

  /// The instant of a row of `alias` in SQL, in microseconds; NULL where it can't be read.
  func instant(of alias: String) -> String {
    let column = "\(alias).\(SQL.quoted(name))"
    if let server { return server.instant(column) }
    return form == .text ? "upkeep_instant(\(column))" : "upkeep_instant(\(column), \(form.code))"
  }

  /// What to select of each row of `alias` as `at`, and what of all of them, for the oldest and the newest instant in
  /// microseconds.
  func extremes(of alias: String) -> (row: String, all: String) {
    server?.extremes(of: "\(alias).\(SQL.quoted(name))") ?? (instant(of: alias), "min(at), max(at)")
  }
}
