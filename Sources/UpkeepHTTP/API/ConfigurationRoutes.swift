import UpkeepCore
import UpkeepRuns

/// The YAML as it is loaded, and changing single values of it.
struct ConfigurationRoutes {
  let parts: SiteParts

  init(_ parts: SiteParts) {
    self.parts = parts
  }

  /// The configuration in force.
  private struct Document: Encodable {
    let status: ConfigurationStatus

    enum CodingKeys: String, CodingKey {
      case path, etag, yaml, errors
      case loadedAt = "loaded_at"
      case triedAt = "tried_at"
      case restartNeeded = "restart_needed"
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(status.path, forKey: .path)
      try container.encode(status.hash, forKey: .etag)
      try container.encode(status.yaml, forKey: .yaml)
      try container.encode(status.loadedAt, forKey: .loadedAt)
      try container.encode(status.triedAt, forKey: .triedAt)
      try container.encode(status.problems, forKey: .errors)
      try container.encode(status.restartNeeded, forKey: .restartNeeded)
    }
  }

  /// What an edit changed.
  private struct Edited: Encodable {
    var task: String
    var etag: String
    var changes: [ConfigurationChange]
    var diff: [LineChange]
    var warnings: [String]
  }

  private static let ifMatch = Parameter(
    "If-Match", .text(), "The ETag of the file that the change is meant for; without it nothing is changed",
    place: "header")
  private static let dryRun = Parameter("dry_run", .boolean, "Whether the change is only shown, and nothing written")
  private static let editBody = Schema.object([
    Schema.Member("enabled", .boolean, "Whether the schedule starts it", isRequired: false),
    Schema.Member("interval", .optional(.text()), "Such as 12h; null takes it away", isRequired: false),
    Schema.Member("timeout", .optional(.text()), "How long a run may take", isRequired: false),
    Schema.Member("settings", .map(.any), "Values by key; null takes one away", isRequired: false),
  ])

  var routes: [Route] {
    [
      Route(
        "GET", "/api/v1/config", "The YAML as loaded, its hash and any errors of the last reload",
        answers: RouteAnswer.ok(.named("Configuration"), "The configuration in force") + [
          RouteAnswer(304, "It is the one that If-None-Match names", .nothing)
        ]
      ) { [parts] request in
        let status = await parts.configuration.configurationStatus()
        let etag = "\"\(status.hash)\""
        if request.request.headers["if-none-match"] == etag {
          return WebResponse(status: 304, headers: [("ETag", etag)])
        }
        return try .json(Document(status: status), headers: [("ETag", etag)])
      },
      Route(
        "PATCH", "/api/v1/tasks/{task}", "Changes values of a task in the YAML", [Self.ifMatch, Self.dryRun],
        body: Self.editBody, answers: RouteAnswer.ok(.named("Edited"), "What changed in the file"),
        problems: [409, 412, 422, 428]
      ) { try await edit($0) },
    ]
  }

  private func edit(_ request: RoutedRequest) async throws -> WebResponse {
    let task = try await parts.task(request.value("task"))
    guard let condition = request.request.headers["if-match"] else {
      throw Problem(
        428, "no_if_match",
        "send the ETag of the file that the change is meant for as If-Match; GET /api/v1/config has it")
    }
    let edits = try Self.edits(of: task.name, request.document)
    let isDry = try request.flag(Self.dryRun)
    let tag =
      condition.hasPrefix("\"") && condition.hasSuffix("\"") ? String(condition.dropFirst().dropLast()) : condition
    let result: ConfigurationEditResult
    do {
      let hash = condition == "*" ? nil : tag
      result =
        try await isDry
        ? parts.editing.plan(edits, expecting: hash, scope: .tunable)
        : parts.editing.edit(edits, expecting: hash, scope: .tunable)
    } catch {
      throw Self.problem(error)
    }
    let edited = Edited(
      task: task.name, etag: result.hash, changes: result.changes, diff: result.diff, warnings: result.warnings)
    return try .json(edited, headers: [("ETag", "\"\(result.hash)\"")])
  }

  /// `{"enabled": false, "settings": {"odds_keep": "7d"}}` as one edit for each value.
  private static func edits(of task: String, _ document: JSONValue?) throws(Problem) -> [ConfigurationEdit] {
    guard case .object(let members)? = document, !members.isEmpty else {
      throw Problem(400, "bad_body", "expected an object with enabled, interval, settings or timeout")
    }
    var edits: [ConfigurationEdit] = []
    for (key, value) in try values(members, below: "") {
      edits.append(ConfigurationEdit(task: task, key: key, value: value))
    }
    return edits
  }

  /// The single values of an object with their dotted keys, as YAML would have them.
  private static func values(
    _ members: [String: JSONValue], below prefix: String
  ) throws(Problem) -> [(key: String, value: String)] {
    var values: [(key: String, value: String)] = []
    for (key, value) in members.sorted(by: { $0.key < $1.key }) {
      let path = prefix + key
      switch value {
      case .object(let inner): values += try self.values(inner, below: path + ".")
      case .array: throw Problem(400, "bad_body", "\(path): expected one value, found a list")
      case .string(let text): values.append((path, yaml(text)))
      case .null: values.append((path, "null"))
      default: values.append((path, value.text))
      }
    }
    return values
  }

  /// A text as a YAML scalar: plain where that is safe, else in double quotes. No tunable value has a line break.
  private static func yaml(_ text: String) -> String {
    let isPlain =
      !text.isEmpty
      && text.utf8.allSatisfy { byte in
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 95 || byte == 46
      }
    if isPlain { return text }
    let escaped = text.unicodeScalars.map { scalar in
      scalar == "\"" || scalar == "\\" ? "\\\(scalar)" : "\(scalar)"
    }
    return "\"\(escaped.joined())\""
  }

  private static func problem(_ refusal: EditRefusal) -> Problem {
    switch refusal {
    case .changedMeanwhile: Problem(412, "changed_meanwhile", refusal.message)
    case .overridden(_, _, let variables):
      Problem(
        409, "overridden", refusal.message, more: ["variables": .array(variables.map { .string($0) })])
    case .unknownTask: Problem(404, "unknown_task", refusal.message)
    case .invalidFile(_, let problems, _): Problem(409, "invalid_file", refusal.message, more: errors(problems))
    case .invalid(let problems, _): Problem(422, "invalid", refusal.message, more: errors(problems))
    case .notTunable: Problem(403, "not_tunable", refusal.message)
    case .unsupported: Problem(409, "unsupported", refusal.message)
    case .unwritable(let error): Problem(error)
    }
  }
  private static func errors(_ problems: [Diagnostic]) -> [String: JSONValue] {
    ["errors": .array(problems.map { JSONValue(ConfigurationProblem($0)) })]
  }
}
