import GRDB
import GRDBSQLite
import UpkeepCore

/// The SQL function `upkeep_instant(text)`: microseconds since 1970 of a date and time in any of the forms that
/// applications write, NULL for anything else; and `upkeep_instant(value, code)`, the same for a ``TimeForm``.
///
/// Times in SQLite are mostly text, and one column may hold several forms (a blank or a `T`, with and without a
/// fraction, `Z` or an offset): they are compared as instants. SQLite's own `julianday` is exact to the millisecond only.
enum SQLiteInstant {
  static let function = "upkeep_instant"

  // The C interface is used since it reads the text in place: this runs once for each row that is looked at.
  static func register(on database: GRDB.Database) throws {
    try register(on: database, arguments: 1) { context, count, arguments in
      guard count == 1, let value = arguments?[0] else { return sqlite3_result_null(context) }
      SQLiteInstant.give(SQLiteInstant.instant(value, .text), to: context)
    }
    try register(on: database, arguments: 2) { context, count, arguments in
      guard count == 2, let value = arguments?[0], let code = arguments?[1] else { return sqlite3_result_null(context) }
      let index = Int(sqlite3_value_int(code))
      guard TimeForm.byCode.indices.contains(index) else { return sqlite3_result_null(context) }
      SQLiteInstant.give(SQLiteInstant.instant(value, TimeForm.byCode[index]), to: context)
    }
  }

  private static func register(
    on database: GRDB.Database, arguments: Int32,
    _ body: @convention(c) (OpaquePointer?, Int32, UnsafeMutablePointer<OpaquePointer?>?) -> Void
  ) throws {
    let flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC
    let code = sqlite3_create_function_v2(
      database.sqliteConnection, function, arguments, flags, nil, body, nil, nil, nil)
    guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
  }

  private static func instant(_ value: OpaquePointer, _ form: TimeForm) -> Timestamp? {
    switch sqlite3_value_type(value) {
    case SQLITE_TEXT:
      guard form == .text, let bytes = sqlite3_value_text(value) else { return nil }
      return Timestamp.parse(UnsafeBufferPointer(start: bytes, count: Int(sqlite3_value_bytes(value))))
    case SQLITE_INTEGER: return form.instant(of: sqlite3_value_int64(value))
    case SQLITE_FLOAT: return form.instant(of: sqlite3_value_double(value))
    default: return nil
    }
  }

  private static func give(_ instant: Timestamp?, to context: OpaquePointer?) {
    if let instant {
      sqlite3_result_int64(context, instant.microseconds)
    } else {
      sqlite3_result_null(context)
    }
  }
}
