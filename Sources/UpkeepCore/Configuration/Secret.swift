import Foundation

/// Hides what must not be shown.
public enum Secret {
  /// What stands in place of a secret, everywhere.
  public static let mask = "***"

  /// A URL (or libpq connection text) with its password masked; any other text as it is.
  public static func masked(_ text: String) -> String {
    var result = text
    if let scheme = result.range(of: "://") {
      let rest = result[scheme.upperBound...]
      let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
      if let at = authority.lastIndex(of: "@"), let colon = authority[..<at].firstIndex(of: ":") {
        result.replaceSubrange(result.index(after: colon)..<at, with: mask)
      }
    }
    for key in ["password=", "sslpassword="] {
      var start = result.startIndex
      while let found = result.range(of: key, options: .caseInsensitive, range: start..<result.endIndex) {
        let value = result[found.upperBound...]
        let end: String.Index
        if value.hasPrefix("'") {
          end = value.dropFirst().firstIndex(of: "'").map { value.index(after: $0) } ?? value.endIndex
        } else {
          end = value.firstIndex { $0 == "&" || $0 == " " } ?? value.endIndex
        }
        let offset = result.distance(from: result.startIndex, to: found.upperBound) + mask.count
        result.replaceSubrange(found.upperBound..<end, with: mask)
        start = result.index(result.startIndex, offsetBy: offset)
      }
    }
    return result
  }
}
