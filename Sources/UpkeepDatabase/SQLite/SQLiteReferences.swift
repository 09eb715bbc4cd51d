import GRDB
import GRDBSQLite

/// The SQL aggregates `upkeep_whole(value)`, how many values are whole numbers, however they are held, and
/// `upkeep_whole(value, ranges)`, how many of them lie in one of the ranges that ``NumberRanges/blob(of:)`` makes.
///
/// `count(*)` of `value | 0 = value` is the same as the first, and takes half as long again. For the second, values have to
/// come in order, and there is no need to say where they end: to hold each against an upper bound takes SQLite as long as
/// to count it. An aggregate can't say that it has seen enough, so the statement is ended by an error, which carries the
/// count; ``count(in:)`` reads it.
enum SQLiteReferences {
  static let function = "upkeep_whole"

  /// What one evaluation has seen so far. SQLite hands its memory out as zeros, so that is how it begins.
  private struct Count {
    var rows: Int64
    /// The range that the last value lies in or before.
    var next: Int

    /// - Returns: Whether more may come that lies in a range.
    mutating func add(_ value: Int64, in ranges: Ranges) -> Bool {
      while next < ranges.count, value > ranges.end(next) { next += 1 }
      guard next < ranges.count else { return false }
      if value >= ranges.start(next) { rows += 1 }
      return true
    }
  }

  /// Ranges of numbers as they lie in a blob: in order, each by its first and its last number.
  private struct Ranges {
    let bytes: UnsafeRawPointer
    let count: Int

    func start(_ index: Int) -> Int64 { bytes.loadUnaligned(fromByteOffset: 16 * index, as: Int64.self) }
    func end(_ index: Int) -> Int64 { bytes.loadUnaligned(fromByteOffset: 16 * index + 8, as: Int64.self) }
  }

  static func register(on database: GRDB.Database) throws {
    try register(on: database, arguments: 1) { context, _, arguments in
      guard let count = SQLiteReferences.count(of: context, makes: true), let value = arguments?[0] else {
        return sqlite3_result_error_nomem(context)
      }
      if SQLiteReferences.number(value) != nil { count.pointee.rows += 1 }
    }
    try register(on: database, arguments: 2) { context, _, arguments in
      guard let count = SQLiteReferences.count(of: context, makes: true), let value = arguments?[0],
        let ranges = arguments?[1]
      else { return sqlite3_result_error_nomem(context) }
      guard let number = SQLiteReferences.number(value), let bytes = sqlite3_value_blob(ranges) else { return }
      let all = Ranges(bytes: bytes, count: Int(sqlite3_value_bytes(ranges)) / 16)
      guard !count.pointee.add(number, in: all) else { return }
      sqlite3_result_error(context, "\(SQLiteReferences.function) \(count.pointee.rows)", -1)
      sqlite3_result_error_code(context, SQLITE_ABORT)
    }
  }

  /// The count of a statement that ended since all was seen; nothing where another error ended it.
  static func count(in error: GRDB.DatabaseError) -> Int64? {
    guard error.resultCode == .SQLITE_ABORT, let words = error.message?.split(separator: " "), words.count == 2,
      words[0] == function
    else { return nil }
    return Int64(words[1])
  }

  private static func number(_ value: OpaquePointer) -> Int64? {
    switch sqlite3_value_type(value) {
    case SQLITE_INTEGER: sqlite3_value_int64(value)
    case SQLITE_FLOAT: Int64(exactly: sqlite3_value_double(value))
    default: nil
    }
  }

  private static func register(
    on database: GRDB.Database, arguments: Int32,
    _ step: @convention(c) (OpaquePointer?, Int32, UnsafeMutablePointer<OpaquePointer?>?) -> Void
  ) throws {
    let code = sqlite3_create_function_v2(
      database.sqliteConnection, function, arguments, SQLITE_UTF8, nil, nil, step,
      { context in sqlite3_result_int64(context, SQLiteReferences.count(of: context, makes: false)?.pointee.rows ?? 0)
      },
      nil)
    guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
  }

  /// Where SQLite keeps the count of one evaluation: zero at first.
  private static func count(of context: OpaquePointer?, makes: Bool) -> UnsafeMutablePointer<Count>? {
    sqlite3_aggregate_context(context, makes ? Int32(MemoryLayout<Count>.size) : 0)?.assumingMemoryBound(to: Count.self)
  }
}
