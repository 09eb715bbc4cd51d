import Foundation
import UpkeepCore

/// Reads the body of a request.
enum JSONBody {
  /// The document in a body; nothing where the body is empty.
  ///
  /// - Parameter keys: All keys that it may have: another one is an error, so that a wrong name isn't dropped in silence.
  static func read<Document: Decodable, Key: CodingKey>(
    _ type: Document.Type, _ body: [UInt8], keys: [Key]
  ) throws(Problem) -> Document? {
    guard !body.isEmpty else { return nil }
    let expected = keys.map(\.stringValue).sorted()
    let decoder = JSONDecoder()
    guard let value = try? decoder.decode(JSONValue.self, from: Data(body)) else {
      throw Problem(400, "bad_json", "the body isn't JSON")
    }
    guard case .object(let members) = value else {
      throw Problem(400, "bad_body", "expected an object with \(expected.joined(separator: ", "))")
    }
    if let unknown = members.keys.sorted().first(where: { !expected.contains($0) }) {
      throw Problem(400, "unknown_key", "unknown key \(unknown); expected \(expected.joined(separator: ", "))")
    }
    do {
      return try decoder.decode(type, from: Data(body))
    } catch let error as DecodingError {
      throw Problem(400, "bad_body", text(error))
    } catch {
      throw Problem(400, "bad_body", "\(error)")
    }
  }

  private static func text(_ error: DecodingError) -> String {
    switch error {
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      let key = context.codingPath.map(\.stringValue).joined(separator: ".")
      return key.isEmpty ? context.debugDescription : "\(key): \(context.debugDescription)"
    case .keyNotFound(let key, _):
      return "\(key.stringValue) is missing"
    @unknown default:
      return "\(error)"
    }
  }
}
