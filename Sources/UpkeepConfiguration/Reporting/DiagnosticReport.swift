public import UpkeepCore

/// Problems as data: what `validate --json` prints and the API answers.
public struct DiagnosticReport: Codable, Hashable, Sendable {
  /// One problem.
  public struct Entry: Codable, Hashable, Sendable {
    /// `error` or `warning`.
    public var severity: Diagnostic.Severity
    /// A stable name of the kind of problem.
    public var code: String
    /// What is wrong and what to write.
    public var message: String
    /// The file, as it was given; nothing for a value that comes from elsewhere.
    public var file: String?
    /// The line, from 1.
    public var line: Int?
    /// The column in characters, from 1.
    public var column: Int?
    /// Where the value comes from, for people.
    public var origin: String?
    /// A known name that was probably meant.
    public var suggestion: String?

    /// Makes data of a problem.
    public init(_ diagnostic: Diagnostic) {
      severity = diagnostic.severity
      code = diagnostic.code
      message = diagnostic.message
      suggestion = diagnostic.suggestion
      origin = diagnostic.origin?.text
      if case .file(let path, let range) = diagnostic.origin {
        file = path
        line = range.start.line
        column = range.start.column
      }
    }

    /// Writes every key, absent values as null.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(severity, forKey: .severity)
      try container.encode(code, forKey: .code)
      try container.encode(message, forKey: .message)
      try container.encode(file, forKey: .file)
      try container.encode(line, forKey: .line)
      try container.encode(column, forKey: .column)
      try container.encode(origin, forKey: .origin)
      try container.encode(suggestion, forKey: .suggestion)
    }

    enum CodingKeys: String, CodingKey {
      case severity, code, message, file, line, column, origin, suggestion
    }
  }

  /// The version of this document's shape.
  public var schemaVersion = 1
  /// The file, as it was given.
  public var file: String
  /// Whether the configuration can be used.
  public var valid: Bool
  /// How many errors there are.
  public var errors: Int
  /// How many warnings there are.
  public var warnings: Int
  /// The problems.
  public var diagnostics: [Entry]

  /// Makes data of what came of loading.
  public init(_ loaded: LoadedConfiguration) {
    file = loaded.source.path
    valid = !loaded.hasErrors
    errors = loaded.diagnostics.count { $0.severity == .error }
    warnings = loaded.diagnostics.count - errors
    diagnostics = loaded.diagnostics.map(Entry.init)
  }

  enum CodingKeys: String, CodingKey {
    case file, valid, errors, warnings, diagnostics
    case schemaVersion = "schema_version"
  }
}
