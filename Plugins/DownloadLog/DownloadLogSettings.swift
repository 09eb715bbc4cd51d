public import UpkeepCore

/// The settings of ``DownloadLogTask``; the defaults are the media application's.
public struct DownloadLogSettings: TaskSettings {
  /// The application's database.
  public var database = DatabaseName("")
  /// How long an entry is kept.
  public var keep = Duration.seconds(14 * 86_400)
  /// The table of the log.
  public var table = "handled_downloads"
  /// The column with the time of an entry.
  public var timeColumn = "timestamp"

  /// Creates the defaults.
  public init() {}

  /// The declared settings.
  public static let fields: [SettingField<Self>] = [
    SettingField("database", \.database, required: true, "The name of the application's database"),
    SettingField("keep", \.keep, atLeast: .seconds(1), "How long an entry is kept"),
    SettingField("table", \.table, "The table of the log"),
    SettingField("time_column", \.timeColumn, "The column with the time of an entry"),
  ]
}
