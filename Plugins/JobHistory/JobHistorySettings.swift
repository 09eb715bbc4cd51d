public import UpkeepCore

/// The settings of ``JobHistoryTask``; the defaults are the media application's.
public struct JobHistorySettings: TaskSettings {
  /// The application's database.
  public var database = DatabaseName("")
  /// How long a job is kept after it ended.
  public var keep = Duration.seconds(30 * 86_400)
  /// The statuses of jobs that are over.
  public var statuses = ["completed", "failed", "cancelled"]
  /// The table of jobs.
  public var table = "job"
  /// The column with the time at which a job ended.
  public var timeColumn = "completed_at"
  /// The column with a job's status.
  public var statusColumn = "status"

  /// Creates the defaults.
  public init() {}

  /// The declared settings.
  public static let fields: [SettingField<Self>] = [
    SettingField("database", \.database, required: true, "The name of the application's database"),
    SettingField(
      "keep", \.keep, atLeast: .seconds(1), "How long a job is kept after it ended; one that never ended is kept"),
    SettingField("statuses", \.statuses, "The statuses of jobs that may go"),
    SettingField("table", \.table, "The table of jobs"),
    SettingField("time_column", \.timeColumn, "The column with the time at which a job ended"),
    SettingField("status_column", \.statusColumn, "The column with a job's status"),
  ]

  /// An empty list would mean that nothing ever goes.
  public func problems() -> [(key: String, message: String)] {
    statuses.isEmpty ? [("statuses", "expected at least one status, found none")] : []
  }
}
