import UpkeepCore

/// The shape of a JSON value: what the API's description says of it, and what comes in is checked by.
///
/// Only what both need is here; the words are those of JSON Schema 2020-12, which OpenAPI 3.1 uses.
indirect enum Schema: Hashable, Sendable {
  /// Anything.
  case any
  /// True or false.
  case boolean
  /// A whole number, in a range where there is one.
  case integer(ClosedRange<Int>? = nil)
  /// A number.
  case number
  /// A text, of a `format` or a `pattern` where it has one, with a name of that for people.
  case text(format: String? = nil, pattern: String? = nil, name: String = "a text")
  /// One of some texts.
  case choice([String])
  /// A list.
  case list(Schema)
  /// An object with any keys, whose values are alike.
  case map(Schema)
  /// An object with these keys and no others.
  case object([Member])
  /// The same, or null.
  case optional(Schema)
  /// One of several shapes.
  case either([Schema])
  /// A shape with a name: see ``Shapes``.
  case named(String)

  /// A key of an object.
  struct Member: Hashable, Sendable {
    let name: String
    let schema: Schema
    let help: String
    let isRequired: Bool

    init(_ name: String, _ schema: Schema, _ help: String = "", isRequired: Bool = true) {
      self.name = name
      self.schema = schema
      self.help = help
      self.isRequired = isRequired
    }
  }

  /// A time in UTC.
  static let instant = Schema.text(format: "date-time")
  /// A run's identifier.
  static let runID = Schema.text(pattern: "^[0-9A-HJKMNP-TV-Z]{26}$", name: "a run's id of 26 letters and digits")

  /// A run's identifier, or how it begins, in capitals or not.
  static let runIDBeginning = Schema.text(
    pattern: "^[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{1,26}$", name: "a run's id, or how it begins")

  /// As JSON Schema writes it.
  var document: JSONValue {
    switch self {
    case .any: return .object([:])
    case .boolean: return .object(["type": "boolean"])
    case .number: return .object(["type": "number"])
    case .integer(let range):
      var members: [String: JSONValue] = ["type": "integer"]
      if let range {
        members["minimum"] = .integer(range.lowerBound)
        members["maximum"] = .integer(range.upperBound)
      }
      return .object(members)
    case .text(let format, let pattern, _):
      var members: [String: JSONValue] = ["type": "string"]
      members["format"] = format.map { .string($0) }
      members["pattern"] = pattern.map { .string($0) }
      return .object(members)
    case .choice(let words):
      return .object(["type": "string", "enum": .array(words.map { .string($0) })])
    case .list(let element): return .object(["type": "array", "items": element.document])
    case .map(let element): return .object(["type": "object", "additionalProperties": element.document])
    case .object(let members):
      let properties = members.map { member -> (String, JSONValue) in
        guard case .object(var schema) = member.schema.document, !member.help.isEmpty else {
          return (member.name, member.schema.document)
        }
        schema["description"] = .string(member.help)
        return (member.name, .object(schema))
      }
      return .object([
        "type": "object", "additionalProperties": .boolean(false),
        "properties": .object(Dictionary(properties) { first, _ in first }),
        "required": .array(members.filter(\.isRequired).map { .string($0.name) }),
      ])
    case .optional(let schema): return .object(["anyOf": .array([schema.document, .object(["type": "null"])])])
    case .either(let schemas): return .object(["anyOf": .array(schemas.map(\.document))])
    case .named(let name): return .object(["$ref": .string("#/components/schemas/\(name)")])
    }
  }

  /// What is wrong with a value.
  struct Fault: Error, Hashable {
    /// A stable name of the kind of fault.
    var code = "bad_body"
    /// Where, and what was expected.
    var message: String
  }

  /// What is wrong with a value; nothing where it has this shape.
  ///
  /// - Parameter path: Where the value stands, for the message.
  func fault(in value: JSONValue, at path: String = "") -> Fault? {
    let place = path.isEmpty ? "" : "\(path): "
    func expected(_ what: String) -> Fault { Fault(message: "\(place)expected \(what), found \(value.found)") }
    switch (self, value) {
    case (.any, _), (.boolean, .boolean), (.number, .number), (.number, .integer), (.optional, .null): return nil
    case (.integer(let range), .integer(let number)):
      guard let range, !range.contains(number) else { return nil }
      return expected("a whole number from \(range.lowerBound) to \(range.upperBound)")
    case (.text(_, let pattern, let name), .string(let text)):
      guard let pattern, let regex = try? Regex(pattern), text.firstMatch(of: regex) == nil else { return nil }
      return expected(name)
    case (.choice(let words), .string(let text)) where words.contains(text): return nil
    case (.list(let element), .array(let values)):
      for (index, value) in values.enumerated() {
        if let fault = element.fault(in: value, at: "\(path)[\(index)]") { return fault }
      }
      return nil
    case (.map(let element), .object(let members)):
      for (key, value) in members.sorted(by: { $0.key < $1.key }) {
        if let fault = element.fault(in: value, at: Self.join(path, key)) { return fault }
      }
      return nil
    case (.object(let known), .object(let members)): return Self.fault(in: members, known, at: path)
    case (.optional(let schema), _): return schema.fault(in: value, at: path)
    case (.either(let schemas), _):
      let faults = schemas.map { $0.fault(in: value, at: path) }
      return faults.contains(nil) ? nil : faults.compactMap(\.self).first
    case (.named(let name), _):
      guard let schema = Shapes.named[name] else { return expected("a value of an unknown shape \(name)") }
      return schema.fault(in: value, at: path)
    default: return expected(words)
    }
  }

  private static func fault(in members: [String: JSONValue], _ known: [Member], at path: String) -> Fault? {
    let names = known.map(\.name).sorted()
    if let unknown = members.keys.sorted().first(where: { key in !known.contains { $0.name == key } }) {
      let hint = NameSuggestion.hint(for: unknown, among: names, none: "expected none")
      return Fault(code: "unknown_key", message: "unknown key \(join(path, unknown)); \(hint)")
    }
    for member in known {
      guard let value = members[member.name] else {
        if member.isRequired { return Fault(message: "\(join(path, member.name)) is missing") }
        continue
      }
      if let fault = member.schema.fault(in: value, at: join(path, member.name)) { return fault }
    }
    return nil
  }

  private static func join(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// What is expected, for people.
  private var words: String {
    switch self {
    case .any: "a value"
    case .boolean: "true or false"
    case .integer: "a whole number"
    case .number: "a number"
    case .text(_, _, let name): name
    case .choice(let words): "one of \(words.joined(separator: ", "))"
    case .list: "a list"
    case .map: "an object"
    case .object(let members): "an object with \(members.map(\.name).sorted().joined(separator: ", "))"
    case .optional(let schema): "\(schema.words) or null"
    case .either(let schemas): schemas.map(\.words).joined(separator: " or ")
    case .named(let name): Shapes.named[name]?.words ?? name
    }
  }
}

extension JSONValue {
  /// What was found, for people: the value where it is short, else what kind it is.
  fileprivate var found: String {
    switch self {
    case .array: "a list"
    case .object: "an object"
    case .string(let text) where text.count > 40: "a long text"
    default: text
    }
  }
}
