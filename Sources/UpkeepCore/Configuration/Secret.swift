/// Hides what must not be shown.
public enum Secret {
  /// What stands in place of a secret, everywhere.
  public static let mask = "***"

  /// A text with the passwords of its URLs (`scheme://user:password@host`) and libpq connection texts
  /// (`password=…`) masked; any other text as it is.
  public static func masked(_ text: String) -> String {
    let scalars = Array(text.unicodeScalars)
    var result = String.UnicodeScalarView()
    var index = 0
    for range in passwords(in: scalars) where range.lowerBound >= index {
      result.append(contentsOf: scalars[index..<range.lowerBound])
      result.append(contentsOf: mask.unicodeScalars)
      index = range.upperBound
    }
    result.append(contentsOf: scalars[index...])
    return String(result)
  }

  /// Where passwords stand in a text, in order. Rather too much than too little: in a URL it is all from the first
  /// colon behind `://` to the last `@`.
  public static func passwords(in text: [Unicode.Scalar]) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var index = 0
    while index < text.count {
      if text[index...].starts(with: "://".unicodeScalars) {
        let start = index + 3
        let end = text[start...].firstIndex(where: isEnd) ?? text.count
        if let at = text[start..<end].lastIndex(of: "@"), let colon = text[start..<at].firstIndex(of: ":") {
          result.append((colon + 1)..<at)
          index = at
        } else {
          index = start
        }
      } else if begins(text[index...], "password=") {
        let start = index + "password=".count
        result.append(start..<end(ofValue: text[start...]))
        index = max(start, result.last?.upperBound ?? start)
      } else {
        index += 1
      }
    }
    return result
  }

  private static func isEnd(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "\"" || scalar == "'" || scalar.properties.isWhitespace
  }

  private static func begins(_ text: ArraySlice<Unicode.Scalar>, _ word: String) -> Bool {
    let letters = Array(word.unicodeScalars)
    guard text.count >= letters.count else { return false }
    return zip(text, letters).allSatisfy { $0.properties.lowercaseMapping == String($1) }
  }

  private static func end(ofValue text: ArraySlice<Unicode.Scalar>) -> Int {
    if text.first == "'" {
      return text.dropFirst().firstIndex(of: "'").map { $0 + 1 } ?? text.endIndex
    }
    return text.firstIndex { isEnd($0) || $0 == "&" } ?? text.endIndex
  }
}
