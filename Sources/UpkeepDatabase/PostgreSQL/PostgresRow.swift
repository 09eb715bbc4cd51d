import CLibPQ

/// A row of a result, while the result is there.
struct PostgresRow: DatabaseRow {
  let result: OpaquePointer
  let row: Int32

  var count: Int { Int(PQnfields(result)) }

  /// A truth value is 1 or 0, as on SQLite; times and everything else that has no type of its own here are texts as the
  /// server writes them.
  subscript(column: Int) -> DatabaseValue {
    let column = Int32(column)
    guard PQgetisnull(result, row, column) == 0, let pointer = PQgetvalue(result, row, column) else { return .null }
    let text = String(cString: pointer)
    // The numbers are those of pg_type.
    switch PQftype(result, column) {
    case 16: return .integer(text == "t" ? 1 : 0)
    case 20, 21, 23, 26, 28: return Int64(text).map { .integer($0) } ?? .text(text)
    case 700, 701: return Double(text).map { .real($0) } ?? .text(text)
    case 1700: return Int64(text).map { .integer($0) } ?? Double(text).map { .real($0) } ?? .text(text)
    case 17: return PostgresText.bytes(hexadecimal: text).map { .blob($0) } ?? .text(text)
    default: return .text(text)
    }
  }
}
