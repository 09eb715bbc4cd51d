/// One problem of a configuration: where it is, what was expected, what was found and what to do.
public struct Diagnostic: Error, Hashable, Sendable {
  /// How bad it is.
  public enum Severity: String, Codable, Sendable {
    /// The configuration can't be used.
    case error
    /// It can be used, but probably not as meant.
    case warning
  }

  /// How bad it is.
  public var severity: Severity
  /// A stable name of the kind of problem, in `snake_case`.
  public var code: String
  /// What is wrong and what to write, in one sentence without a full stop.
  public var message: String
  /// Where the value stands, or what else it comes from.
  public var origin: ValueOrigin?
  /// A known name that was probably meant.
  public var suggestion: String?

  /// Creates a problem.
  public init(
    _ severity: Severity = .error, code: String, _ message: String, at origin: ValueOrigin? = nil,
    suggestion: String? = nil
  ) {
    self.severity = severity
    self.code = code
    self.message = message
    self.origin = origin
    self.suggestion = suggestion
  }
}

extension Diagnostic {
  /// An unknown name, with the known one that is nearest.
  ///
  /// - Parameter others: Names that it may be meant for as well, though they aren't listed.
  public static func unknown(
    _ what: String, _ name: String, code: String, known: [String], orNear others: [String] = [],
    at origin: ValueOrigin
  ) -> Diagnostic {
    let suggestion = NameSuggestion.nearest(to: name, among: known + others)
    let hint =
      suggestion.map { "did you mean \($0)?" }
      ?? (known.isEmpty ? "there is none" : "expected one of \(known.joined(separator: ", "))")
    return Diagnostic(code: code, "unknown \(what) \(name); \(hint)", at: origin, suggestion: suggestion)
  }
}
