public import UpkeepCore

/// One change of the YAML: another value for one key of a task.
public struct ConfigurationEdit: Hashable, Sendable {
  /// The task.
  public var task: String
  /// `interval`, `guard.max_percent`, `settings.odds_keep`, or just `odds_keep` where no task key has that name.
  public var key: String
  /// The value as it would stand in YAML; `null` takes the value away.
  public var value: String

  /// Creates a change.
  public init(task: String, key: String, value: String) {
    self.task = task
    self.key = key
    self.value = value
  }
}

/// Which keys an edit may change.
public enum EditScope: Hashable, Sendable {
  /// Every key with one value: for who may write the file anyway.
  case all
  /// `enabled`, `interval`, `timeout`, and settings that are durations, numbers, truth values or enumerations: for the
  /// API and the dashboard, which never change a path, an address or a command.
  case tunable
}

/// One value that differs between two configurations; secrets are masked.
public struct ConfigurationChange: Codable, Hashable, Sendable {
  /// The task; nothing for a key of the host, a database or a group.
  public var task: String?
  /// The key below the task (`settings.odds_keep`), or its whole path (`host.listen`).
  public var key: String
  /// The earlier value; null where there was none.
  public var old: JSONValue
  /// The present value; null where there is none.
  public var new: JSONValue

  /// Creates a change.
  public init(task: String?, key: String, old: JSONValue, new: JSONValue) {
    self.task = task
    self.key = key
    self.old = old
    self.new = new
  }

  /// `odds_retention: settings.odds_keep: 14d → 7d`
  public var text: String {
    "\(task.map { "\($0): " } ?? "")\(key): \(old.text) → \(new.text)"
  }

  /// Writes every key, an absent task as null.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(task, forKey: .task)
    try container.encode(key, forKey: .key)
    try container.encode(old, forKey: .old)
    try container.encode(new, forKey: .new)
  }

  enum CodingKeys: String, CodingKey {
    case task, key, old, new
  }
}

/// Lines that an edit put in place of others; secrets are masked.
public struct LineChange: Codable, Hashable, Sendable {
  /// The number of the first of them, from 1.
  public var line: Int
  /// The lines that went.
  public var removed: [String]
  /// The lines that came.
  public var added: [String]

  /// Creates a change of lines.
  public init(line: Int, removed: [String], added: [String]) {
    self.line = line
    self.removed = removed
    self.added = added
  }
}

/// What came of an edit.
public struct ConfigurationEditResult: Hashable, Sendable {
  /// The file, as it was given.
  public var path: String
  /// The file's hash before.
  public var previousHash: String
  /// The file's hash now: the same where every value was already so.
  public var hash: String
  /// The values that changed; none where every value was already so.
  public var changes: [ConfigurationChange]
  /// The lines that changed, one entry for each edit that changed something.
  public var diff: [LineChange]
  /// What is odd about the configuration now, for people.
  public var warnings: [String]

  /// Creates a result.
  public init(
    path: String, previousHash: String, hash: String, changes: [ConfigurationChange], diff: [LineChange],
    warnings: [String]
  ) {
    self.path = path
    self.previousHash = previousHash
    self.hash = hash
    self.changes = changes
    self.diff = diff
    self.warnings = warnings
  }
}

/// Why an edit wasn't made: nothing was written.
public enum EditRefusal: Error, Hashable, Sendable {
  /// The file isn't the one that the edit was meant for: somebody else changed it.
  case changedMeanwhile(expected: String, found: String)
  /// The value comes from environment variables, so that an edit would have no effect or cut the file off from them.
  case overridden(task: String, key: String, variables: [String])
  /// There is no such task.
  case unknownTask(Diagnostic)
  /// The file isn't valid as it stands, before the edit: every problem, and the same for people.
  case invalidFile(path: String, [Diagnostic], lines: [String])
  /// The key or the value isn't valid: every problem, and the same for people.
  case invalid([Diagnostic], lines: [String])
  /// The key can't be changed from where the edit comes.
  case notTunable(task: String, key: String)
  /// The place can't be changed alone, such as a value that others share: one sentence that says why and what to do.
  case unsupported(task: String, key: String, reason: String)
  /// The file can't be read or written.
  case unwritable(TaskError)

  /// What to tell people, in one sentence.
  public var message: String {
    switch self {
    case .changedMeanwhile:
      "the file was changed by somebody else meanwhile; nothing was written, look at it and repeat"
    case .overridden(let task, let key, let variables):
      "\(task): \(key) comes from the environment variable \(variables.joined(separator: ", ")), which beats the file; "
        + "change it there"
    case .unknownTask(let problem): problem.message
    case .invalidFile(let path, let problems, _): Self.message(of: problems, in: path)
    case .invalid(let problems, _): problems.map(\.message).joined(separator: "; ")
    case .notTunable(let task, let key):
      "\(task): \(key) can't be changed from here; change it in the file, or with upkeep set"
    case .unsupported(let task, let key, let reason): "\(task): \(key): \(reason)"
    case .unwritable(let error): error.description
    }
  }

  private static func message(of problems: [Diagnostic], in path: String) -> String {
    let first = problems.first.map { ": \(ConfigurationProblem($0).sentence)" } ?? ""
    let others = problems.count > 1 ? " (and \(problems.count - 1) more)" : ""
    return "\(path) isn't valid as it stands, so nothing was changed\(first)\(others); mend the file first, and repeat"
  }
}

/// Changes single values of the YAML file and keeps every other byte of it.
public protocol ConfigurationEditing: Sendable {
  /// The hash of the file as it is now.
  func hash() async throws(EditRefusal) -> String
  /// Makes all of some edits, or none.
  ///
  /// - Parameters:
  ///   - edits: The edits.
  ///   - hash: The hash of the file that they are meant for; nothing means whatever is there.
  ///   - scope: Which keys may be changed.
  func edit(
    _ edits: [ConfigurationEdit], expecting hash: String?, scope: EditScope
  ) async throws(EditRefusal) -> ConfigurationEditResult
  /// Works out what some edits would change, and writes nothing. It takes and throws the same as
  /// ``edit(_:expecting:scope:)``; the hash of the result is the one that the file would have.
  func plan(
    _ edits: [ConfigurationEdit], expecting hash: String?, scope: EditScope
  ) async throws(EditRefusal) -> ConfigurationEditResult
}
