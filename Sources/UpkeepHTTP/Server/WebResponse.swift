import Foundation
import UpkeepCore

/// An answer.
public struct WebResponse: Sendable {
  /// The status code.
  public let status: Int
  /// The header fields, without those that every answer has.
  public var headers: [(name: String, value: String)]
  /// The body.
  public let body: [UInt8]
  /// What comes instead of a body, for as long as it comes.
  let events: EventListener?
  /// How long the body is; nothing where nobody knows. That of an answer to HEAD is the one that GET would have got.
  private(set) var contentLength: Int?

  /// Creates an answer.
  public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
    self.init(status: status, headers: headers, body: body, events: nil)
  }

  init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = [], events: EventListener?) {
    self.status = status
    self.headers = headers
    self.body = body
    self.events = events
    // A 204 has no body, and must not speak of its length.
    contentLength = events == nil && status != 204 ? body.count : nil
  }

  /// The same without its body, as HEAD is answered.
  var withoutBody: WebResponse {
    var head = WebResponse(status: status, headers: headers)
    // Without any length the encoder would write the end of a body in pieces.
    head.contentLength = contentLength ?? head.contentLength
    return head
  }

  /// An answer of plain text.
  static func text(_ text: String, status: Int = 200, type: String = "text/plain; charset=utf-8") -> WebResponse {
    WebResponse(status: status, headers: [("Content-Type", type)], body: Array(text.utf8))
  }

  /// An answer of one JSON document.
  static func json(
    _ document: some Encodable, status: Int = 200, headers: [(name: String, value: String)] = [],
    type: String = "application/json"
  ) throws -> WebResponse {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return WebResponse(
      status: status, headers: headers + [("Content-Type", type)], body: Array(try encoder.encode(document)))
  }

  /// The value of a header field.
  public func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }
}

extension JSONValue {
  /// The document of a value as JSON; null where it can't be written.
  init(_ value: some Encodable) {
    let document = try? JSONEncoder().encode(value)
    self = document.flatMap { try? JSONDecoder().decode(JSONValue.self, from: $0) } ?? .null
  }
}
