import Foundation

/// Writes the document of a run, the same as `JSONEncoder` with sorted keys does.
///
/// Each run is written several times: into the history at its slot, its start and its end, and as events. Where a
/// thousand are due at once, the general encoder took most of the time; what most runs have nothing of is left to it.
struct RunDocument {
  private var bytes: [UInt8] = []

  static func write(_ result: RunResult) throws -> [UInt8] {
    var document = RunDocument()
    document.bytes.reserveCapacity(768)
    try document.write(result)
    return document.bytes
  }

  private mutating func write(_ result: RunResult) throws {
    object(result.counts.sorted { $0.key < $1.key }, after: "{\"counts\":") { $0.number($1) }
    try encode(result.details, isEmpty: result.details.isEmpty, after: ",\"details\":")
    number(result.durationMilliseconds, after: ",\"duration_ms\":")
    try encode(result.errors, isEmpty: result.errors.isEmpty, after: ",\"errors\":")
    text(result.finishedAt?.rfc3339, after: ",\"finished_at\":")
    text(result.slots?.first.rfc3339, after: ",\"first_slot\":")
    try encode(result.guardVerdict, after: ",\"guard\":")
    text(result.host, after: ",\"host\":")
    text(result.slots?.last.rfc3339, after: ",\"last_slot\":")
    text(result.mode.rawValue, after: ",\"mode\":")
    text(result.plugin, after: ",\"plugin\":")
    text(result.progress.message, after: ",\"progress\":{\"message\":")
    append(",\"percent\":")
    try number(result.progress.percent)
    text(result.reason, after: "},\"reason\":")
    try encode(result.remaining, after: ",\"remaining\":")
    text(result.runID, after: ",\"run_id\":")
    text(result.scheduledAt?.rfc3339, after: ",\"scheduled_at\":")
    number(RunResult.schemaVersion, after: ",\"schema_version\":")
    try object(result.settings.sorted { $0.key < $1.key }, after: ",\"settings\":") { try $0.value($1) }
    number(result.slots?.count, after: ",\"slots\":")
    text(result.startedAt?.rfc3339, after: ",\"started_at\":")
    text(result.status.rawValue, after: ",\"status\":")
    try encode(result.tables, isEmpty: result.tables.isEmpty, after: ",\"tables\":")
    text(result.task, after: ",\"task\":")
    text(result.trigger.rawValue, after: ",\"trigger\":")
    text(result.version, after: ",\"version\":")
    list(result.warnings, after: ",\"warnings\":") { $0.text($1) }
    append("}")
  }

  private mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  // MARK: Values

  private mutating func value(_ value: JSONValue) throws {
    switch value {
    case .null: append("null")
    case .boolean(let value): append(value ? "true" : "false")
    case .integer(let value): number(value)
    case .number(let value): try number(value)
    case .string(let value): text(value)
    case .array(let values): try list(values, after: "") { try $0.value($1) }
    case .object(let values): try object(values.sorted { $0.key < $1.key }, after: "") { try $0.value($1) }
    }
  }

  private mutating func object<Value, Failure: Error>(
    _ members: [(key: String, value: Value)], after start: StaticString,
    _ write: (inout Self, Value) throws(Failure) -> Void
  ) throws(Failure) {
    append(start)
    append("{")
    for (index, member) in members.enumerated() {
      if index > 0 { append(",") }
      text(member.key)
      append(":")
      try write(&self, member.value)
    }
    append("}")
  }

  private mutating func list<Value, Failure: Error>(
    _ values: [Value], after start: StaticString, _ write: (inout Self, Value) throws(Failure) -> Void
  ) throws(Failure) {
    append(start)
    append("[")
    for (index, value) in values.enumerated() {
      if index > 0 { append(",") }
      try write(&self, value)
    }
    append("]")
  }

  private mutating func encode(_ value: some Encodable, isEmpty: Bool, after start: StaticString) throws {
    append(start)
    if isEmpty { append("[]") } else { try encode(value) }
  }

  private mutating func encode(_ value: (some Encodable)?, after start: StaticString) throws {
    append(start)
    if let value { try encode(value) } else { append("null") }
  }

  private mutating func encode(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    bytes.append(contentsOf: try encoder.encode(value))
  }

  private mutating func number(_ value: Int?, after start: StaticString) {
    append(start)
    if let value { number(value) } else { append("null") }
  }

  private mutating func number(_ value: Int) {
    bytes.append(contentsOf: String(value).utf8)
  }

  private mutating func number(_ value: Double) throws {
    if value == value.rounded(), abs(value) < 1e15 { number(Int(value)) } else { try encode(value) }
  }

  private mutating func text(_ value: String?, after start: StaticString) {
    append(start)
    if let value { text(value) } else { append("null") }
  }

  private mutating func text(_ value: String) {
    append("\"")
    var value = value
    value.withUTF8 { text in
      for byte in text {
        switch byte {
        case UInt8(ascii: "\""): append("\\\"")
        case UInt8(ascii: "\\"): append("\\\\")
        case 0x08: append("\\b")
        case 0x09: append("\\t")
        case 0x0A: append("\\n")
        case 0x0C: append("\\f")
        case 0x0D: append("\\r")
        case 0..<0x20:
          append(byte < 0x10 ? "\\u000" : "\\u001")
          bytes.append(Array("0123456789abcdef".utf8)[Int(byte & 15)])
        default: bytes.append(byte)
        }
      }
    }
    append("\"")
  }
}

extension RunResult {
  /// The document as JSON on one line, keys sorted.
  /// - Throws: `EncodingError` where a number in it is none.
  public var json: [UInt8] {
    get throws { try RunDocument.write(self) }
  }
}
