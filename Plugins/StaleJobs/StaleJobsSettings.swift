public import UpkeepCore

/// How it is known that a job over its limit still works.
public enum Liveness: String, SettingEnumeration {
  /// It isn't asked: a job over its limit is dead.
  case none
  /// A job that works changes its row: the time is measured from its last change.
  case heartbeat
  /// The application says which jobs are active.
  case http
}

/// The settings of ``StaleJobsTask``; the defaults are the media application's.
public struct StaleJobsSettings: TaskSettings {
  /// The application's database.
  public var database = DatabaseName("")
  /// How long a job of each type may take.
  public var limits = JobLimits()
  /// How long a job of any other type may take.
  public var defaultLimit = Duration.seconds(30 * 60)
  /// How it is known that a job still works.
  public var liveness = Liveness.none
  /// The address of the application's list of active jobs.
  public var livenessURL: String?
  /// How long the list may take.
  public var livenessTimeout = Duration.seconds(10)
  /// The table of jobs.
  public var table = "job"
  /// The column with a job's id.
  public var idColumn = "id"
  /// The column with a job's type.
  public var typeColumn = "type"
  /// The column with a job's status.
  public var statusColumn = "status"
  /// The column with a job's progress, 100 where it did all it had to.
  public var progressColumn = "progress"
  /// The column with what went wrong.
  public var errorColumn = "error"
  /// The column with the time at which a job started.
  public var startedColumn = "started_at"
  /// The column with the time at which a job was made.
  public var createdColumn = "created_at"
  /// The column with the time at which a job ended.
  public var completedColumn = "completed_at"
  /// The column with the time of a job's last change.
  public var updatedColumn = "updated_at"
  /// The statuses of jobs that are examined.
  public var activeStatuses = ["running", "pending"]
  /// The status of a job that ran out of time.
  public var failedStatus = "failed"
  /// The status of a job that had done all it had to.
  public var completedStatus = "completed"

  /// Creates the defaults.
  public init() {}

  /// The declared settings.
  public static let fields: [SettingField<Self>] = [
    SettingField("database", \.database, required: true, "The name of the application's database"),
    SettingField(
      "limits", \.limits, "How long a job of a type may take; types that aren't named here keep their default"),
    SettingField(
      "default_limit", \.defaultLimit, atLeast: .seconds(1), "How long a job of any other type may take"),
    SettingField("liveness", \.liveness, "How it is known that a job over its limit still works"),
    SettingField(
      "liveness_url", \.livenessURL,
      "With liveness http: the list of active jobs; an address without a path gets /api/jobs/active"),
    SettingField("liveness_timeout", \.livenessTimeout, atLeast: .milliseconds(1), "How long that list may take"),
    SettingField("table", \.table, "The table of jobs"),
    SettingField("id_column", \.idColumn, "The column with a job's id"),
    SettingField("type_column", \.typeColumn, "The column with a job's type"),
    SettingField("status_column", \.statusColumn, "The column with a job's status"),
    SettingField("progress_column", \.progressColumn, "The column with a job's progress; 100 is all"),
    SettingField("error_column", \.errorColumn, "The column with what went wrong"),
    SettingField("started_column", \.startedColumn, "The column with the time at which a job started"),
    SettingField("created_column", \.createdColumn, "The column with the time at which a job was made"),
    SettingField("completed_column", \.completedColumn, "The column with the time at which a job ended"),
    SettingField("updated_column", \.updatedColumn, "The column with the time of a job's last change"),
    SettingField("active_statuses", \.activeStatuses, "The statuses of jobs that are examined"),
    SettingField("failed_status", \.failedStatus, "The status of a job that ran out of time"),
    SettingField("completed_status", \.completedStatus, "The status of a job that had done all it had to"),
  ]

  /// What must go together.
  public func problems() -> [(key: String, message: String)] {
    var problems: [(key: String, message: String)] = []
    if activeStatuses.isEmpty { problems.append(("active_statuses", "expected at least one status, found none")) }
    for (key, status) in [("failed_status", failedStatus), ("completed_status", completedStatus)]
    where activeStatuses.contains(status) {
      problems.append((key, "\(status) is an active status, so that the job would be found again"))
    }
    switch (liveness, livenessURL) {
    case (.http, nil):
      problems.append(("liveness", "http needs liveness_url, such as http://127.0.0.1:8000/api/jobs/active"))
    case (.http, let url?) where ActiveJobs.address(url) == nil:
      problems.append(("liveness_url", "expected an address such as http://127.0.0.1:8000/api/jobs/active"))
    default: break
    }
    return problems
  }
}
