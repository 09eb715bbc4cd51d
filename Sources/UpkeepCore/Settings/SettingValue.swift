/// What kind of value a setting takes; its type in the JSON Schema and in the tables for people.
public indirect enum SettingKind: Hashable, Sendable {
  /// A duration such as `14d`.
  case duration
  /// A whole number.
  case integer
  /// A number.
  case number
  /// `true` or `false`.
  case boolean
  /// A text.
  case string
  /// One of some words.
  case enumeration([String])
  /// The name of a database under `databases:`.
  case database
  /// A path, relative to the configuration file.
  case path
  /// A list.
  case list(of: SettingKind)
  /// One value, or a list of them.
  case oneOrMore(of: SettingKind)
  /// A map from names to values.
  case map(of: SettingKind)
  /// A group of settings of its own.
  case group([SettingDescription])

  /// The name of the kind for people, such as `duration` or `list of text`.
  public var name: String {
    switch self {
    case .duration: "duration"
    case .integer: "whole number"
    case .number: "number"
    case .boolean: "true or false"
    case .string: "text"
    case .enumeration(let words): words.joined(separator: " | ")
    case .database: "database name"
    case .path: "path"
    case .list(of: .group): "list of maps"
    case .list(let element): "list of \(element.name)"
    case .oneOrMore(let element): "\(element.name) or list of \(element.name)"
    case .map(let element): "map of name to \(element.name)"
    case .group: "group"
    }
  }

  /// Whether the API and the dashboard may change such a setting: never a path, a name or a text.
  public var isTunable: Bool {
    switch self {
    case .duration, .integer, .number, .boolean, .enumeration: true
    case .map(let element): element.isTunable
    case .string, .database, .path, .list, .oneOrMore, .group: false
    }
  }
}

/// What a setting's value is read with: where relative paths start and which names exist.
public struct SettingScope: Sendable {
  /// The folder of the configuration file, absolute.
  public var folder: String
  /// The names under `databases:`; nothing where they aren't known (then any name is taken).
  public var databases: [String]?

  /// Creates a scope.
  public init(folder: String, databases: [String]?) {
    self.folder = folder
    self.databases = databases
  }
}

/// What is wrong with one value.
public struct SettingProblem: Error, Sendable {
  /// A stable code, in `snake_case`.
  public var code: String
  /// What was expected and found.
  public var message: String
  /// Where, if not at the setting itself (inside a list, say).
  public var origin: ValueOrigin?
  /// A known name that was probably meant.
  public var suggestion: String?
  /// What else is wrong with the same value, where it has parts.
  public var others: [Diagnostic] = []

  /// Creates a problem.
  public init(code: String = "bad_value", _ message: String, at origin: ValueOrigin? = nil, suggestion: String? = nil) {
    self.code = code
    self.message = message
    self.origin = origin
    self.suggestion = suggestion
  }

  /// One problem of several: the first, with the others along.
  /// - Returns: Nothing where there is none.
  public init?(_ problems: [Diagnostic]) {
    guard let first = problems.first else { return nil }
    self.init(code: first.code, first.message, at: first.origin, suggestion: first.suggestion)
    others = Array(problems.dropFirst())
  }

  /// The same problem of the element of a list, its messages led by the element's number.
  func ofElement(_ number: Int) -> [Diagnostic] {
    ([Diagnostic(code: code, message, at: origin, suggestion: suggestion)] + others).map { problem in
      var problem = problem
      problem.message = Self.led(by: "\(number)", problem.message)
      return problem
    }
  }

  /// `rules.0: keep: 45 has no unit` of `0: keep: 45 has no unit`: an element is named as `upkeep set` names it.
  private static func led(by key: String, _ message: String) -> String {
    let isElement = message.prefixMatch(of: #/\d+(\.\d+)*: /#) != nil
    return key + (isElement ? "." : ": ") + message
  }

  /// All of it, each message led by the key of the value.
  func diagnostics(_ key: String, at origin: ValueOrigin) -> [Diagnostic] {
    let first = Diagnostic(code: code, message, at: self.origin, suggestion: suggestion)
    return ([first] + others).map { problem in
      var problem = problem
      problem.message = Self.led(by: key, problem.message)
      problem.origin = problem.origin ?? origin
      return problem
    }
  }
}

/// A type that a setting can have.
public protocol SettingValue: Sendable {
  /// Its kind.
  static var kind: SettingKind { get }
  /// Reads it from a configuration.
  /// - Throws: ``SettingProblem`` that says what was expected.
  static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> Self
  /// The value as JSON, written as it would be in YAML.
  var json: JSONValue { get }
}

extension Duration: SettingValue {
  /// ``SettingKind/duration``
  public static var kind: SettingKind { .duration }

  /// Reads a text such as `14d`.
  public static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> Duration {
    switch node.content {
    case .string, .integer, .number:
      do throws(DurationTextError) {
        return try Duration(durationText: node.text)
      } catch {
        throw SettingProblem(code: "bad_duration", error.message)
      }
    default:
      throw SettingProblem(code: "bad_duration", "expected a duration such as 30s, 24h or 14d, found \(node.found)")
    }
  }

  /// The text, such as `14d`.
  public var json: JSONValue { .string(durationText) }
}

extension Int: SettingValue {
  /// ``SettingKind/integer``
  public static var kind: SettingKind { .integer }

  /// Reads a whole number.
  public static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> Int {
    guard case .integer(let value) = node.content else {
      throw SettingProblem(code: "bad_type", "expected a whole number, found \(node.found)")
    }
    return value
  }

  /// The number.
  public var json: JSONValue { .integer(self) }
}

extension Double: SettingValue {
  /// ``SettingKind/number``
  public static var kind: SettingKind { .number }

  /// Reads a number.
  public static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> Double {
    switch node.content {
    case .integer(let value): return Double(value)
    case .number(let value) where value.isFinite: return value
    default: throw SettingProblem(code: "bad_type", "expected a number, found \(node.found)")
    }
  }

  /// The number.
  public var json: JSONValue { .number(self) }
}

extension Bool: SettingValue {
  /// ``SettingKind/boolean``
  public static var kind: SettingKind { .boolean }

  /// Reads `true` or `false`; `yes`, `on` and their like are texts in YAML 1.2 and are named in the error.
  public static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> Bool {
    guard case .boolean(let value) = node.content else {
      throw SettingProblem(code: "bad_type", "expected true or false, found \(node.found)")
    }
    return value
  }

  /// The value.
  public var json: JSONValue { .boolean(self) }
}

extension String: SettingValue {
  /// ``SettingKind/string``
  public static var kind: SettingKind { .string }

  /// Reads a text; numbers and truth values are taken as they are written.
  public static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> String {
    switch node.content {
    case .string, .integer, .number, .boolean: return node.text
    default: throw SettingProblem(code: "bad_type", "expected a text, found \(node.found)")
    }
  }

  /// The text.
  public var json: JSONValue { .string(self) }
}

/// A setting that takes one of some words: an enumeration of strings.
public protocol SettingEnumeration: SettingValue, RawRepresentable, CaseIterable where RawValue == String {}

extension SettingEnumeration {
  /// ``SettingKind/enumeration(_:)`` of all cases.
  public static var kind: SettingKind { .enumeration(allCases.map(\.rawValue)) }

  /// Reads one of the words.
  public static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> Self {
    let words = allCases.map(\.rawValue)
    if case .string(let text) = node.content, let value = Self(rawValue: text) { return value }
    let suggestion = NameSuggestion.nearest(to: node.text, among: words)
    let hint = suggestion.map { "; did you mean \($0)?" } ?? ""
    throw SettingProblem(
      "expected one of \(words.joined(separator: ", ")), found \(node.found)\(hint)", suggestion: suggestion)
  }

  /// The word.
  public var json: JSONValue { .string(rawValue) }
}

/// The name of a database under `databases:`.
public struct DatabaseName: SettingValue, Hashable {
  /// The name.
  public var text: String

  /// Creates a name.
  public init(_ text: String) {
    self.text = text
  }

  /// ``SettingKind/database``
  public static var kind: SettingKind { .database }

  /// Reads a name and checks that there is such a database.
  public static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> DatabaseName {
    let name = try String.read(node, in: scope)
    if let known = scope.databases, !known.contains(name) {
      let problem = Diagnostic.unknown("database", name, code: "unknown_database", known: known, at: node.origin)
      throw SettingProblem(code: problem.code, problem.message, suggestion: problem.suggestion)
    }
    return DatabaseName(name)
  }

  /// The name.
  public var json: JSONValue { .string(text) }
}

/// A path of a file or folder, absolute once it is read.
public struct SettingPath: SettingValue, Hashable {
  /// The path.
  public var text: String

  /// Creates a path.
  public init(_ text: String) {
    self.text = text
  }

  /// ``SettingKind/path``
  public static var kind: SettingKind { .path }

  /// Reads a path; a relative one starts at the configuration file's folder.
  public static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> SettingPath {
    let path = try String.read(node, in: scope)
    guard !path.isEmpty, !path.unicodeScalars.contains("\0") else {
      throw SettingProblem("expected a path, found \(node.found)")
    }
    return SettingPath(path.hasPrefix("/") ? path : scope.folder + "/" + path)
  }

  /// The path.
  public var json: JSONValue { .string(text) }
}

extension Array: SettingValue where Element: SettingValue {
  /// ``SettingKind/list(of:)``
  public static var kind: SettingKind { .list(of: Element.kind) }

  /// Reads a list.
  public static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> [Element] {
    guard case .list(let nodes) = node.content else {
      throw SettingProblem(code: "bad_type", "expected a \(kind.name), found \(node.found)")
    }
    var result: [Element] = []
    var problems: [Diagnostic] = []
    for (number, node) in nodes.enumerated() {
      do throws(SettingProblem) {
        result.append(try Element.read(node, in: scope))
      } catch {
        var error = error
        error.origin = error.origin ?? node.origin
        problems += error.ofElement(number)
      }
    }
    if let problem = SettingProblem(problems) { throw problem }
    return result
  }

  /// The elements.
  public var json: JSONValue { .array(map(\.json)) }
}

extension Dictionary: SettingValue where Key == String, Value: SettingValue {
  /// ``SettingKind/map(of:)``
  public static var kind: SettingKind { .map(of: Value.kind) }

  /// Reads a map.
  public static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> [String: Value] {
    guard case .map(let entries) = node.content else {
      throw SettingProblem(
        code: "bad_type", "expected a map of names to \(Value.kind.name), found \(node.found)")
    }
    var result: [String: Value] = [:]
    var problems: [Diagnostic] = []
    for entry in entries where !entry.value.isNull {
      do throws(SettingProblem) {
        result[entry.key] = try Value.read(entry.value, in: scope)
      } catch {
        problems += error.diagnostics(entry.key, at: entry.value.origin)
      }
    }
    if let problem = SettingProblem(problems) { throw problem }
    return result
  }

  /// The entries.
  public var json: JSONValue { .object(mapValues(\.json)) }
}

extension Optional: SettingValue where Wrapped: SettingValue {
  /// The wrapped kind.
  public static var kind: SettingKind { Wrapped.kind }

  /// Reads a value; an absent one never comes here.
  public static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> Wrapped? {
    try Wrapped.read(node, in: scope)
  }

  /// The value, or null.
  public var json: JSONValue {
    switch self {
    case .some(let value): value.json
    case .none: .null
    }
  }
}
