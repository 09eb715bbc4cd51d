/// Reads one JSON document from bytes, without making values of what nobody asks for.
///
/// A folder holds a hundred thousand sidecars, each of which is read once: decoding them into objects would cost more
/// than removing the files. The whole document is checked all the same, so that a half-written one is noticed.
struct JSONScanner {
  /// A value; texts and lists are where they stand in the bytes.
  enum Value: Equatable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case number(Double)
    /// Without its quotes.
    case text(Range<Int>)
    /// With its brackets.
    case list(Range<Int>)
    /// With its braces.
    case object(Range<Int>)
  }

  private enum Fault: Error {
    case malformed
  }

  /// How deep values may stand in one another.
  static let deepest = 64

  private let bytes: UnsafeBufferPointer<UInt8>
  private var at: Int
  private let end: Int

  private init(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
    self.bytes = bytes
    at = range.lowerBound
    end = range.upperBound
  }

  /// Reads the members of an object.
  ///
  /// - Parameters:
  ///   - range: Where it stands; nothing means that it is all there is.
  ///   - visit: Told of each member: where its key stands, and its value.
  /// - Returns: False where there is no object; nothing where the bytes are no JSON document.
  static func members(
    of bytes: UnsafeBufferPointer<UInt8>, in range: Range<Int>? = nil, _ visit: (Range<Int>, Value) -> Void
  ) -> Bool? {
    var scanner = JSONScanner(bytes, range ?? 0..<bytes.count)
    do {
      scanner.skipSpace()
      guard scanner.peek == UInt8(ascii: "{") else {
        _ = try scanner.value(depth: 0)
        return try scanner.finish() ? false : nil
      }
      try scanner.object(depth: 0, visit)
      return try scanner.finish() ? true : nil
    } catch {
      return nil
    }
  }

  /// The elements of a list.
  static func elements(of bytes: UnsafeBufferPointer<UInt8>, in range: Range<Int>) -> [Value] {
    var scanner = JSONScanner(bytes, range)
    var values: [Value] = []
    try? scanner.list(depth: 0) { values.append($0) }
    return values
  }

  /// The bytes that a text stands for, its escapes resolved; one that means nothing becomes a question mark.
  static func text(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> [UInt8] {
    let raw = UnsafeBufferPointer(rebasing: bytes[range])
    guard raw.contains(UInt8(ascii: "\\")) else { return Array(raw) }
    var units: [UInt16] = []
    for unit in String(decoding: raw, as: UTF8.self).utf16 { units.append(unit) }
    var result: [UInt16] = []
    var index = 0
    while index < units.count {
      guard units[index] == 92, index + 1 < units.count else {
        result.append(units[index])
        index += 1
        continue
      }
      let code = units[index + 1]
      index += 2
      switch code {
      case 110: result.append(10)
      case 116: result.append(9)
      case 114: result.append(13)
      case 98: result.append(8)
      case 102: result.append(12)
      case 117:
        let digits = units[index..<min(index + 4, units.count)]
        result.append(UInt16(String(decoding: digits, as: UTF16.self), radix: 16) ?? 63)
        index += digits.count
      default: result.append(code)
      }
    }
    return Array(String(decoding: result, as: UTF16.self).utf8)
  }

  private var peek: UInt8? { at < end ? bytes[at] : nil }

  private mutating func skipSpace() {
    while at < end {
      switch bytes[at] {
      case 32, 10, 13, 9: at += 1
      default: return
      }
    }
  }

  private mutating func finish() throws -> Bool {
    skipSpace()
    return at == end
  }

  private mutating func take(_ byte: UInt8) throws {
    guard peek == byte else { throw Fault.malformed }
    at += 1
  }

  private mutating func object(depth: Int, _ visit: (Range<Int>, Value) -> Void) throws {
    guard depth < Self.deepest else { throw Fault.malformed }
    try take(UInt8(ascii: "{"))
    skipSpace()
    if peek == UInt8(ascii: "}") {
      at += 1
      return
    }
    while true {
      skipSpace()
      let key = try string()
      skipSpace()
      try take(UInt8(ascii: ":"))
      skipSpace()
      visit(key, try value(depth: depth + 1))
      skipSpace()
      if peek == UInt8(ascii: "}") {
        at += 1
        return
      }
      try take(UInt8(ascii: ","))
    }
  }

  private mutating func list(depth: Int, _ visit: (Value) -> Void) throws {
    guard depth < Self.deepest else { throw Fault.malformed }
    try take(UInt8(ascii: "["))
    skipSpace()
    if peek == UInt8(ascii: "]") {
      at += 1
      return
    }
    while true {
      skipSpace()
      visit(try value(depth: depth + 1))
      skipSpace()
      if peek == UInt8(ascii: "]") {
        at += 1
        return
      }
      try take(UInt8(ascii: ","))
    }
  }

  private mutating func value(depth: Int) throws -> Value {
    let start = at
    switch peek {
    case UInt8(ascii: "\""): return .text(try string())
    case UInt8(ascii: "{"):
      try object(depth: depth) { _, _ in }
      return .object(start..<at)
    case UInt8(ascii: "["):
      try list(depth: depth) { _ in }
      return .list(start..<at)
    case UInt8(ascii: "t"): return try word("true", .boolean(true))
    case UInt8(ascii: "f"): return try word("false", .boolean(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func word(_ word: StaticString, _ value: Value) throws -> Value {
    let size = word.utf8CodeUnitCount
    guard at + size <= end else { throw Fault.malformed }
    for index in 0..<size where bytes[at + index] != word.utf8Start[index] { throw Fault.malformed }
    at += size
    return value
  }

  private mutating func string() throws -> Range<Int> {
    try take(UInt8(ascii: "\""))
    let start = at
    while at < end {
      switch bytes[at] {
      case UInt8(ascii: "\""):
        at += 1
        return start..<(at - 1)
      case UInt8(ascii: "\\"): at += 2
      case 0..<32: throw Fault.malformed
      default: at += 1
      }
    }
    throw Fault.malformed
  }

  private mutating func digits() throws {
    let start = at
    while at < end, bytes[at] >= 48, bytes[at] <= 57 { at += 1 }
    if at == start { throw Fault.malformed }
  }

  private static func whole(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> Int64? {
    let isNegative = digits.first == UInt8(ascii: "-")
    var number: Int64 = 0
    for digit in isNegative ? digits.dropFirst() : digits {
      let (tenfold, overflow) = number.multipliedReportingOverflow(by: 10)
      let (sum, overflowed) = tenfold.subtractingReportingOverflow(Int64(digit) - 48)
      guard !overflow, !overflowed else { return nil }
      number = sum
    }
    // Collected below zero, where there is one number more.
    return isNegative ? number : number == .min ? nil : -number
  }

  private mutating func number() throws -> Value {
    let start = at
    if peek == UInt8(ascii: "-") { at += 1 }
    try digits()
    var isWhole = true
    if peek == UInt8(ascii: ".") {
      isWhole = false
      at += 1
      try digits()
    }
    if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
      isWhole = false
      at += 1
      if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { at += 1 }
      try digits()
    }
    if isWhole, let whole = Self.whole(bytes[start..<at]) { return .integer(whole) }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    guard let number = Double(text), number.isFinite else { throw Fault.malformed }
    return .number(number)
  }
}

extension JSONScanner.Value {
  /// A whole number of bytes, whichever way it is written.
  var wholeNumber: Int64? {
    switch self {
    case .integer(let value): value >= 0 ? value : nil
    case .number(let value): value >= 0 && value < 9e18 && value == value.rounded() ? Int64(value) : nil
    default: nil
    }
  }
}
