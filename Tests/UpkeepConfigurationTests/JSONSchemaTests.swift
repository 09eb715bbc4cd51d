import Testing
import UpkeepConfiguration
import UpkeepCore

/// A walk along a schema that checks only which keys are known.
private struct KeyCheck {
  let root: JSONValue

  func member(_ value: JSONValue, _ key: String) -> JSONValue? {
    if case .object(let members) = value { members[key] } else { nil }
  }

  func resolved(_ schema: JSONValue) -> JSONValue {
    guard case .string(let reference) = member(schema, "$ref") else { return schema }
    return reference.dropFirst(2).split(separator: "/").reduce(root) { member($0, String($1)) ?? .null }
  }

  /// The schemas for a key of an object.
  func schemas(for key: String, in schema: JSONValue) -> [JSONValue] {
    let schema = resolved(schema)
    var found: [JSONValue] = []
    if let property = member(schema, "properties").flatMap({ member($0, key) }) { found.append(property) }
    if case .object(let patterns) = member(schema, "patternProperties"), TaskName.isValid(key) {
      found += patterns.values
    }
    if case .object = member(schema, "additionalProperties"), let other = member(schema, "additionalProperties") {
      found.append(other)
    }
    for part in ["anyOf", "allOf"] {
      if case .array(let parts) = member(schema, part) { found += parts.flatMap { schemas(for: key, in: $0) } }
    }
    if let then = member(schema, "then") { found += schemas(for: key, in: then) }
    return found
  }

  /// The keys that no schema knows.
  func unknown(_ paths: [String]) -> [String] {
    paths.filter { path in
      var schemas = [root]
      for key in path.split(separator: ".") {
        schemas = schemas.flatMap { self.schemas(for: String(key), in: $0) }
      }
      return schemas.isEmpty
    }
  }
}

@Suite struct JSONSchemaTests {
  @Test func knowsEveryKeyOfTheSample() throws {
    let check = KeyCheck(root: JSONSchema.schema(plugins: plugins))
    let paths = try configuration(sample).effective.entries.map(\.key)
    #expect(paths.count > 60)
    #expect(check.unknown(paths) == [])
    #expect(check.unknown(["host.lissen", "tasks.noop.intervall"]) == ["host.lissen", "tasks.noop.intervall"])
  }

  @Test func carriesDefaultsRangesAndHelp() {
    let check = KeyCheck(root: JSONSchema.schema(plugins: plugins))
    let listen = check.schemas(for: "listen", in: .object(["$ref": "#/$defs/host"])).first
    #expect(listen.flatMap { check.member($0, "default") } == "127.0.0.1:8787")
    #expect(listen.flatMap { check.member($0, "description") } == "The address of the HTTP API and the dashboard")
    let batch = check.schemas(for: "batch", in: .object(["$ref": "#/$defs/settings.odds_retention"])).first
    #expect(
      batch.flatMap { check.member($0, "anyOf") }
        == .array([
          .object(["type": "integer", "minimum": .integer(1), "maximum": .integer(1000)]),
          .object(["$ref": "#/$defs/variable"]), .object(["type": "null"]),
        ]))
    #expect(
      check.member(check.resolved(.object(["$ref": "#/$defs/settings.odds_retention"])), "required")
        == .array(["database"]))
  }

  @Test func keepsDefaultsOfSecretsBack() {
    let check = KeyCheck(root: JSONSchema.schema(plugins: plugins))
    let token = check.schemas(for: "token", in: .object(["$ref": "#/$defs/settings.odds_retention"])).first
    #expect(token != nil)
    #expect(token.flatMap { check.member($0, "default") } == nil)
  }
}

@Suite struct ReferenceTests {
  @Test func listsEveryKeyOnce() {
    let host = SettingRow.rows(ConfigurationReference.host)
    #expect(
      host.map(\.key).prefix(6) == [
        "state", "listen", "time_zone", "max_concurrent_runs", "drain_timeout", "history.keep",
      ])
    let keep = host.first { $0.key == "history.keep" }
    #expect(keep?.type == "duration")
    #expect(keep?.standard == "90d")
    #expect(keep?.range == "at least 1s")
    let task = SettingRow.rows(ConfigurationReference.task)
    #expect(Set(task.map(\.key)).count == task.count)
    #expect(task.first { $0.key == "guard.max_percent" }?.standard == "50")
    #expect(task.first { $0.key == "missed" }?.type == "run_once | skip | run_all")
    #expect(task.first { $0.key == "settings" }?.standard == "")
    #expect((host + task).allSatisfy { !$0.help.isEmpty && !$0.help.hasSuffix(".") })
  }
}
