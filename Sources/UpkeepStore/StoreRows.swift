import Foundation
import UpkeepCore
import UpkeepDatabase
import UpkeepRuns

/// Values as the store's columns hold them: documents and identities as JSON, instants as microseconds.
enum StoreRows {
  static func text(_ value: some Encodable) throws -> DatabaseValue {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return .text(String(decoding: try encoder.encode(value), as: UTF8.self))
  }

  static func value<Value: Decodable>(_ type: Value.Type, _ column: DatabaseValue) throws -> Value {
    do {
      return try JSONDecoder().decode(type, from: Data((column.text ?? "").utf8))
    } catch {
      throw TaskError(
        code: "damaged_store", place: "state store", problem: "a stored \(type) can't be read: \(error)",
        fix: "restore a back-up of the state store, or set host.state to another path")
    }
  }

  static func instant(_ value: Timestamp?) -> DatabaseValue {
    value.map { .integer($0.microseconds) } ?? .null
  }

  static func instant(_ column: DatabaseValue) -> Timestamp? {
    column.integer.map(Timestamp.init(microseconds:))
  }

  static func owner(_ value: ProcessIdentity?) throws -> DatabaseValue {
    try value.map { try text($0) } ?? .null
  }

  static func owner(_ column: DatabaseValue) throws -> ProcessIdentity? {
    column == .null ? nil : try value(ProcessIdentity.self, column)
  }
}
