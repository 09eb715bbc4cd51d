/// Reads the parts of a zone file (TZif, RFC 9636), one after the other.
struct ZoneFileReader {
  /// The counts at the beginning of a block.
  struct Header {
    var version: UInt8
    var universals: Int
    var standards: Int
    var leaps: Int
    var times: Int
    var types: Int
    var characters: Int

    /// The length of the block in bytes, where times are so many bytes wide.
    func size(width: Int) -> Int {
      times * (width + 1) + types * 6 + characters + leaps * (width + 4) + standards + universals
    }
  }

  /// What a block says.
  struct Block {
    /// The offset before the first change.
    var firstOffset: Int
    /// Each change with the offset from then on, ascending.
    var changes: [(at: Int, offset: Int)]
  }

  let bytes: [UInt8]
  private var position = 0

  init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The header that stands here; nothing where there is none.
  mutating func header() -> Header? {
    guard position + 44 <= bytes.count, bytes[position..<position + 4].elementsEqual("TZif".utf8) else { return nil }
    let version = bytes[position + 4]
    let counts = (0..<6).map { number(at: position + 20 + $0 * 4, width: 4) }
    position += 44
    let header = Header(
      version: version, universals: counts[0], standards: counts[1], leaps: counts[2], times: counts[3],
      types: counts[4], characters: counts[5])
    // A count is unsigned in the file: one that reads as negative is larger than any file.
    guard counts.allSatisfy({ $0 >= 0 }), header.types > 0, position + header.size(width: 4) <= bytes.count else {
      return nil
    }
    return header
  }

  /// Goes on behind so many bytes.
  mutating func skip(_ count: Int) -> Bool {
    guard position + count <= bytes.count else { return false }
    position += count
    return true
  }

  /// The block that stands here.
  mutating func block(_ header: Header, width: Int) -> Block? {
    let (times, indices) = (position, position + header.times * width)
    let types = indices + header.times
    guard header.leaps == 0, skip(header.size(width: width)) else { return nil }
    let offsets = (0..<header.types).map { number(at: types + $0 * 6, width: 4) }
    var changes: [(at: Int, offset: Int)] = []
    for index in 0..<header.times {
      let (at, type) = (number(at: times + index * width, width: width), Int(bytes[indices + index]))
      guard type < offsets.count, changes.last.map({ $0.at < at }) ?? true else { return nil }
      changes.append((at, offsets[type]))
    }
    return Block(firstOffset: offsets[0], changes: changes)
  }

  /// The text of the line that ends the file.
  func footer() -> String {
    guard position < bytes.count, bytes[position] == UInt8(ascii: "\n") else { return "" }
    return String(decoding: bytes[(position + 1)...].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }

  /// A signed big-endian number.
  private func number(at start: Int, width: Int) -> Int {
    let value = bytes[start..<start + width].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return width == 4 ? Int(Int32(truncatingIfNeeded: value)) : Int(Int64(bitPattern: value))
  }
}
