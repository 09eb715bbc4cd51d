import Testing
import UpkeepConfiguration
import UpkeepCore

/// A plugin whose one setting takes anything and remembers what it was.
private struct Anything: SettingValue {
  var content = ConfigurationNode.Content.null

  static var kind: SettingKind { .string }

  static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> Anything {
    Anything(content: node.content)
  }

  var json: JSONValue { .string("\(content)") }
}

private struct AnySettings: TaskSettings {
  var value = Anything()

  static let fields: [SettingField<Self>] = [SettingField("value", \.value, "Anything")]
}

private struct AnyTask: MaintenanceTask {
  func run(_ settings: AnySettings, in context: TaskContext) async throws {}
}

/// What a scalar under `value:` is read as.
private func read(_ scalar: String, environment: [String: String] = [:]) throws -> String? {
  let plugin = Plugin("any", AnyTask.self, PluginDocumentation(summary: "", sample: ""))
  let loaded = ConfigurationLoader(plugins: [plugin], environment: environment)
    .load(Array("tasks:\n  any:\n    settings:\n      value: \(scalar)\n".utf8), path: "u.yaml", folder: "/")
  let host = try #require(loaded.configuration, "\(problems(loaded))")
  guard case .string(let text) = host.task("any")?.prepared.settings["value"] else { return nil }
  return text
}

@Suite struct ScalarTests {
  @Test(arguments: [
    ("~", "null"), ("null", "null"), ("Null", "null"), ("NULL", "null"), ("", "null"), ("nUll", "string(\"nUll\")"),
    ("true", "boolean(true)"), ("True", "boolean(true)"), ("TRUE", "boolean(true)"), ("false", "boolean(false)"),
    ("tRue", "string(\"tRue\")"), ("no", "string(\"no\")"), ("yes", "string(\"yes\")"), ("on", "string(\"on\")"),
    ("off", "string(\"off\")"), ("y", "string(\"y\")"), ("1:30", "string(\"1:30\")"),
    ("2026-11-20", "string(\"2026-11-20\")"), ("0644", "integer(644)"), ("-7", "integer(-7)"), ("+7", "integer(7)"),
    ("0o17", "integer(15)"), ("0o18", "string(\"0o18\")"), ("0x1F", "integer(31)"), ("0xfg", "string(\"0xfg\")"),
    ("-0x1F", "string(\"-0x1F\")"), ("0b1", "string(\"0b1\")"), ("1_000", "string(\"1_000\")"),
    ("1.5", "number(1.5)"), ("-.5", "number(-0.5)"), ("1.", "number(1.0)"), ("1e3", "number(1000.0)"),
    ("1.e3", "number(1000.0)"), (".5E-1", "number(0.05)"), ("1e", "string(\"1e\")"), (".", "string(\".\")"),
    (".inf", "number(inf)"), ("-.INF", "number(-inf)"), ("+.inf", "number(inf)"), (".NaN", "number(nan)"),
    ("inf", "string(\"inf\")"), ("nan", "string(\"nan\")"), ("'12'", "string(\"12\")"),
    ("\"true\"", "string(\"true\")"),
    ("''", "string(\"\")"), ("!!str 12", "string(\"12\")"), ("! 12", "string(\"12\")"), ("!!int \"12\"", "integer(12)"),
    ("!!float 3", "number(3.0)"), ("|\n        a\n        b", "string(\"a\\nb\\n\")"),
    (">-\n        a\n        b", "string(\"a b\")"), ("|-\n        5", "string(\"5\")"),
    ("99999999999999999999", "number(1e+20)"), ("\"\\u00e9\"", "string(\"é\")"), ("&x 5", "integer(5)"),
  ])
  func areTypedByTheCoreSchema(_ scalar: String, _ expected: String) throws {
    // A null counts as absent, so that the default stays.
    #expect(try read(scalar) == expected)
  }

  @Test(arguments: [
    ("${A}", "string(\"text\")"), ("${N}", "integer(8080)"), ("'${N}'", "string(\"8080\")"), ("${B}", "boolean(true)"),
    ("${EMPTY}", "null"), ("\"${EMPTY}\"", "string(\"\")"), ("x${A}y${N}", "string(\"xtexty8080\")"),
    ("${NOPE:-5}", "integer(5)"), ("${EMPTY:-d}", "string(\"d\")"), ("${A:-d}", "string(\"text\")"),
    ("${NOPE:-}", "null"), ("${A:?needed}", "string(\"text\")"), ("$${A}", "string(\"${A}\")"),
    ("$$${A}", "string(\"$${A}\")"), ("$A", "string(\"$A\")"), ("a$", "string(\"a$\")"), ("$$", "string(\"$$\")"),
    ("${YAML}", "string(\"[a, b: {c}]\")"), ("${NESTED}", "string(\"${A}\")"),
    ("'it''s ${A}'", "string(\"it\\'s text\")"),
    ("|\n        ${A}", "string(\"text\\n\")"),
  ])
  func takeVariablesAfterParsing(_ scalar: String, _ expected: String) throws {
    let environment = [
      "A": "text", "N": "8080", "B": "true", "EMPTY": "", "YAML": "[a, b: {c}]", "NESTED": "${A}",
    ]
    #expect(try read(scalar, environment: environment) == expected)
  }
}
