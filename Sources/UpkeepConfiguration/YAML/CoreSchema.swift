import UpkeepCore

/// The scalars of YAML 1.2's core schema (YAML 1.2.2, section 10.3.2).
///
/// `no`, `on` and `1:30` are texts; `0644` is 644, `0o17` is 15 and `0x1F` is 31.
enum CoreSchema {
  /// What a plain scalar stands for.
  static func content(ofPlain text: String) -> ConfigurationNode.Content {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .boolean(true)
    case "false", "False", "FALSE": return .boolean(false)
    case ".nan", ".NaN", ".NAN": return .number(.nan)
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .number(.infinity)
    case "-.inf", "-.Inf", "-.INF": return .number(-.infinity)
    default: return number(text) ?? .string(text)
    }
  }

  private static func number(_ text: String) -> ConfigurationNode.Content? {
    let bytes = Array(text.utf8)
    if text.hasPrefix("0o") { return whole(text, radix: 8) { (48...55).contains($0) } }
    if text.hasPrefix("0x") {
      return whole(text, radix: 16) { (48...57).contains($0) || (65...70).contains($0) || (97...102).contains($0) }
    }
    // [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
    var index = 0
    func skipDigits() -> Int {
      let start = index
      while index < bytes.count, (48...57).contains(bytes[index]) { index += 1 }
      return index - start
    }
    if index < bytes.count, bytes[index] == 43 || bytes[index] == 45 { index += 1 }
    let before = skipDigits()
    if before > 0, index == bytes.count {
      return Int(text).map { .integer($0) } ?? Double(text).map { .number($0) }
    }
    var after = 0
    if index < bytes.count, bytes[index] == 46 {
      index += 1
      after = skipDigits()
    }
    guard before + after > 0 else { return nil }
    if index < bytes.count, bytes[index] == 101 || bytes[index] == 69 {
      index += 1
      if index < bytes.count, bytes[index] == 43 || bytes[index] == 45 { index += 1 }
      guard skipDigits() > 0 else { return nil }
    }
    guard index == bytes.count else { return nil }
    return Double(text.hasSuffix(".") ? text + "0" : text.replacing(".e", with: ".0e").replacing(".E", with: ".0E"))
      .map { .number($0) }
  }

  private static func whole(
    _ text: String, radix: Int, isDigit: (UInt8) -> Bool
  ) -> ConfigurationNode.Content? {
    let digits = text.dropFirst(2)
    guard !digits.isEmpty, digits.utf8.allSatisfy(isDigit) else { return nil }
    return Int(digits, radix: radix).map { .integer($0) }
  }
}
