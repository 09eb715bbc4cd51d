import Foundation
import UpkeepCore

/// The JSON document of an answer. What isn't as it should be is an error that says where in it.
struct Payload<Value: Decodable> {
  /// What it holds.
  let value: Value
  /// Where it is from, for errors.
  let place: String

  /// Reads a document.
  /// - Throws: ``UpkeepCore/TaskError`` with code `unexpected_shape` and the path inside the document.
  init(_ body: [UInt8], from place: String) throws {
    self.place = place
    do {
      value = try JSONDecoder().decode(Value.self, from: Data(body))
    } catch let error as DecodingError {
      throw Self.problem(error, place)
    }
  }

  /// An error at a path inside the document.
  func unexpected(_ path: String, _ problem: String) -> TaskError {
    Self.unexpected(path, problem, place)
  }

  /// A value that must be there.
  func required<Part>(_ part: Part?, _ path: String, _ expected: String) throws -> Part {
    guard let part else { throw unexpected(path, "expected \(expected), found nothing") }
    return part
  }

  private static func unexpected(_ path: String, _ problem: String, _ place: String) -> TaskError {
    TaskError(
      code: "unexpected_shape", place: place, problem: path.isEmpty ? problem : "\(path): \(problem)",
      fix: "the platform answers otherwise than before; its adapter has to follow")
  }

  private static func problem(_ error: DecodingError, _ place: String) -> TaskError {
    switch error {
    case .keyNotFound(let key, let context):
      return unexpected(path(context.codingPath + [key]), "expected a value, found nothing", place)
    case .valueNotFound(let type, let context):
      return unexpected(path(context.codingPath), "expected \(name(type)), found null", place)
    case .typeMismatch(let type, let context):
      return unexpected(path(context.codingPath), "expected \(name(type)), found something else", place)
    case .dataCorrupted(let context):
      let path = path(context.codingPath)
      return unexpected(path, path.isEmpty ? "expected a JSON document" : context.debugDescription, place)
    @unknown default:
      return unexpected("", "\(error)", place)
    }
  }

  /// `data.sportList[0].categories`
  private static func path(_ keys: [any CodingKey]) -> String {
    keys.reduce("") { path, key in
      if let index = key.intValue { return "\(path)[\(index)]" }
      return path.isEmpty ? key.stringValue : "\(path).\(key.stringValue)"
    }
  }

  private static func name(_ type: Any.Type) -> String {
    switch type {
    case is String.Type: "a text"
    case is Double.Type, is Int.Type: "a number"
    case is Bool.Type: "true or false"
    default: String(describing: type).hasPrefix("Array") ? "a list" : "an object"
    }
  }
}

/// An id in a document: a text that isn't empty, or a whole number.
struct PayloadID: Decodable, Hashable, Sendable {
  let text: String

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let number = try? container.decode(Int.self) {
      text = String(number)
    } else {
      text = try container.decode(String.self)
    }
    guard !text.isEmpty else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected an id, found an empty text")
    }
  }

  /// The id as SportRadar's: digits alone, more than 0; nothing where it is none.
  var sportradar: String? { Self.sportradar(text[...]) }

  /// The number behind a prefix such as `sr:match:`.
  func sportradar(behind prefix: String) -> String? {
    text.hasPrefix(prefix) ? Self.sportradar(text.dropFirst(prefix.count)) : nil
  }

  private static func sportradar(_ text: Substring) -> String? {
    guard let number = Int64(text), number > 0, text.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
    return String(number)
  }
}

/// A map in a document; platforms that write an empty one as a list are understood.
struct PayloadMap<Value: Decodable>: Decodable {
  let entries: [String: Value]

  init(from decoder: any Decoder) throws {
    if let list = try? decoder.unkeyedContainer(), list.isAtEnd {
      entries = [:]
    } else {
      entries = try [String: Value](from: decoder)
    }
  }

  /// In the order of the keys, so that every run asks in the same order.
  var sorted: [(key: String, value: Value)] {
    entries.sorted { $0.key.count == $1.key.count ? $0.key < $1.key : $0.key.count < $1.key.count }
  }
}

extension PayloadMap: Sendable where Value: Sendable {}

/// Odds and lines as texts.
enum PayloadNumber {
  /// Odds such as `2.15`: at least 1 where the outcome can be bet on.
  static func odds(_ value: Double?, isActive: Bool) -> Double? {
    guard let value, value.isFinite, value >= (isActive ? 1 : 0), value < 1_000_000 else { return nil }
    return value
  }

  /// A line such as `2.5`, `+1` or `0:1`; the last is a handicap in goals, home and away.
  static func line(_ text: some StringProtocol) -> Double? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Double($0.hasPrefix("+") ? $0.dropFirst() : $0[...]) }
    guard numbers.count == parts.count, numbers.allSatisfy({ $0.isFinite && abs($0) < 1000 }) else { return nil }
    switch numbers.count {
    case 1: return numbers[0]
    case 2: return numbers[0] - numbers[1]
    default: return nil
    }
  }
}
