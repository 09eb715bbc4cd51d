public import UpkeepCore
import UpkeepDatabase

/// How a column of a server with types of its own holds times.
enum ServerTime: Hashable, Sendable {
  /// A date and time in UTC, by convention.
  case naive
  /// An instant.
  case aware
  /// A day, which begins in UTC.
  case day
  /// A number, in one of the forms for numbers.
  case number(TimeForm)

  /// - Throws: ``UpkeepCore/TaskError`` with code `unsupported_time` where a column holds something else.
  init(_ column: String, _ form: TimeForm, of table: TableDescription) throws(TaskError) {
    let type = table.column(column)?.type ?? ""
    switch type {
    case "timestamp without time zone": self = .naive
    case "timestamp with time zone": self = .aware
    case "date": self = .day
    case "smallint", "integer", "bigint", "numeric", "real", "double precision":
      guard form != .text else {
        throw TaskError(
          code: "unsupported_time", place: "table \(table.name)",
          problem: "\(column) is a number (\(type)), and it isn't said how it holds times",
          fix: "name a column with times, or say it with time_format where the task has that setting")
      }
      self = .number(form)
    default:
      throw TaskError(
        code: "unsupported_time", place: "table \(table.name)",
        problem:
          "\(column) is of type \(type); on PostgreSQL times are read from columns of a type for times, or numbers",
        fix: "name a column of type timestamptz, timestamp or date")
    }
  }

  /// The instant that an expression stands for, in microseconds since 1970; NULL for one that lies in no year.
  func instant(_ expression: String) -> String {
    switch self {
    case .naive, .aware, .day:
      // A double holds microseconds exactly until 2255, and is far cheaper than the exact number.
      return "CASE WHEN isfinite(\(expression)) THEN CAST(date_part('epoch', \(expression)) * 1000000 AS bigint) END"
    case .number(let form):
      let (first, last) = (TimeForm.plausible.lowerBound, TimeForm.plausible.upperBound)
      let scaled = "CAST(\(expression) AS numeric)\(Self.scale(form))"
      return "CASE WHEN \(scaled) BETWEEN \(first) AND \(last) THEN CAST(\(scaled) AS bigint) END"
    }
  }

  /// What to select of each row as `at`, and what of all of them, for the oldest and the newest instant. Times are compared
  /// as they are, since turning each into a number costs more than counting it.
  func extremes(of expression: String) -> (row: String, all: String) {
    switch self {
    case .naive, .aware, .day:
      ("CASE WHEN isfinite(\(expression)) THEN \(expression) END", "\(instant("min(at)")), \(instant("max(at)"))")
    case .number:
      (instant(expression), "min(at), max(at)")
    }
  }

  private static func scale(_ form: TimeForm) -> String {
    switch form {
    case .text, .unixMicroseconds: ""
    case .unixSeconds: " * 1000000"
    case .unixMilliseconds: " * 1000"
    case .unixNanoseconds: " / 1000"
    case .julianDay: " * 86400000000 - 210866760000000000"
    }
  }

  /// The bound of a partition, from the text that the server writes of it; NULL stays NULL.
  func bound(_ text: String) -> String {
    let type =
      switch self {
      case .naive, .day: "timestamp"
      case .aware: "timestamptz"
      case .number: "numeric"
      }
    return "CAST(btrim(\(text), '''') AS \(type))"
  }

  /// Adds the bound that a partition must not reach beyond, for all of its rows to lie before an instant.
  func addBound(before cutoff: Timestamp, to sql: inout SQL) {
    switch self {
    case .naive, .day:
      sql += "CAST("
      sql.bind(.text(cutoff.microsecondText))
      sql += " AS timestamp)"
    case .aware:
      sql += "CAST("
      sql.bind(.text("\(cutoff.microsecondText)+00"))
      sql += " AS timestamptz)"
    case .number(let form):
      sql += "CAST("
      sql.bind(form.bound(before: cutoff))
      sql += " AS numeric)"
    }
  }

  /// Adds the condition that a column lies before an instant: the bound alone is exact, so that any index on the column
  /// serves; what lies in no year stays.
  func addOlder(_ expression: String, than cutoff: Timestamp, to sql: inout SQL) {
    sql += "(\(expression) < "
    switch self {
    case .naive, .day, .aware:
      // A day is compared with the time of day that the cutoff has.
      addBound(before: cutoff, to: &sql)
      sql += " AND isfinite(\(expression)))"
    case .number(let form):
      // A bound of the column's own type, which its index knows.
      sql.bind(form.bound(before: cutoff))
      sql += " AND \(instant(expression)) < "
      sql.bind(.integer(cutoff.microseconds))
      sql += ")"
    }
  }
}

/// Conditions as a server with types of its own wants them.
public enum ServerCondition: Hashable, Sendable {
  /// Rows whose time lies strictly before an instant.
  case older(ServerTimeColumn, than: Timestamp)
  /// Rows whose column is one of some texts, whatever its type.
  case isOneOf(column: String, values: [String])
}

/// A column with times of a server.
public struct ServerTimeColumn: Hashable, Sendable {
  let name: String
  let time: ServerTime
}

extension RowCondition {
  /// The condition as the engine of a table wants it.
  /// - Throws: ``UpkeepCore/TaskError`` where a column doesn't hold times.
  func resolved(in table: TableDescription) throws -> RowCondition {
    guard table.engine == .postgres else { return self }
    switch self {
    case .older(let column, let cutoff, let form):
      let time = try ServerTime(column, form, of: table)
      return .server(.older(ServerTimeColumn(name: column, time: time), than: cutoff))
    case .isOneOf(let column, let values): return .server(.isOneOf(column: column, values: values))
    case .any(let conditions): return .any(try conditions.map { try $0.resolved(in: table) })
    case .all(let conditions): return .all(try conditions.map { try $0.resolved(in: table) })
    case .always, .isNull, .matching, .outranked, .server: return self
    }
  }
}

extension SQL {
  mutating func add(_ condition: ServerCondition, of alias: String) {
    switch condition {
    case .older(let column, let cutoff):
      column.time.addOlder("\(alias).\(SQL.quoted(column.name))", than: cutoff, to: &self)
    case .isOneOf(let column, let values):
      // An enumeration refuses to be compared with what it doesn't know.
      addMembership("CAST(\(alias).\(SQL.quoted(column)) AS text)", of: values)
    }
  }
}
