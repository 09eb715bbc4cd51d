/// Whose files an upload consists of.
enum TusLayout: String, CaseIterable {
  case tuspyserver
  case tusd
  case node
  case rustus

  /// The fields that name the data: they are compared with its name, and never opened.
  var naming: [SidecarField] {
    switch self {
    case .tuspyserver: [.uid]
    case .tusd: [.tusdID]
    case .node: [.id]
    case .rustus: [.id, .path]
    }
  }

  /// The layouts that a setting allows.
  static func allowed(by choice: LayoutChoice) -> [TusLayout] {
    TusLayout(rawValue: choice.rawValue).map { [$0] } ?? allCases
  }

  /// Whether a sidecar has the keys that this server always writes.
  func recognises(_ fields: SidecarFields) -> Bool {
    switch self {
    case .tuspyserver:
      fields.has(.size, .offset, .metadata, .createdAt) && fields[.offset]?.wholeNumber != nil
        && (fields[.size] == .null || fields[.size]?.wholeNumber != nil)
    case .tusd:
      fields.has(.tusdID, .tusdMetaData) && fields[.tusdSize]?.wholeNumber != nil
    case .node:
      fields.has(.id, .creationDate) && fields[.offset]?.wholeNumber != nil
        && (fields[.size] == nil || fields[.size] == .null || fields[.size]?.wholeNumber != nil)
    case .rustus:
      fields.has(.id, .createdAt) && (fields.has(.length) || fields.has(.deferredSize))
        && fields[.offset]?.wholeNumber != nil
        && (fields[.length] == nil || fields[.length] == .null || fields[.length]?.wholeNumber != nil)
    }
  }
}
