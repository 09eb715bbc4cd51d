/// HTML that was put together of texts, each of them escaped: what isn't HTML can't become a part of it by accident.
///
/// A literal is HTML; what is interpolated is escaped unless it is HTML itself.
struct HTML: ExpressibleByStringInterpolation, Sendable {
  /// The characters.
  private(set) var text: String

  init(stringLiteral text: String) {
    self.text = text
  }

  init(stringInterpolation: Interpolation) {
    text = stringInterpolation.text
  }

  /// Collects the pieces.
  struct Interpolation: StringInterpolationProtocol {
    fileprivate var text = ""

    init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity + interpolationCount * 32)
    }

    mutating func appendLiteral(_ literal: String) { text += literal }
    mutating func appendInterpolation(_ value: String) { text += HTML.escaped(value) }
    mutating func appendInterpolation(_ value: Substring) { text += HTML.escaped(String(value)) }
    mutating func appendInterpolation(_ value: Int) { text += "\(value)" }
    mutating func appendInterpolation(_ value: HTML) { text += value.text }
    mutating func appendInterpolation(_ values: [HTML]) { for value in values { text += value.text } }
    /// What the program itself wrote, such as the name of an attribute.
    mutating func appendInterpolation(_ value: StaticString) { text += "\(value)" }
    mutating func appendInterpolation(_ value: HTML?) { text += value?.text ?? "" }
  }

  /// A text without anything that HTML would take for more than characters.
  static func escaped(_ text: String) -> String {
    guard text.utf8.contains(where: { [38, 60, 62, 34, 39].contains($0) || $0 < 32 }) else { return text }
    var escaped = ""
    escaped.reserveCapacity(text.utf8.count + 16)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      case "\n", "\t": escaped.unicodeScalars.append(scalar)
      case let control where control.value < 32: escaped += "\u{FFFD}"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }

  static func + (left: HTML, right: HTML) -> HTML { "\(left)\(right)" }
}

extension WebResponse {
  /// An answer of one page.
  static func page(_ page: HTML, status: Int = 200, headers: [(name: String, value: String)] = []) -> WebResponse {
    WebResponse(
      status: status, headers: headers + [("Content-Type", "text/html; charset=utf-8")], body: Array(page.text.utf8))
  }
}
