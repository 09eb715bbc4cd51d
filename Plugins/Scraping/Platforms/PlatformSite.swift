import Foundation
import UpkeepCore
import UpkeepFetch

/// A platform's server: sends requests, and reads the answers' JSON.
struct PlatformSite: Sendable {
  /// The platform.
  let name: String
  /// Scheme, host and path prefix, without a slash at the end.
  let base: String
  /// What each request carries.
  let headers: [String: String]
  /// How long a request may take.
  let timeout: Duration
  /// The longest answer, in bytes.
  let maxBytes: Int
  /// Sends the requests.
  let fetcher: any Fetcher
  /// What markets are called.
  let markets: MarketMap
  /// Milliseconds since 1970, for addresses that want them.
  let milliseconds: @Sendable () -> Int64

  /// Reads a JSON document.
  /// - Throws: ``UpkeepCore/TaskError`` for any other status than 200 too.
  func get<Value: Decodable>(
    _ path: String, _ query: [(String, String)] = [], as type: Value.Type
  ) async throws -> Payload<Value> {
    let request = request(path, query, .get)
    let response = try await fetcher.fetch(request)
    guard response.status == 200 else { throw refused(response, request) }
    return try Payload(response.body, from: request.label)
  }

  /// As ``get(_:_:as:)``; nothing where it is answered 404.
  func find<Value: Decodable>(
    _ path: String, _ query: [(String, String)] = [], as type: Value.Type
  ) async throws -> Payload<Value>? {
    let request = request(path, query, .get)
    let response = try await fetcher.fetch(request)
    if response.status == 404 { return nil }
    guard response.status == 200 else { throw refused(response, request) }
    return try Payload(response.body, from: request.label)
  }

  /// Hands over a JSON document, and reads one.
  func post<Value: Decodable>(_ path: String, _ body: JSONValue, as type: Value.Type) async throws -> Payload<Value> {
    let request = request(path, [], .postJSON(Array(try JSONEncoder().encode(body))))
    let response = try await fetcher.fetch(request)
    guard response.status == 200 else { throw refused(response, request) }
    return try Payload(response.body, from: request.label)
  }

  private func request(_ path: String, _ query: [(String, String)], _ method: FetchRequest.Method) -> FetchRequest {
    let pairs = query.map { "\($0.0)=\(Self.escaped($0.1))" }.joined(separator: "&")
    return FetchRequest(
      "\(base)\(path)\(pairs.isEmpty ? "" : "?")\(pairs)", method, headers: headers, timeout: timeout,
      maxBytes: maxBytes, redirects: 3, party: name)
  }

  private func refused(_ response: FetchResponse, _ request: FetchRequest) -> TaskError {
    TaskError(
      code: "fetch_status", place: request.label, problem: "expected status 200, found \(response.status)",
      fix: "check platforms.\(name).base_url; where the platform has changed, its adapter has to follow")
  }

  /// A value in a query.
  static func escaped(_ text: String) -> String {
    var result: [UInt8] = []
    let digits = Array("0123456789ABCDEF".utf8)
    for byte in text.utf8 {
      switch byte {
      case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
        result.append(byte)
      default:
        result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
