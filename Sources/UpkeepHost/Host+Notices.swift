import Logging
import UpkeepConfiguration
import UpkeepFetch
public import UpkeepNotices

extension Host {
  /// Whom the configuration tells of runs.
  public var noticePolicy: NoticePolicy {
    let heartbeats = configuration.tasks.compactMap { task in task.heartbeatURL.map { (task.name, $0) } }
    return NoticePolicy(
      command: configuration.onFailure?.command ?? [], webhook: configuration.onFailure?.webhook,
      after: configuration.onFailure?.after ?? 1, heartbeats: Dictionary(heartbeats) { first, _ in first },
      folder: configuration.folder)
  }

  /// What tells others of runs.
  static func notices(logger: Logger) -> RunNotices {
    RunNotices(
      fetcher: HTTPFetcher(clock: systemClock), wallClock: systemWallClock, clock: systemClock, logger: logger)
  }
}
