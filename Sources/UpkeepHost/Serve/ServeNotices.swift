import Synchronization
import UpkeepCore
import UpkeepNotices
import UpkeepRuns

/// Tells others of the runs of `serve`, as the configuration in force says.
final class ServeNotices: Sendable {
  /// How long the end of `serve` waits for what is still being told.
  private static let limit = Duration.seconds(15)

  private let notices: RunNotices
  private let store: any StateStore
  private let policy: Mutex<NoticePolicy>

  init(_ notices: RunNotices, _ policy: NoticePolicy, _ store: any StateStore) {
    self.notices = notices
    self.store = store
    self.policy = Mutex(policy)
  }

  /// Takes note of an event, and returns at once.
  func note(_ event: RunEvent) {
    notices.note(event, policy: policy.withLock { $0 }, store: store)
  }

  /// Goes by another policy from now on.
  func follow(_ policy: NoticePolicy) {
    self.policy.withLock { $0 = policy }
  }

  /// Waits until all is told, or the time is up. What went wrong was logged.
  func settle() async {
    _ = await notices.settle(within: Self.limit)
  }
}
