public import UpkeepCore

/// A problem of the YAML as it stands in the file.
public struct ConfigurationProblem: Codable, Hashable, Sendable {
  /// `error` or `warning`.
  public var severity: Diagnostic.Severity
  /// A stable name of the kind of problem.
  public var code: String
  /// What is wrong and what to write; secrets are masked.
  public var message: String
  /// The line, from 1; nothing for a value that comes from elsewhere.
  public var line: Int?
  /// The column in characters, from 1.
  public var column: Int?

  /// Makes one of a diagnostic.
  public init(_ diagnostic: Diagnostic) {
    severity = diagnostic.severity
    code = diagnostic.code
    message = diagnostic.message
    if case .file(_, let range) = diagnostic.origin {
      line = range.start.line
      column = range.start.column
    }
  }

  /// Where it is: `line 6, column 5`; nothing where it has no line.
  public var place: String? {
    line.map { "line \($0), column \(column ?? 1)" }
  }

  /// The place and the message: `line 6, column 5: unknown key intervall; did you mean interval?`
  public var sentence: String {
    place.map { "\($0): \(message)" } ?? message
  }

  /// Writes every key, absent places as null.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(severity, forKey: .severity)
    try container.encode(code, forKey: .code)
    try container.encode(message, forKey: .message)
    try container.encode(line, forKey: .line)
    try container.encode(column, forKey: .column)
  }

  enum CodingKeys: String, CodingKey {
    case severity, code, message, line, column
  }
}

/// The configuration in force, and what became of the last attempt to load another one.
public struct ConfigurationStatus: Hashable, Sendable {
  /// The file, as it was given.
  public var path: String
  /// The hash of the file that is in force: its entity tag.
  public var hash: String
  /// That file's text, secrets masked.
  public var yaml: String
  /// When it was loaded.
  public var loadedAt: Timestamp
  /// When a load was last tried.
  public var triedAt: Timestamp
  /// Why the file as it stands now isn't in force; empty where it is.
  public var problems: [ConfigurationProblem]
  /// The text of that file, secrets masked; nothing where it is in force.
  public var refusedYAML: String?
  /// The problems for people, with source lines.
  public var lines: [String]
  /// Keys that differ in the file from what the process works with, since they need a restart.
  public var restartNeeded: [String]

  /// Whether the last load worked.
  public var isCurrent: Bool { problems.isEmpty }

  /// Creates a status.
  public init(
    path: String, hash: String, yaml: String, loadedAt: Timestamp, triedAt: Timestamp,
    problems: [ConfigurationProblem] = [], lines: [String] = [], restartNeeded: [String] = []
  ) {
    self.path = path
    self.hash = hash
    self.yaml = yaml
    self.loadedAt = loadedAt
    self.triedAt = triedAt
    self.problems = problems
    self.lines = lines
    self.restartNeeded = restartNeeded
  }
}

/// What became of a load of the configuration.
public enum ReloadOutcome: Hashable, Sendable {
  /// Another configuration is in force: what changed, keys that need a restart, and what is odd about it.
  case applied(ConfigurationStatus, changes: [ConfigurationChange], warnings: [String])
  /// The file isn't valid; the last good configuration stays in force. The hash is that of the bad file.
  case refused(ConfigurationStatus, hash: String)
  /// The file is the one that is in force.
  case unchanged(ConfigurationStatus)

  /// The status after it.
  public var status: ConfigurationStatus {
    switch self {
    case .applied(let status, _, _), .refused(let status, _), .unchanged(let status): status
    }
  }

  /// The hash of the file that was looked at.
  public var hash: String {
    if case .refused(_, let hash) = self { hash } else { status.hash }
  }
}

/// Says which configuration is in force.
public protocol ConfigurationStatusSource: Sendable {
  /// The configuration in force.
  func configurationStatus() async -> ConfigurationStatus
  /// What becomes of each load from now on.
  func reloads() async -> AsyncStream<ReloadOutcome>
}
