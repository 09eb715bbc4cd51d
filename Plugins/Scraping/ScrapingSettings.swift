public import UpkeepCore

/// The settings of ``ScrapingTask``.
public struct ScrapingSettings: TaskSettings {
  /// The odds application's database.
  public var database = DatabaseName("")
  /// How each platform is asked.
  public var platforms = PlatformTable()
  /// How long one request may take.
  public var requestTimeout = Duration.seconds(30)
  /// How often a request is tried.
  public var attempts = 3
  /// The longest time that a platform may ask to wait for.
  public var maxRetryAfter = Duration.seconds(60)
  /// How many events of a platform are scraped at most.
  public var maxEvents: Int?
  /// The longest answer, in bytes.
  public var maxResponse = 16 << 20
  /// What the platforms are told that asks.
  public var userAgent: String?
  /// A file with further markets.
  public var marketMap: SettingPath?

  /// Creates the defaults.
  public init() {}

  /// The declared settings.
  public static let fields: [SettingField<Self>] = [
    SettingField("database", \.database, required: true, "The name of the odds application's database"),
    SettingField("platforms", \.platforms, "How each platform is asked"),
    SettingField("request_timeout", \.requestTimeout, atLeast: .milliseconds(1), "How long one request may take"),
    SettingField(
      "attempts", \.attempts, in: 1...20,
      "How often a request is tried where the network fails or the answer is 429 or 5xx"),
    SettingField(
      "max_retry_after", \.maxRetryAfter, atLeast: .zero,
      "The longest Retry-After that is waited for; beyond it the platform is left alone for that long"),
    SettingField(
      "max_events", \.maxEvents, atLeast: 1,
      "How many events of a platform are scraped at most, the nearest kickoff first"),
    SettingField("max_response", \.maxResponse, atLeast: 1024, "The longest answer that is read, in bytes"),
    SettingField("user_agent", \.userAgent, "What the platforms are told that asks; upkeep and its version unless set"),
    SettingField(
      "market_map", \.marketMap, "A JSON file with markets, laid over those that are known"),
  ]

  /// Something must be left to do.
  public func problems() -> [(key: String, message: String)] {
    let isNone = Platforms.all.allSatisfy { !platforms[$0.name].isEnabled }
    return isNone ? [("platforms", "every platform is disabled; enable one, or disable the task")] : []
  }
}
