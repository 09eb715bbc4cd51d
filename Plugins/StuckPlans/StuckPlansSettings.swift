public import UpkeepCore

/// The settings of ``StuckPlansTask``; the defaults are the media application's.
public struct StuckPlansSettings: TaskSettings {
  /// The application's database.
  public var database = DatabaseName("")
  /// The statuses of a job that still works on its plan.
  public var activeStatuses = ["running", "pending"]
  /// The status of plans that wait for their job.
  public var from = "PENDING"
  /// The status that a stuck plan gets.
  public var to = "DRAFT"
  /// The table of plans.
  public var table = "analysis_plan"
  /// The column with a plan's status.
  public var statusColumn = "status"
  /// The column with the id of a plan's job.
  public var jobColumn = "job_id"
  /// The column with the time of a plan's last change.
  public var updatedColumn = "updated_at"
  /// The table of jobs.
  public var jobTable = "job"
  /// The column with a job's id.
  public var jobIDColumn = "id"
  /// The column with a job's status.
  public var jobStatusColumn = "status"

  /// Creates the defaults.
  public init() {}

  /// The declared settings.
  public static let fields: [SettingField<Self>] = [
    SettingField("database", \.database, required: true, "The name of the application's database"),
    SettingField("active_statuses", \.activeStatuses, "The statuses of a job that still works on its plan"),
    SettingField("from", \.from, "The status of plans that wait for their job"),
    SettingField("to", \.to, "The status that a stuck plan gets"),
    SettingField("table", \.table, "The table of plans"),
    SettingField("status_column", \.statusColumn, "The column with a plan's status"),
    SettingField("job_column", \.jobColumn, "The column with the id of a plan's job"),
    SettingField("updated_column", \.updatedColumn, "The column with the time of a plan's last change"),
    SettingField("job_table", \.jobTable, "The table of jobs"),
    SettingField("job_id_column", \.jobIDColumn, "The column with a job's id"),
    SettingField("job_status_column", \.jobStatusColumn, "The column with a job's status"),
  ]

  /// A plan that is reset to the status it has would be found again and again.
  public func problems() -> [(key: String, message: String)] {
    from == to ? [("to", "expected another status than from, found \(to) in both")] : []
  }
}
