import Glibc

/// The name of a file as the file system has it: bytes, which needn't be UTF-8.
struct EntryName: Hashable {
  /// The bytes, ended by a zero, as the system's calls want them.
  let cString: [CChar]

  /// Copies a name up to its zero.
  init(_ pointer: UnsafePointer<CChar>) {
    cString = Array(UnsafeBufferPointer(start: pointer, count: strlen(pointer) + 1))
  }

  init(_ text: String) {
    cString = text.utf8CString.map { $0 }
  }

  private init(cString: [CChar]) {
    self.cString = cString
  }

  /// How many bytes it has.
  var count: Int { cString.count - 1 }

  /// The bytes.
  var bytes: some Collection<UInt8> { cString.dropLast().lazy.map { UInt8(bitPattern: $0) } }

  /// Whether the bytes end in a text.
  func hasSuffix(_ suffix: StaticString) -> Bool {
    let size = suffix.utf8CodeUnitCount
    guard count >= size else { return false }
    return cString.withUnsafeBufferPointer { name in
      guard let start = name.baseAddress else { return false }
      return memcmp(start + (count - size), suffix.utf8Start, size) == 0
    }
  }

  /// The name with a text behind it.
  func appending(_ suffix: StaticString) -> EntryName {
    let (count, size) = (count, suffix.utf8CodeUnitCount)
    return EntryName(
      cString: [CChar](unsafeUninitializedCapacity: count + size + 1) { buffer, filled in
        guard let start = buffer.baseAddress else { return }
        memcpy(start, cString, count)
        memcpy(start + count, suffix.utf8Start, size)
        start[count + size] = 0
        filled = count + size + 1
      })
  }

  /// The name without its last bytes.
  func dropping(_ suffix: StaticString) -> EntryName {
    let count = max(0, count - suffix.utf8CodeUnitCount)
    return EntryName(
      cString: [CChar](unsafeUninitializedCapacity: count + 1) { buffer, filled in
        guard let start = buffer.baseAddress else { return }
        memcpy(start, cString, count)
        start[count] = 0
        filled = count + 1
      })
  }

  /// Whether it has these bytes.
  func equals(_ other: some Collection<UInt8>) -> Bool {
    guard other.count == count else { return false }
    var index = 0
    for byte in other {
      guard UInt8(bitPattern: cString[index]) == byte else { return false }
      index += 1
    }
    return true
  }

  /// Whether it looks like an identifier that a server makes: 32 hexadecimal digits, or a UUID with its dashes.
  var isIdentifier: Bool {
    guard count == 32 || count == 36 else { return false }
    for index in 0..<count {
      switch UInt8(bitPattern: cString[index]) {
      case UInt8(ascii: "-"):
        guard count == 36, index == 8 || index == 13 || index == 18 || index == 23 else { return false }
      case 48...57, 97...102, 65...70:
        if count == 36, index == 8 || index == 13 || index == 18 || index == 23 { return false }
      default: return false
      }
    }
    return true
  }

  /// The name for people: as it is where it is plain UTF-8, other bytes as `\xFF`.
  var text: String {
    let plain = bytes.allSatisfy { $0 >= 32 && $0 != 127 && $0 != UInt8(ascii: "\\") }
    if plain, let text = String(validating: bytes, as: UTF8.self) { return text }
    return bytes.reduce(into: "") { text, byte in
      if byte >= 32, byte < 127, byte != UInt8(ascii: "\\") {
        text.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        let digits = String(byte, radix: 16, uppercase: true)
        text += "\\x" + (digits.count == 1 ? "0" : "") + digits
      }
    }
  }
}
