extension String {
  /// What tells one name of a schema from another.
  ///
  /// SQLite ignores the case of ASCII letters only and compares the rest byte by byte ("SQLite As An Application File
  /// Format"; `sqlite3StrICmp`): there may be tables `Ä` and `ä`, and two spellings of one accented letter, which Swift
  /// takes for the same.
  public var schemaKey: String {
    var key = ""
    for byte in utf8 {
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): key.unicodeScalars.append(Unicode.Scalar(byte + 32))
      case 0x80..., UInt8(ascii: "%"): key += "%\(byte)."
      default: key.unicodeScalars.append(Unicode.Scalar(byte))
      }
    }
    return key
  }
}
