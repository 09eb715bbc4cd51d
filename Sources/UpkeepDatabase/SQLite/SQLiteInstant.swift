import GRDB
import GRDBSQLite
import UpkeepCore

/// The SQL function `upkeep_instant(text)`: microseconds since 1970 of a date and time in any of the forms that
/// applications write, NULL for anything else.
///
/// Times in SQLite are text, and one column may hold several forms (a blank or a `T`, with and without a fraction,
/// `Z` or an offset): they are compared as instants. SQLite's own `julianday` is exact to the millisecond only.
enum SQLiteInstant {
  static let function = "upkeep_instant"

  static func register(on database: GRDB.Database) throws {
    let flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC
    // The C interface is used since it reads the text in place: this runs once for each row that is looked at.
    let code = sqlite3_create_function_v2(
      database.sqliteConnection, function, 1, flags, nil,
      { context, count, arguments in
        guard count == 1, let argument = arguments?[0], sqlite3_value_type(argument) == SQLITE_TEXT,
          let bytes = sqlite3_value_text(argument)
        else { return sqlite3_result_null(context) }
        let text = UnsafeBufferPointer(start: bytes, count: Int(sqlite3_value_bytes(argument)))
        if let instant = Timestamp.parse(text) {
          sqlite3_result_int64(context, instant.microseconds)
        } else {
          sqlite3_result_null(context)
        }
      }, nil, nil, nil)
    guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
  }
}
