public import UpkeepCore

/// How one platform is asked; what is left out is as the platform needs it.
public struct PlatformSettings: TaskSettings, SettingGroup {
  /// Whether it is scraped.
  public var isEnabled = true
  /// Scheme and host, with a path prefix where one is wanted.
  public var baseURL: String?
  /// How many events are asked for at a time.
  public var concurrency: Int?
  /// How many tournaments are asked for at a time.
  public var discoveryConcurrency: Int?
  /// The least time between two requests.
  public var delay: Duration?
  /// Headers, laid over the platform's own.
  public var headers: [String: String] = [:]

  /// Creates the defaults.
  public init() {}

  /// The declared settings.
  public static let fields: [SettingField<Self>] = [
    SettingField("enabled", \.isEnabled, "Whether it is scraped"),
    SettingField("base_url", \.baseURL, "Scheme and host, with a path prefix where one is wanted"),
    SettingField("concurrency", \.concurrency, atLeast: 1, "How many events are asked for at a time"),
    SettingField(
      "discovery_concurrency", \.discoveryConcurrency, atLeast: 1, "How many tournaments are asked for at a time"),
    SettingField("delay", \.delay, atLeast: .zero, "The least time between the starts of two requests"),
    SettingField("headers", \.headers, "Headers, laid over the platform's own"),
  ]

  /// The settings with everything filled in that the platform has a default for.
  func resolved(_ defaults: PlatformDefaults) -> PlatformSettings {
    var settings = self
    settings.baseURL = baseURL ?? defaults.baseURL
    settings.concurrency = concurrency ?? defaults.concurrency
    settings.discoveryConcurrency = discoveryConcurrency ?? defaults.discoveryConcurrency
    settings.delay = delay ?? defaults.delay
    let given = Set(headers.keys.map { $0.lowercased() })
    settings.headers = headers.merging(defaults.headers.filter { !given.contains($0.key.lowercased()) }) { own, _ in own
    }
    return settings
  }
}

/// How each platform is asked: a map with the platforms' names as keys.
public struct PlatformTable: SettingValue {
  /// The settings of all platforms, everything filled in.
  public private(set) var byName: [String: PlatformSettings]

  /// Every platform as it needs to be asked.
  public init() {
    byName = Dictionary(Platforms.all.map { ($0.name, PlatformSettings().resolved($0.defaults)) }) { first, _ in first }
  }

  /// The settings of a platform.
  public subscript(name: String) -> PlatformSettings {
    get { byName[name] ?? PlatformSettings() }
    set { byName[name] = Platforms.named(name).map { newValue.resolved($0.defaults) } }
  }

  private struct Entry: Sendable {
    var settings = PlatformSettings()
  }

  /// A group of a group for each platform.
  public static var kind: SettingKind {
    .group(
      Platforms.all.map { platform in
        let standard = PlatformSettings().resolved(platform.defaults).values
        let keys = PlatformSettings.descriptions.map { description in
          var description = description
          description.standard = standard[description.key] ?? .null
          return description
        }
        var description = SettingField<Entry>(platform.name, \.settings, "How \(platform.title) is asked").description
        description.kind = .group(keys)
        description.standard = .object(standard)
        return description
      })
  }

  /// Reads the map. A platform that isn't named keeps its defaults.
  public static func read(_ node: ConfigurationNode, in scope: SettingScope) throws(SettingProblem) -> PlatformTable {
    guard case .map(let entries) = node.content else {
      throw SettingProblem(code: "bad_type", "expected a map of platforms, found \(node.found)")
    }
    var table = PlatformTable()
    var problems: [Diagnostic] = []
    for entry in entries where !entry.value.isNull {
      guard Platforms.named(entry.key) != nil else {
        problems.append(
          .unknown(
            "platform", entry.key, code: "unknown_platform", known: Platforms.all.map { $0.name }, at: entry.keyOrigin))
        continue
      }
      // Whatever else is wrong with the platform.
      if let address = entry.value["base_url"], case .string(let text) = address.content,
        let problem = PlatformAddress.problem(text)
      {
        problems.append(Diagnostic(code: "bad_url", "\(entry.key).base_url: \(problem)", at: address.origin))
      }
      do throws(SettingProblem) {
        table[entry.key] = try PlatformSettings.read(entry.value, in: scope)
      } catch {
        problems.append(
          Diagnostic(
            code: error.code, "\(entry.key).\(error.message)", at: error.origin ?? entry.value.origin,
            suggestion: error.suggestion))
        problems += error.others
      }
    }
    if let problem = SettingProblem(problems) { throw problem }
    return table
  }

  /// The settings of all platforms.
  public var json: JSONValue { .object(byName.mapValues(\.json)) }
}
