public import UpkeepCore

/// What the media application's own clean-up job says of itself, made of the results of a group that does its work.
///
/// Its key `status` is the group's, whose words are the same.
public struct CleanupSummary: Encodable, Hashable, Sendable {
  /// A member of the group that went wrong.
  public struct Failure: Encodable, Hashable, Sendable {
    /// The member.
    public var step: String
    /// What happened.
    public var message: String
  }

  /// The plugins that do the work of the application's clean-up.
  static let plugins: Set<String> = ["stale_jobs", "job_history", "download_log", "stuck_plans"]

  /// How many jobs were marked.
  public var cleanedJobs = 0
  /// The jobs: `job_id`, `job_type`, `status`, `timeout_minutes` and `elapsed_minutes` of each.
  public var cleanedJobDetails: [JSONValue] = []
  /// How many jobs were deleted.
  public var oldJobsDeleted = 0
  /// How many entries of the download log were deleted.
  public var oldDownloadsDeleted = 0
  /// How many plans were reset.
  public var stuckPlansUpdated = 0
  /// What went wrong.
  public var errors: [Failure] = []

  /// Sums up the members' results; nothing where none of them is of the clean-up's plugins.
  init?(_ results: [RunResult]) {
    guard results.contains(where: { Self.plugins.contains($0.plugin) }) else { return nil }
    for result in results {
      func count(_ name: String) -> Int { result.counts[name] ?? 0 }
      switch result.plugin {
      case "stale_jobs":
        cleanedJobs += count("jobs_failed") + count("jobs_completed")
        cleanedJobDetails += result.details.compactMap(Self.job)
      case "job_history": oldJobsDeleted += count("jobs_deleted")
      case "download_log": oldDownloadsDeleted += count("downloads_deleted")
      case "stuck_plans": stuckPlansUpdated += count("plans_reset")
      default: break
      }
      errors += result.errors.map { Failure(step: result.task, message: $0.message) }
      if result.errors.isEmpty, result.status != .completed, let reason = result.reason {
        errors.append(Failure(step: result.task, message: "\(result.status.rawValue): \(reason)"))
      }
    }
  }

  private static func job(_ detail: JSONValue) -> JSONValue? {
    guard case .object(var values) = detail, values.removeValue(forKey: "kind") == .string("stale_job") else {
      return nil
    }
    return .object(values)
  }

  enum CodingKeys: String, CodingKey {
    case errors
    case cleanedJobs = "cleaned_jobs"
    case cleanedJobDetails = "cleaned_job_details"
    case oldJobsDeleted = "old_jobs_deleted"
    case oldDownloadsDeleted = "old_downloads_deleted"
    case stuckPlansUpdated = "stuck_plans_updated"
  }
}

extension GroupResult {
  /// The keys of the media application's clean-up, where a member is of its plugins.
  public var cleanup: CleanupSummary? {
    CleanupSummary(results)
  }
}
