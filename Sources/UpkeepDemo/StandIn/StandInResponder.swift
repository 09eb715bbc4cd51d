import Foundation
import HTTPTypes
import HummingbirdCore
import NIOCore

/// What is answered, and what is wrong with it.
struct StandInAnswer: Sendable {
  /// The JSON; nothing means 404.
  var json: String?
  /// What goes wrong.
  var fault: StandInFault?
  /// Whether the client takes gzip.
  var takesGzip: Bool
  /// Where the same answer is to be had.
  var target: String
}

/// Sends an answer.
struct StandInResponder: ~Copyable {
  let writer: ResponseWriter
  let channel: any Channel

  init(writer: consuming ResponseWriter, channel: any Channel) {
    self.writer = writer
    self.channel = channel
  }

  private struct ConnectionIsOver: Error {}

  consuming func send(_ answer: StandInAnswer) async throws {
    guard let fault = answer.fault else {
      guard let json = answer.json else { return try await send(status: 404, "{}") }
      guard answer.takesGzip else { return try await send(status: 200, json) }
      let bytes = StandInGzip.wrapped(Array(json.utf8))
      var head = Self.head(200, length: bytes.count)
      head.headerFields[.contentEncoding] = "gzip"
      return try await writer.write(response: head, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
    switch fault.kind {
    case .slow:
      // Until the server ends: that the client is gone isn't noticed while nothing is written.
      for await _ in AsyncStream.makeStream(of: Never.self).stream {}
      throw ConnectionIsOver()
    case .refused:
      try await send(status: 403, "refused")
    case .tooMany:
      try await send(status: 429, "too many", [.retryAfter: "\(fault.retryAfter)"])
    case .broken:
      try await send(status: 500, "broken")
    case .wrongShape:
      try await send(status: 200, #"{"result":{"items":[]},"version":2}"#)
    case .moved:
      try await send(status: 302, "moved", [.location: answer.target])
    case .movedAway:
      try await send(status: 302, "moved", [.location: "http://127.0.0.2:9\(answer.target)"])
    case .cutOff, .wrongLength:
      let bytes = Array((answer.json ?? "{}").utf8)
      // Cut off, half of it is missing; with the wrong length half of it is said to be all.
      let isShort = fault.kind == .cutOff
      let head = Self.head(200, length: isShort ? bytes.count : bytes.count / 2)
      let sent = ByteBuffer(bytes: isShort ? Array(bytes[..<(bytes.count / 2)]) : bytes)
      try await writer.write(
        response: head,
        body: ResponseBody { body in
          try await body.write(sent)
          throw ConnectionIsOver()
        })
    case .huge:
      let part = ByteBuffer(repeating: UInt8(ascii: " "), count: 1 << 16)
      var head = Self.head(200, length: 0)
      head.headerFields[.contentLength] = nil
      try await writer.write(
        response: head,
        body: ResponseBody { body in
          for _ in 0..<512 { try await body.write(part) }
          throw ConnectionIsOver()
        })
    }
  }

  private consuming func send(
    status: Int, _ text: String, _ fields: [HTTPField.Name: String] = [:]
  ) async throws {
    var head = Self.head(status, length: text.utf8.count)
    for (name, value) in fields { head.headerFields[name] = value }
    try await writer.write(response: head, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }

  private static func head(_ status: Int, length: Int) -> HTTPResponse {
    HTTPResponse(
      status: HTTPResponse.Status(code: status),
      headerFields: [.contentType: "application/json", .contentLength: "\(length)"])
  }
}
