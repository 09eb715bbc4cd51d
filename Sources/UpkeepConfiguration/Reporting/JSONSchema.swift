public import UpkeepCore

/// The JSON Schema (draft 2020-12) of the YAML, for editors; made of the same declarations that the parser reads with.
public enum JSONSchema {
  /// The schema of a configuration for the given plugins.
  public static func schema(plugins: [PluginDescriptor]) -> JSONValue {
    let help = Dictionary(ConfigurationReader.topLevel) { first, _ in first }
    func described(_ key: String, _ schema: [String: JSONValue]) -> JSONValue {
      .object(schema.merging(["description": .string(help[key] ?? "")]) { first, _ in first })
    }
    var definitions: [String: JSONValue] = [
      "variable": .object([
        "type": "string", "pattern": .string("\\$\\{"), "description": "A text with an environment variable",
      ]),
      "duration": .object([
        "type": "string", "pattern": .string("^([0-9]+(ms|s|m|h|d|w))+$"), "examples": .array(["30s", "24h", "14d"]),
      ]),
      "host": group(ConfigurationReference.host),
      "database": .object([
        "type": "object", "properties": properties(ConfigurationReference.database),
        "additionalProperties": .boolean(false),
        "oneOf": .array([.object(["required": .array(["sqlite"])]), .object(["required": .array(["postgres"])])]),
      ]),
      "task": task(plugins),
    ]
    for plugin in plugins { definitions["settings.\(plugin.id)"] = group(plugin.settings) }
    return .object([
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "$id": "https://upkeep.invalid/upkeep.schema.json",
      "title": "Upkeep",
      "type": "object",
      "additionalProperties": .boolean(false),
      "properties": .object([
        "version": described("version", ["const": .integer(1)]),
        "host": described("host", ["$ref": "#/$defs/host"]),
        "databases": described("databases", names(.object(["$ref": "#/$defs/database"]))),
        "tasks": described("tasks", tasks(plugins)),
        "groups": described(
          "groups",
          names(
            .object([
              "type": "array", "items": .object(["type": "string"]), "uniqueItems": .boolean(true),
              "minItems": .integer(1),
            ]))),
      ]),
      "$defs": .object(definitions),
    ])
  }

  private static let namePattern = "^[a-z][a-z0-9_]{0,62}$"

  /// A map whose keys are names.
  private static func names(_ value: JSONValue) -> [String: JSONValue] {
    [
      "type": .array(["object", "null"]), "patternProperties": .object([namePattern: value]),
      "additionalProperties": .boolean(false),
    ]
  }

  private static func reference(to plugin: PluginDescriptor) -> JSONValue {
    .object(["properties": .object(["settings": .object(["$ref": .string("#/$defs/settings.\(plugin.id)")])])])
  }

  /// The map of tasks: one named like a plugin is of that plugin where it names none.
  private static func tasks(_ plugins: [PluginDescriptor]) -> [String: JSONValue] {
    var schema = names(.object(["$ref": "#/$defs/task"]))
    let named = plugins.map { plugin in
      let isOfAnother = JSONValue.object(["required": .array(["plugin"])])
      return (
        plugin.id,
        JSONValue.object([
          "description": .string(plugin.documentation.summary),
          "if": .object(["not": isOfAnother]),
          "then": reference(to: plugin),
        ])
      )
    }
    schema["properties"] = .object(Dictionary(named) { first, _ in first })
    return schema
  }

  private static func task(_ plugins: [PluginDescriptor]) -> JSONValue {
    var known: [String: JSONValue] = [:]
    for description in ConfigurationReference.task {
      switch description.key {
      case "plugin":
        known["plugin"] = .object([
          "description": .string(description.help), "enum": .array(plugins.map { .string($0.id) }),
        ])
      case "settings": known["settings"] = .object(["description": .string(description.help)])
      case "guard":
        known["guard"] = .object([
          "description": .string(description.help),
          "anyOf": .array([.object(["const": "none"]), type(description.kind, description)]),
        ])
      default: known[description.key] = property(description)
      }
    }
    let rules = plugins.map { plugin in
      JSONValue.object([
        "if": .object([
          "properties": .object(["plugin": .object(["const": .string(plugin.id)])]), "required": .array(["plugin"]),
        ]),
        "then": reference(to: plugin),
      ])
    }
    return .object([
      "type": .array(["object", "null"]), "properties": .object(known), "additionalProperties": .boolean(false),
      "allOf": .array(rules),
      "not": .object(["required": .array(["interval", "cron"])]),
    ])
  }

  private static func group(_ descriptions: [SettingDescription]) -> JSONValue {
    var schema: [String: JSONValue] = [
      "type": .array(["object", "null"]), "properties": properties(descriptions),
      "additionalProperties": .boolean(false),
    ]
    let required = descriptions.filter(\.isRequired).map { JSONValue.string($0.key) }
    if !required.isEmpty { schema["required"] = .array(required) }
    return .object(schema)
  }

  private static func properties(_ descriptions: [SettingDescription]) -> JSONValue {
    .object(Dictionary(descriptions.map { ($0.key, property($0)) }) { first, _ in first })
  }

  /// A key: its own type, a text with a variable, or nothing.
  private static func property(_ description: SettingDescription) -> JSONValue {
    var schema: [String: JSONValue] = ["description": .string(description.help)]
    if description.standard != .null, !description.isSecret { schema["default"] = description.standard }
    let inner = type(description.kind, description)
    switch description.kind {
    case .group: return .object(schema.merging(["anyOf": .array([inner, .object(["type": "null"])])]) { $1 })
    default:
      let others: [JSONValue] = [.object(["$ref": "#/$defs/variable"]), .object(["type": "null"])]
      schema["anyOf"] = .array([inner] + others)
      return .object(schema)
    }
  }

  private static func type(_ kind: SettingKind, _ description: SettingDescription? = nil) -> JSONValue {
    var schema: [String: JSONValue]
    switch kind {
    case .duration: return .object(["$ref": "#/$defs/duration"])
    case .integer: schema = ["type": "integer"]
    case .number: schema = ["type": "number"]
    case .boolean: schema = ["type": "boolean"]
    case .string, .database, .path: schema = ["type": .array(["string", "number", "boolean"])]
    case .enumeration(let words): schema = ["enum": .array(words.map { .string($0) })]
    case .list(let element): schema = ["type": "array", "items": type(element)]
    case .oneOrMore(let element):
      schema = ["anyOf": .array([type(element), .object(["type": "array", "items": type(element)])])]
    case .map(let element): schema = ["type": "object", "additionalProperties": type(element)]
    case .group(let descriptions): return group(descriptions)
    }
    if let minimum = description?.minimum { schema["minimum"] = minimum }
    if let maximum = description?.maximum { schema["maximum"] = maximum }
    return .object(schema)
  }
}
