public import UpkeepCore

/// Writes problems for people: `FILE:LINE:COLUMN: error: MESSAGE [code]`, the source line, and a caret below the place.
public struct DiagnosticRenderer: Sendable {
  /// The widest source line that is shown whole, in characters.
  public static let width = 100

  private let source: ConfigurationSource

  /// Creates a renderer of problems of one file.
  public init(_ source: ConfigurationSource) {
    self.source = source
  }

  /// All problems, each with its lines, ended by a line break; nothing where there is none.
  public func render(_ diagnostics: [Diagnostic]) -> String {
    diagnostics.map { render($0) + "\n" }.joined()
  }

  /// One problem, without a line break at its end.
  public func render(_ diagnostic: Diagnostic) -> String {
    let place = diagnostic.origin.map { "\(Self.safe($0.text)): " } ?? ""
    let head =
      "\(place)\(diagnostic.severity.rawValue): \(Self.safe(diagnostic.message)) [\(diagnostic.code)]"
    guard case .file(source.path, let range) = diagnostic.origin, let snippet = snippet(range) else { return head }
    return "\(head)\n\(snippet.line)\n\(snippet.caret)"
  }

  private func snippet(_ range: SourceRange) -> (line: String, caret: String)? {
    guard let (text, columns) = source.maskedLine(range.start.line), !text.isEmpty else { return nil }
    let scalars = Array(text.unicodeScalars)
    let start = columns[min(range.start.column - 1, columns.count - 1)]
    let last = range.end.line == range.start.line ? range.end.column - 1 : columns.count - 1
    let end = max(start + 1, columns[min(last, columns.count - 1)])
    var (from, to) = (0, scalars.count)
    if scalars.count > Self.width {
      from = max(0, min(start - Self.width / 3, scalars.count - Self.width))
      to = min(scalars.count, from + Self.width)
    }
    let lead = from > 0 ? "…" : ""
    let line = lead + String(String.UnicodeScalarView(scalars[from..<to])) + (to < scalars.count ? "…" : "")
    // A tab stays a tab, so that the caret stands right whatever a tab's width; a wide character takes two blanks.
    var caret = from > 0 ? " " : ""
    for scalar in scalars[from..<min(start, to)] {
      caret += scalar == "\t" ? "\t" : String(repeating: " ", count: Self.columns(of: scalar))
    }
    caret += "^"
    for scalar in scalars[min(start + 1, to)..<max(min(start + 1, to), min(end, to))] {
      caret += String(repeating: "~", count: Self.columns(of: scalar))
    }
    return (Self.safe(line), caret)
  }

  /// How many columns of a terminal a character takes.
  private static func columns(of scalar: Unicode.Scalar) -> Int {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
      0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
      return 2
    default: return 1
    }
  }

  /// The text without characters that could steer a terminal.
  private static func safe(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      let isControl = scalar.properties.generalCategory == .control && scalar != "\t"
      result.append(isControl ? "\u{FFFD}" : scalar)
    }
    return String(result)
  }
}
