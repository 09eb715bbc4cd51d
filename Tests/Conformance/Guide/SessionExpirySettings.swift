public import UpkeepCore

/// The settings of ``SessionExpiryTask``.
public struct SessionExpirySettings: TaskSettings {
  /// The application's database.
  public var database = DatabaseName("")
  /// How long a session is kept after its last use.
  public var keep = Duration.seconds(30 * 86_400)
  /// The folder with the sessions' files.
  public var folder: SettingPath?

  /// Creates the defaults.
  public init() {}

  /// The declared settings.
  public static let fields: [SettingField<Self>] = [
    SettingField("database", \.database, required: true, "The name of the application's database"),
    SettingField("keep", \.keep, atLeast: .seconds(60), "How long a session is kept after its last use"),
    SettingField("folder", \.folder, "The folder with the sessions' files, each named sess_ and an id"),
  ]
}
