import GRDB
import GRDBSQLite

/// The SQL function `upkeep_collation(table, column)`: the collation that a column was declared with, which no pragma
/// tells and which decides what a foreign key to it finds.
enum SQLiteCollation {
  static func register(on database: GRDB.Database) throws {
    let code = sqlite3_create_function_v2(
      database.sqliteConnection, "upkeep_collation", 2, SQLITE_UTF8, nil,
      { context, count, arguments in
        var collation: UnsafePointer<CChar>?
        guard count == 2, let table = sqlite3_value_text(arguments?[0]), let column = sqlite3_value_text(arguments?[1]),
          sqlite3_table_column_metadata(
            sqlite3_context_db_handle(context), "main", UnsafeRawPointer(table).assumingMemoryBound(to: CChar.self),
            UnsafeRawPointer(column).assumingMemoryBound(to: CChar.self), nil, &collation, nil, nil, nil) == SQLITE_OK,
          let collation
        else { return sqlite3_result_null(context) }
        sqlite3_result_text(
          context, collation, -1, unsafeBitCast(OpaquePointer(bitPattern: -1), to: sqlite3_destructor_type.self))
      }, nil, nil, nil)
    guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
  }
}
