import Foundation
import Synchronization
import UpkeepCore
import UpkeepDatabase
import UpkeepRuns

/// The identity of processes as the store's columns hold it. Few processes ever use a store at once, so each text is
/// made and read once.
final class OwnerTexts: Sendable {
  private struct State {
    var identities: [String: ProcessIdentity] = [:]
    var texts: [ProcessIdentity: String] = [:]
  }

  let current: ProcessIdentity
  private let state = Mutex(State())

  init(current: ProcessIdentity) {
    self.current = current
  }

  func text(_ identity: ProcessIdentity) throws -> String {
    if let known = state.withLock({ $0.texts[identity] }) { return known }
    let text = try StoreRows.text(identity).text ?? ""
    state.withLock { $0.texts[identity] = text }
    return text
  }

  func identity(_ text: String) throws -> ProcessIdentity {
    if let known = state.withLock({ $0.identities[text] }) { return known }
    let identity = try StoreRows.value(ProcessIdentity.self, .text(text))
    state.withLock { state in
      // Beside this process come and go those of the command line.
      if state.identities.count > 100 { state.identities.removeAll() }
      state.identities[text] = identity
    }
    return identity
  }

  func column(_ identity: ProcessIdentity?) throws -> DatabaseValue {
    try identity.map { .text(try text($0)) } ?? .null
  }

  func identity(_ column: DatabaseValue) throws -> ProcessIdentity? {
    try column.text.map { try identity($0) }
  }
}

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
}
