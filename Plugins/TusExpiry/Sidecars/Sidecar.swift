/// What a sidecar says of its upload, whichever server wrote it.
struct Sidecar: Equatable {
  var layout: TusLayout
  /// All bytes of the upload; nothing while the client hasn't said.
  var size: Int64?
  /// The bytes that have come; nothing where the server doesn't keep it here.
  var offset: Int64?
  /// Whether it is a part of another upload.
  var isPartial = false
  /// The parts that it is made of; nothing where it isn't made of others.
  var parts: [[UInt8]]?
  var created = SidecarDate.none
  var expires = SidecarDate.none

  /// What a file beside data turned out to be.
  enum Reading: Equatable {
    case upload(Sidecar)
    /// Something else than a sidecar of a known layout, and why.
    case foreign(String)
    /// It can't be read, and why.
    case unreadable(String)
  }

  /// Reads a sidecar.
  ///
  /// - Parameters:
  ///   - bytes: Its contents.
  ///   - stem: The name of the data, which it must be about.
  ///   - layouts: Whose sidecars are looked for.
  static func read(_ bytes: UnsafeBufferPointer<UInt8>, stem: EntryName, layouts: [TusLayout]) -> Reading {
    let fields: SidecarFields
    do throws(SidecarFault) {
      guard let found = try SidecarFields(bytes) else { return .foreign("it is JSON, but no sidecar") }
      fields = found
    } catch {
      return .unreadable(bytes.isEmpty ? "it is empty" : "it isn't whole JSON; half-written?")
    }
    guard let layout = layouts.first(where: { $0.recognises(fields) }) else {
      return .foreign("it is JSON, but no sidecar of \(layouts.map(\.rawValue).joined(separator: ", "))")
    }
    for field in layout.naming where !fields.mayName(stem, fields[field]) {
      return .foreign("it is about \(fields.shown(fields[field])), which isn't the file beside it")
    }
    if layout == .tusd, let path = storagePath(fields), !fields.mayName(stem, path) {
      return .foreign("its data lies elsewhere, at \(fields.shown(path))")
    }
    return .upload(Sidecar(fields, layout))
  }

  /// Where tusd keeps the data: it is compared, and never opened.
  private static func storagePath(_ fields: SidecarFields) -> JSONScanner.Value? {
    guard case .object(let range)? = fields[.tusdStorage] else { return nil }
    var path: JSONScanner.Value?
    _ = JSONScanner.members(of: fields.bytes, in: range) { key, value in
      if fields.bytes[key].elementsEqual("Path".utf8) { path = value }
    }
    return path
  }

  /// What stands behind the last slash.
  static func lastComponent<Name: BidirectionalCollection<UInt8>>(_ name: Name) -> Name.SubSequence {
    name.lastIndex(of: UInt8(ascii: "/")).map { name[name.index(after: $0)...] } ?? name[...]
  }
}

extension Sidecar {
  private init(_ fields: SidecarFields, _ layout: TusLayout) {
    self.layout = layout
    let bytes = fields.bytes
    switch layout {
    case .tuspyserver:
      size = fields[.size]?.wholeNumber
      offset = fields[.offset]?.wholeNumber
      isPartial = fields.isTrue(.isPartial)
      parts = fields.isTrue(.isFinal) ? fields.texts(.partialUploads) : nil
      created = SidecarDate(fields[.createdAt], in: bytes)
      expires = SidecarDate(fields[.expires], in: bytes)
    case .tusd:
      size = fields.isTrue(.tusdSizeIsDeferred) ? nil : fields[.tusdSize]?.wholeNumber
      isPartial = fields.isTrue(.tusdIsPartial)
      parts = fields.isTrue(.tusdIsFinal) ? fields.texts(.tusdPartialUploads) : nil
    case .node:
      size = fields[.size]?.wholeNumber
      created = SidecarDate(fields[.creationDate], in: bytes)
    case .rustus:
      size = fields[.length]?.wholeNumber
      offset = fields[.offset]?.wholeNumber
      isPartial = fields.isTrue(.isPartial)
      parts = fields.isTrue(.isFinal) ? fields.texts(.parts) : nil
      created = SidecarDate(fields[.createdAt], in: bytes)
    }
  }
}
