/// A request, as the routes see it.
public struct WebRequest: Sendable {
  /// The method, upper case.
  public var method: String
  /// The parts of the path, each decoded; a slash that was written as `%2F` is a part of its part.
  public var path: [String]
  /// The parameters behind the question mark, decoded; of one that is given twice the last counts.
  public var query: [String: String]
  /// The header fields by their lower-case names.
  public var headers: [String: String]
  /// The body.
  public var body: [UInt8]

  /// Creates a request.
  ///
  /// - Parameter target: The path and the query as they were sent.
  /// - Returns: Nothing where the target isn't a path, or holds something that isn't a character.
  public init?(_ method: String, _ target: String, headers: [String: String] = [:], body: [UInt8] = []) {
    self.method = method
    self.headers = headers
    self.body = body
    guard target.utf8.first == UInt8(ascii: "/") else { return nil }
    let end = target.firstIndex { $0 == "#" } ?? target.endIndex
    let question = target[..<end].firstIndex(of: "?") ?? end
    var path: [String] = []
    for part in target[..<question].dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
      guard let decoded = Self.decoded(part) else { return nil }
      path.append(decoded)
    }
    self.path = path
    var query: [String: String] = [:]
    for pair in target[question..<end].dropFirst().split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let value = parts.count > 1 ? parts[1] : ""
      guard let key = Self.decoded(parts[0], plus: true), let text = Self.decoded(value, plus: true) else { return nil }
      query[key] = text
    }
    self.query = query
  }

  /// A text without percent signs; in a query `+` is a blank. Nothing for a broken escape, or for what isn't UTF-8.
  private static func decoded(_ text: Substring, plus: Bool = false) -> String? {
    guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else { return String(text) }
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%") {
        guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else { return nil }
        bytes.append(high << 4 | low)
      } else {
        bytes.append(plus && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// The media type of the body, without parameters, lower case.
  var mediaType: String? {
    headers["content-type"]?.split(separator: ";").first.map { $0.lowercased().filter { $0 != " " } }
  }

  /// Whether the body is what a form sends.
  var isForm: Bool { mediaType == "application/x-www-form-urlencoded" }

  /// Whether a browser asks for a page.
  var wantsPage: Bool { method == "GET" && headers["accept"]?.lowercased().contains("text/html") == true }

  /// The fields of a form.
  var form: [String: String] {
    guard isForm, let text = String(validating: body, as: UTF8.self) else { return [:] }
    return WebRequest("GET", "/?\(text)")?.query ?? [:]
  }

  /// Whether it may change something.
  var isWrite: Bool { method != "GET" && method != "HEAD" && method != "OPTIONS" }
}
