import Glibc
import GRDB
import GRDBSQLite
import UpkeepCore

/// The SQL aggregates `upkeep_ranges(number, state)` and `upkeep_ranges(number, time, bound, cutoff[, second])`: the ranges
/// of numbers that go, between those that stay.
///
/// Rows come in the order of their numbers. A state above 0 says that the row goes, 0 that it stays, and one below 0 that
/// it stays and is to be told of. One such call a row costs a quarter of what it costs to hand the rows that stay out one
/// by one.
///
/// With a time, which is a text, the state is found here, for half of what SQL needs for it: the row goes where its instant
/// lies before the cutoff, in microseconds since 1970, and stays where the cutoff is NULL. A text before the bound that is
/// no time is to be told of; the bound is a text behind all that may go. How many rows sort before it is told, too, so that
/// who knows how many there are can end there. A row with a second time, which is a text as well, goes only where that lies
/// before the cutoff, too. The result is read by ``NumberRanges``.
enum SQLiteRanges {
  static let function = "upkeep_ranges"

  /// What one evaluation of the aggregate has seen so far.
  private struct Gathering {
    var ranges: [Int64] = []
    var rows: Int64 = 0
    var told: Int64 = 0
    /// Rows whose time sorts before the bound.
    var bounded: Int64 = 0
    /// The first and the last instant among the rows that go.
    var oldest = Int64.max
    var newest = Int64.min
    private var reader = TimestampReader()
    private var secondReader = TimestampReader()
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

    /// - Parameter second: The other time; nothing where there is none.
    mutating func add(
      _ number: Int64, at text: UnsafeBufferPointer<UInt8>, before cutoff: Int64?,
      and second: UnsafeBufferPointer<UInt8>? = nil
    ) {
      bounded += 1
      guard let instant = reader.parse(text) else { return add(number, -1) }
      guard let cutoff, instant.microseconds < cutoff else { return add(number, 0) }
      if let second {
        guard let other = secondReader.parse(second), other.microseconds < cutoff else { return add(number, 0) }
      }
      oldest = min(oldest, instant.microseconds)
      newest = max(newest, instant.microseconds)
      add(number, 1)
    }
  }

  static func register(on database: GRDB.Database) throws {
    // Texts of a file in UTF-16 have to be translated, and so copied.
    let isUTF8 = try String.fetchOne(database, sql: "PRAGMA encoding") == "UTF-8"
    let inPlace = isUTF8 ? UnsafeMutableRawPointer(bitPattern: 1) : nil
    try register(on: database, arguments: 2, inPlace) { context, _, arguments in
      guard let gathering = SQLiteRanges.gathering(of: context), let arguments else {
        return sqlite3_result_error_nomem(context)
      }
      gathering.pointee.add(sqlite3_value_int64(arguments[0]), sqlite3_value_int(arguments[1]))
    }
    for arguments in [Int32(4), 5] {
      try register(on: database, arguments: arguments, inPlace) { context, count, arguments in
        guard let gathering = SQLiteRanges.gathering(of: context), let arguments, let time = arguments[1],
          let bound = arguments[2], let cutoff = arguments[3]
        else { return sqlite3_result_error_nomem(context) }
        let number = sqlite3_value_int64(arguments[0])
        let isInPlace = sqlite3_user_data(context) != nil
        let type = sqlite3_value_type(time)
        guard type == SQLITE_TEXT else {
          // Numbers sort before every text, and blobs behind it: neither is a time.
          if type == SQLITE_INTEGER || type == SQLITE_FLOAT { gathering.pointee.bounded += 1 }
          return gathering.pointee.add(number, 0)
        }
        let (text, limit) = (SQLiteRanges.text(of: time, isInPlace), SQLiteRanges.text(of: bound, isInPlace))
        guard SQLiteRanges.precedes(text, limit) else { return gathering.pointee.add(number, 0) }
        let instant = sqlite3_value_type(cutoff) == SQLITE_NULL ? nil : sqlite3_value_int64(cutoff)
        guard count > 4, let second = arguments[4], sqlite3_value_type(second) != SQLITE_NULL else {
          return gathering.pointee.add(number, at: text, before: instant)
        }
        // What isn't a text is no time, like an empty one.
        let none = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
        let isText = sqlite3_value_type(second) == SQLITE_TEXT
        gathering.pointee.add(
          number, at: text, before: instant, and: isText ? SQLiteRanges.text(of: second, isInPlace) : none)
      }
    }
  }

  /// The bytes of a text: those of the page itself where they may be read in place.
  private static func text(of value: OpaquePointer, _ isInPlace: Bool) -> UnsafeBufferPointer<UInt8> {
    // In this order: the text may move when it is translated.
    let bytes = isInPlace ? UnsafeRawPointer(sqlite3_value_blob(value)) : UnsafeRawPointer(sqlite3_value_text(value))
    return UnsafeBufferPointer(
      start: bytes?.assumingMemoryBound(to: UInt8.self), count: bytes == nil ? 0 : Int(sqlite3_value_bytes(value)))
  }

  /// Whether SQLite's collation BINARY sorts one text before the other.
  private static func precedes(_ text: UnsafeBufferPointer<UInt8>, _ other: UnsafeBufferPointer<UInt8>) -> Bool {
    let common = min(text.count, other.count)
    if common > 0, let start = text.baseAddress, let otherStart = other.baseAddress {
      let order = memcmp(start, otherStart, common)
      if order != 0 { return order < 0 }
    }
    return text.count < other.count
  }

  private static func register(
    on database: GRDB.Database, arguments: Int32, _ userData: UnsafeMutableRawPointer?,
    _ step: @convention(c) (OpaquePointer?, Int32, UnsafeMutablePointer<OpaquePointer?>?) -> Void
  ) throws {
    let code = sqlite3_create_function_v2(
      database.sqliteConnection, function, arguments, SQLITE_UTF8, userData, nil, step,
      { context in
        // Called once for each evaluation, one that ends with an error included.
        let slot = SQLiteRanges.slot(of: context, makes: false)?.pointee
        let gathering = slot?.move() ?? Gathering()
        slot?.deallocate()
        let words =
          [gathering.rows, gathering.told, gathering.bounded, gathering.oldest, gathering.newest] + gathering.ranges
        words.withUnsafeBytes { bytes in
          sqlite3_result_blob(
            context, bytes.baseAddress, Int32(clamping: bytes.count),
            unsafeBitCast(OpaquePointer(bitPattern: -1), to: sqlite3_destructor_type.self))
        }
      }, nil)
    guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
  }

  /// What this evaluation has seen so far; nothing where there is no memory for it.
  private static func gathering(of context: OpaquePointer?) -> UnsafeMutablePointer<Gathering>? {
    guard let slot = slot(of: context, makes: true) else { return nil }
    if let held = slot.pointee { return held }
    let gathering = UnsafeMutablePointer<Gathering>.allocate(capacity: 1)
    gathering.initialize(to: Gathering())
    slot.pointee = gathering
    return gathering
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
  /// How many rows have a time that sorts before the bound, where their times were given.
  public let bounded: Int
  /// The first and the last instant of those that go, in microseconds since 1970, where their times were given.
  public let instants: ClosedRange<Int64>?

  /// Ranges in order, as `upkeep_whole` takes them.
  public static func blob(of ranges: some Sequence<ClosedRange<Int64>>) -> DatabaseValue {
    let words = ranges.flatMap { [$0.lowerBound, $0.upperBound] }
    return .blob(words.withUnsafeBytes(Array.init))
  }

  /// Reads the aggregate's result; nothing for any other value.
  public init?(_ value: DatabaseValue) {
    guard case .blob(let bytes) = value, bytes.count >= 40, bytes.count % 16 == 8 else { return nil }
    let words = bytes.withUnsafeBytes { raw in
      stride(from: 0, to: raw.count, by: 8).map { raw.loadUnaligned(fromByteOffset: $0, as: Int64.self) }
    }
    (rows, told, bounded) = (Int(words[0]), Int(words[1]), Int(words[2]))
    instants = words[3] <= words[4] ? words[3]...words[4] : nil
    ranges = stride(from: 5, to: words.count, by: 2).map { words[$0]...max(words[$0], words[$0 + 1]) }
  }
}
