import Glibc

/// The keys of sidecars that mean something here, of all servers.
enum SidecarField: Int, CaseIterable {
  case size, offset, metadata, expires, id, length, path, parts
  case createdAt, deferLength, isPartial, isFinal, partialUploads, uid, creationDate, deferredSize
  case tusdID, tusdSize, tusdSizeIsDeferred, tusdMetaData, tusdIsPartial, tusdIsFinal, tusdPartialUploads, tusdStorage

  static let count = allCases.count

  /// The key.
  var key: StaticString {
    switch self {
    case .size: "size"
    case .offset: "offset"
    case .metadata: "metadata"
    case .expires: "expires"
    case .id: "id"
    case .length: "length"
    case .path: "path"
    case .parts: "parts"
    case .createdAt: "created_at"
    case .deferLength: "defer_length"
    case .isPartial: "is_partial"
    case .isFinal: "is_final"
    case .partialUploads: "partial_uploads"
    case .uid: "uid"
    case .creationDate: "creation_date"
    case .deferredSize: "deferred_size"
    case .tusdID: "ID"
    case .tusdSize: "Size"
    case .tusdSizeIsDeferred: "SizeIsDeferred"
    case .tusdMetaData: "MetaData"
    case .tusdIsPartial: "IsPartial"
    case .tusdIsFinal: "IsFinal"
    case .tusdPartialUploads: "PartialUploads"
    case .tusdStorage: "Storage"
    }
  }

  /// The keys by their length.
  private static let keys: [[(key: StaticString, field: SidecarField)]] = {
    let longest = allCases.map(\.key.utf8CodeUnitCount).max() ?? 0
    return (0...longest).map { length in
      allCases.filter { $0.key.utf8CodeUnitCount == length }.map { ($0.key, $0) }
    }
  }()

  /// The field of a key.
  static func named(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> SidecarField? {
    guard range.count < keys.count, let start = bytes.baseAddress else { return nil }
    for entry in keys[range.count] where memcmp(start + range.lowerBound, entry.key.utf8Start, range.count) == 0 {
      return entry.field
    }
    return nil
  }
}

/// What a sidecar says, by field, where it says it.
struct SidecarFields {
  /// The sidecar.
  let bytes: UnsafeBufferPointer<UInt8>
  private let values: [JSONScanner.Value?]

  /// Reads a sidecar.
  /// - Returns: Nothing where it is a JSON document of another kind.
  /// - Throws: ``SidecarFault/malformed`` where it is no JSON document.
  init?(_ bytes: UnsafeBufferPointer<UInt8>) throws(SidecarFault) {
    self.bytes = bytes
    var values = [JSONScanner.Value?](repeating: nil, count: SidecarField.count)
    let found = JSONScanner.members(of: bytes) { key, value in
      if let field = SidecarField.named(bytes, key) { values[field.rawValue] = value }
    }
    guard let found else { throw .malformed }
    guard found else { return nil }
    self.values = values
  }

  /// The value of a field; nothing where its key is absent.
  subscript(field: SidecarField) -> JSONScanner.Value? { values[field.rawValue] }

  /// Whether a key is there, with whatever value.
  func has(_ fields: SidecarField...) -> Bool {
    fields.allSatisfy { values[$0.rawValue] != nil }
  }

  /// Whether a text, where there is one, names a file: its last component does. An id may hold slashes, and a folder may
  /// have another path where the server runs.
  func mayName(_ file: EntryName, _ value: JSONScanner.Value?) -> Bool {
    guard case .text(let range)? = value else { return true }
    let text = bytes[range]
    guard !text.contains(UInt8(ascii: "\\")) else {
      return file.equals(Sidecar.lastComponent(JSONScanner.text(bytes, range)[...]))
    }
    return file.equals(Sidecar.lastComponent(text))
  }

  /// A text for people.
  func shown(_ value: JSONScanner.Value?) -> String {
    guard case .text(let range)? = value else { return "" }
    let text = String(decoding: JSONScanner.text(bytes, range).prefix(120), as: UTF8.self)
    return String(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "?" : Character($0) })
  }

  func isTrue(_ field: SidecarField) -> Bool { self[field] == .boolean(true) }

  /// The texts of a list.
  func texts(_ field: SidecarField) -> [[UInt8]] {
    guard case .list(let range)? = self[field] else { return [] }
    return JSONScanner.elements(of: bytes, in: range).compactMap { element in
      guard case .text(let range) = element else { return nil }
      return JSONScanner.text(bytes, range)
    }
  }
}

/// What keeps a sidecar from being read.
enum SidecarFault: Error {
  /// It is no JSON document, half of one for instance.
  case malformed
}
