import GRDB
import GRDBSQLite

/// The SQL aggregate `upkeep_ranges(number, state)`: the ranges of numbers that go, between those that stay.
///
/// Rows come in the order of their numbers. A state above 0 says that the row goes, 0 that it stays, and one below 0 that
/// it stays and is to be told of. One such call a row costs a quarter of what it costs to hand the rows that stay out one
/// by one. The result is read by ``NumberRanges``.
enum SQLiteRanges {
  static let function = "upkeep_ranges"

  /// What one evaluation of the aggregate has seen so far.
  private struct Gathering {
    var ranges: [Int64] = []
    var rows: Int64 = 0
    var told: Int64 = 0
    private var isOpen = false

    mutating func add(_ number: Int64, _ state: Int32) {
      guard state > 0 else {
        isOpen = false
        if state < 0 { told += 1 }
        return
      }
      rows += 1
      if isOpen {
        ranges[ranges.count - 1] = number
      } else {
        ranges.append(number)
        ranges.append(number)
        isOpen = true
      }
    }
  }

  static func register(on database: GRDB.Database) throws {
    let code = sqlite3_create_function_v2(
      database.sqliteConnection, function, 2, SQLITE_UTF8, nil, nil,
      { context, _, arguments in
        guard let slot = SQLiteRanges.slot(of: context, makes: true), let arguments else {
          return sqlite3_result_error_nomem(context)
        }
        let gathering: UnsafeMutablePointer<Gathering>
        if let held = slot.pointee {
          gathering = held
        } else {
          gathering = .allocate(capacity: 1)
          gathering.initialize(to: Gathering())
          slot.pointee = gathering
        }
        gathering.pointee.add(sqlite3_value_int64(arguments[0]), sqlite3_value_int(arguments[1]))
      },
      { context in
        // Called once for each evaluation, one that ends with an error included.
        let slot = SQLiteRanges.slot(of: context, makes: false)?.pointee
        let gathering = slot?.move() ?? Gathering()
        slot?.deallocate()
        let words = [gathering.rows, gathering.told] + gathering.ranges
        words.withUnsafeBytes { bytes in
          sqlite3_result_blob(
            context, bytes.baseAddress, Int32(clamping: bytes.count),
            unsafeBitCast(OpaquePointer(bitPattern: -1), to: sqlite3_destructor_type.self))
        }
      }, nil)
    guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
  }

  /// Where SQLite keeps what belongs to one evaluation.
  ///
  /// The value lies behind a pointer, not in an object: each access to one would be checked for another at the same time.
  private static func slot(of context: OpaquePointer?, makes: Bool) -> UnsafeMutablePointer<
    UnsafeMutablePointer<Gathering>?
  >? {
    let size = makes ? Int32(MemoryLayout<UnsafeMutablePointer<Gathering>?>.size) : 0
    return sqlite3_aggregate_context(context, size)?.assumingMemoryBound(to: UnsafeMutablePointer<Gathering>?.self)
  }
}

/// What `upkeep_ranges` found.
public struct NumberRanges: Sendable {
  /// The ranges of the numbers that go, in order.
  public let ranges: [ClosedRange<Int64>]
  /// How many rows go.
  public let rows: Int
  /// How many rows stay that are to be told of.
  public let told: Int

  /// Reads the aggregate's result; nothing for any other value.
  public init?(_ value: DatabaseValue) {
    guard case .blob(let bytes) = value, bytes.count >= 16, bytes.count % 16 == 0 else { return nil }
    let words = bytes.withUnsafeBytes { raw in
      stride(from: 0, to: raw.count, by: 8).map { raw.loadUnaligned(fromByteOffset: $0, as: Int64.self) }
    }
    (rows, told) = (Int(words[0]), Int(words[1]))
    ranges = stride(from: 2, to: words.count, by: 2).map { words[$0]...max(words[$0], words[$0 + 1]) }
  }
}
