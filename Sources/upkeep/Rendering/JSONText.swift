import Foundation

/// One JSON document as text.
enum JSONText {
  /// Sorted keys, slashes as they are; with line breaks and two blanks a level where people read it.
  static func document(_ value: some Encodable, pretty: Bool) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
