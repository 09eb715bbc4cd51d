import Testing
import UpkeepConfiguration
import UpkeepCore

/// Settings of a made-up retention plugin.
struct PruneSettings: TaskSettings {
  enum Empty: String, SettingEnumeration {
    case purge, keep
  }

  var database = DatabaseName("")
  var keep = Duration.seconds(14 * 86_400)
  var limits: [String: Duration] = ["sync": .seconds(60)]
  var statuses = ["completed", "failed"]
  var empty = Empty.purge
  var token = ""
  var batch = 100

  static let fields: [SettingField<Self>] = [
    SettingField("database", \.database, required: true, "The database"),
    SettingField("odds_keep", \.keep, atLeast: .seconds(1), "How long rows are kept"),
    SettingField("limits", \.limits, "Limits by type"),
    SettingField("statuses", \.statuses, "Which jobs"),
    SettingField("empty_tournaments", \.empty, "What happens to them"),
    SettingField("token", \.token, secret: true, "A password"),
    SettingField("batch", \.batch, in: 1...1000, "Rows at once"),
  ]
}

struct PruneTask: DeletingTask {
  func run(_ settings: PruneSettings, in context: TaskContext) async throws {}
  func preview(_ settings: PruneSettings, in context: TaskContext) async throws {}
}

struct IdleSettings: TaskSettings {
  var duration = Duration.zero

  static let fields: [SettingField<Self>] = [SettingField("duration", \.duration, "How long it does nothing")]
}

struct IdleTask: MaintenanceTask {
  func run(_ settings: IdleSettings, in context: TaskContext) async throws {}
}

private let documentation = PluginDocumentation(summary: "Made up", sample: "")

let plugins = [
  Plugin("odds_retention", PruneTask.self, documentation), Plugin("noop", IdleTask.self, documentation),
  Plugin("scraping", IdleTask.self, documentation),
]

func load(
  _ yaml: String, environment: [String: String] = [:], set overrides: [TaskOverride] = []
) -> LoadedConfiguration {
  ConfigurationLoader(plugins: plugins, environment: environment, overrides: overrides)
    .load(Array(yaml.utf8), path: "u.yaml", folder: "/srv/app")
}

/// The problems as `LINE:COLUMN [code] message`.
func problems(_ loaded: LoadedConfiguration) -> [String] {
  loaded.diagnostics.map { problem in
    var place = problem.origin?.text ?? "nowhere"
    if place.hasPrefix("u.yaml:") { place.removeFirst("u.yaml:".count) }
    return "\(place) [\(problem.code)] \(problem.message)"
  }
}

/// The configuration of a text without errors.
func configuration(
  _ yaml: String, environment: [String: String] = [:], set overrides: [TaskOverride] = []
) throws -> HostConfiguration {
  let loaded = load(yaml, environment: environment, set: overrides)
  return try #require(loaded.configuration, "\(problems(loaded))")
}
