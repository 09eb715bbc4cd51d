/// What is said of one setting: everything that help, schema and the README's tables show.
public struct SettingDescription: Hashable, Sendable {
  /// The key in YAML.
  public var key: String
  /// What kind of value it takes.
  public var kind: SettingKind
  /// The default as JSON; null where there is none.
  public var standard: JSONValue
  /// Whether it must be given.
  public var isRequired: Bool
  /// The least value allowed, as written in YAML.
  public var minimum: JSONValue?
  /// The greatest value allowed, as written in YAML.
  public var maximum: JSONValue?
  /// Whether the value must never be shown.
  public var isSecret: Bool
  /// One line for people.
  public var help: String

  /// `1s to 365d`, `at least 1`, or nothing.
  public var range: String? {
    switch (minimum, maximum) {
    case (let low?, let high?): "\(low.text) to \(high.text)"
    case (let low?, nil): "at least \(low.text)"
    case (nil, let high?): "at most \(high.text)"
    case (nil, nil): nil
    }
  }
}

/// The declaration of one setting of `S`: its key, its place in the struct, its bounds and one line of help.
///
/// Reading, validation, `describe`, the JSON Schema and the README's tables all come from this one declaration.
public struct SettingField<S: Sendable>: Sendable {
  /// What people are told of it. The default is filled in from a fresh `S`.
  public let description: SettingDescription
  let read: @Sendable (ConfigurationNode, SettingScope, inout S) throws(SettingProblem) -> Void
  let value: @Sendable (S) -> JSONValue

  /// Declares a setting.
  ///
  /// - Parameters:
  ///   - key: The key in YAML, in `snake_case`.
  ///   - path: Its place in the struct, whose initial value is the default.
  ///   - required: Whether it must be given; then the initial value isn't shown.
  ///   - secret: Whether its value must never be shown.
  ///   - help: One line for people, without a full stop.
  public init<V: SettingValue>(
    _ key: String, _ path: any WritableKeyPath<S, V> & Sendable, required: Bool = false, secret: Bool = false,
    _ help: String
  ) {
    self.init(key, path, required: required, secret: secret, minimum: nil, maximum: nil, help) { (_: V) in nil }
  }

  /// Declares a setting whose value must be at least `minimum`.
  public init<V: SettingValue & Comparable>(
    _ key: String, _ path: any WritableKeyPath<S, V> & Sendable, atLeast minimum: V, required: Bool = false,
    _ help: String
  ) {
    self.init(key, path, required: required, secret: false, minimum: minimum.json, maximum: nil, help) { value in
      value < minimum ? "expected at least \(minimum.json.text), found \(value.json.text)" : nil
    }
  }

  /// Declares a setting that may be absent, and whose value must be at least `minimum`.
  public init<V: SettingValue & Comparable>(
    _ key: String, _ path: any WritableKeyPath<S, V?> & Sendable, atLeast minimum: V, _ help: String
  ) {
    self.init(key, path, required: false, secret: false, minimum: minimum.json, maximum: nil, help) { value in
      guard let value, value < minimum else { return nil }
      return "expected at least \(minimum.json.text), found \(value.json.text)"
    }
  }

  /// Declares a setting whose value must lie in `range`.
  public init<V: SettingValue & Comparable>(
    _ key: String, _ path: any WritableKeyPath<S, V> & Sendable, in range: ClosedRange<V>, required: Bool = false,
    _ help: String
  ) {
    let (low, high) = (range.lowerBound.json, range.upperBound.json)
    self.init(key, path, required: required, secret: false, minimum: low, maximum: high, help) { value in
      range.contains(value) ? nil : "expected \(low.text) to \(high.text), found \(value.json.text)"
    }
  }

  private init<V: SettingValue>(
    _ key: String, _ path: any WritableKeyPath<S, V> & Sendable, required: Bool, secret: Bool, minimum: JSONValue?,
    maximum: JSONValue?, _ help: String, check: @escaping @Sendable (V) -> String?
  ) {
    description = SettingDescription(
      key: key, kind: V.kind, standard: .null, isRequired: required, minimum: minimum, maximum: maximum,
      isSecret: secret, help: help)
    read = { node, scope, settings throws(SettingProblem) in
      let value = try V.read(node, in: scope)
      if let message = check(value) { throw SettingProblem(code: "out_of_range", message) }
      settings[keyPath: path] = value
    }
    value = { settings in
      let json = settings[keyPath: path].json
      // That there is none is no secret.
      return secret && json != .null ? .string(Secret.mask) : json
    }
  }
}

/// The settings of a task: a plain struct whose initial values are the defaults, and the list of its fields.
///
/// ```swift
/// struct PruneSettings: TaskSettings {
///   var keep = Duration.days(30)
///   static let fields: [SettingField<Self>] = [
///     SettingField("keep", \.keep, atLeast: .seconds(1), "How long rows are kept")
///   ]
/// }
/// ```
public protocol TaskSettings: Sendable {
  /// Creates the defaults.
  init()
  /// The declared settings, in the order in which people see them.
  static var fields: [SettingField<Self>] { get }
  /// What one of them is called in messages: `setting`, or `key` for those of the host and of tasks.
  static var noun: String { get }
  /// Checks what concerns several settings at once.
  /// - Returns: The problems, each with the key it is shown at.
  func problems() -> [(key: String, message: String)]
}

extension TaskSettings {
  /// `setting`
  public static var noun: String { "setting" }

  /// None.
  public func problems() -> [(key: String, message: String)] { [] }

  /// What people are told of each setting, defaults included.
  public static var descriptions: [SettingDescription] {
    let standard = Self()
    return fields.map { field in
      var description = field.description
      description.standard = description.isRequired ? .null : field.value(standard)
      return description
    }
  }

  /// The values as JSON by key; secrets masked.
  public var values: [String: JSONValue] {
    Dictionary(Self.fields.map { ($0.description.key, $0.value(self)) }) { first, _ in first }
  }

  /// Reads settings from a configuration and reports every problem at once.
  ///
  /// - Parameters:
  ///   - node: The `settings:` map, or nothing where there is none.
  ///   - owner: Where to point when a required setting is missing.
  ///   - scope: Where relative paths start and which databases exist.
  ///   - place: The path of the map, for messages; empty where the caller names it.
  /// - Returns: The settings (defaults where a value is wrong) and the problems.
  public static func read(
    _ node: ConfigurationNode?, owner: ValueOrigin, in scope: SettingScope, place: String = "settings"
  ) -> (settings: Self, problems: [Diagnostic]) {
    var settings = Self()
    var problems: [Diagnostic] = []
    if let node, !node.isNull, case .map = node.content {
      let known = fields.map(\.description.key)
      for entry in node.entries where !known.contains(entry.key) {
        problems.append(.unknown(noun, entry.key, code: "unknown_\(noun)", known: known, at: entry.keyOrigin))
      }
    } else if let node, !node.isNull {
      problems.append(
        Diagnostic(
          code: "bad_type", "\(place.isEmpty ? "" : "\(place): ")expected a map of \(noun)s, found \(node.found)",
          at: node.origin))
      return (settings, problems)
    }
    for field in fields {
      let key = field.description.key
      guard let value = node?[key], !value.isNull else {
        if field.description.isRequired {
          problems.append(
            Diagnostic(
              code: "missing_\(noun)",
              "\(place.isEmpty ? "" : "\(place).")\(key) is missing; \(field.description.help.lowercasedFirst)",
              at: node.flatMap { $0.isNull ? nil : $0.origin } ?? owner))
        }
        continue
      }
      do throws(SettingProblem) {
        try field.read(value, scope, &settings)
      } catch {
        problems += error.diagnostics(key, at: value.origin)
      }
    }
    if problems.isEmpty {
      for problem in settings.problems() {
        problems.append(
          Diagnostic(
            code: "bad_value", "\(problem.key): \(problem.message)",
            at: node?[problem.key]?.origin ?? node?.origin ?? owner))
      }
    }
    return (settings, problems)
  }
}

extension String {
  fileprivate var lowercasedFirst: String {
    prefix(1).lowercased() + dropFirst()
  }
}
