import UpkeepCore

/// The text of a file with its lines, to turn places in it into one another.
struct SourceText: Hashable, Sendable {
  /// The file's bytes; those that aren't UTF-8 have been replaced.
  let bytes: [UInt8]
  /// The byte offset of the start of each line.
  let lineStarts: [Int]
  /// How many characters stand before each `stride`-th byte, so that a column is found quickly in a long line.
  private let characters: [Int]
  private static let stride = 32

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    var starts = [0]
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      if byte == 0x0D, index + 1 < bytes.count, bytes[index + 1] == 0x0A { index += 1 }
      if byte == 0x0A || byte == 0x0D { starts.append(index + 1) }
      index += 1
    }
    lineStarts = starts
    var counts = [0]
    var count = 0
    for (index, byte) in bytes.enumerated() {
      if !Self.isContinuation(byte) { count += 1 }
      if (index + 1) % Self.stride == 0 { counts.append(count) }
    }
    characters = counts
  }

  /// How many characters stand before a byte.
  private func characters(before offset: Int) -> Int {
    let block = offset / Self.stride
    return bytes[(block * Self.stride)..<offset].reduce(characters[block]) { $0 + (Self.isContinuation($1) ? 0 : 1) }
  }

  /// The place of a byte.
  func position(atOffset offset: Int) -> SourcePosition {
    let offset = min(max(0, offset), bytes.count)
    var (low, high) = (0, lineStarts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    var start = lineStarts[low]
    if low == 0, bytes.starts(with: Self.byteOrderMark) { start = min(3, offset) }
    let column = characters(before: offset) - characters(before: start)
    return SourcePosition(line: low + 1, column: column + 1, offset: offset)
  }

  /// The stretch between two bytes.
  func range(_ start: Int, _ end: Int) -> SourceRange {
    SourceRange(start: position(atOffset: start), end: position(atOffset: end))
  }

  /// A line without its end; nothing where the file has no such line.
  func line(_ number: Int) -> String? {
    guard number >= 1, number <= lineStarts.count else { return nil }
    var end = number < lineStarts.count ? lineStarts[number] : bytes.count
    let start = lineStarts[number - 1]
    while end > start, bytes[end - 1] == 0x0A || bytes[end - 1] == 0x0D { end -= 1 }
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  static func isContinuation(_ byte: UInt8) -> Bool {
    byte & 0xC0 == 0x80
  }

  /// The offset of the first byte that isn't UTF-8; nothing where all are.
  static func firstInvalidByte(_ bytes: [UInt8]) -> Int? {
    var iterator = bytes.makeIterator()
    var decoder = UTF8()
    var valid = 0
    while true {
      switch decoder.decode(&iterator) {
      case .scalarValue(let scalar): valid += UTF8.width(scalar)
      case .emptyInput: return nil
      case .error: return valid
      }
    }
  }
}
