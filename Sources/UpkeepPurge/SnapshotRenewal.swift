import UpkeepCore
import UpkeepDatabase

/// Takes a fresh snapshot of an SQLite database again and again while a long count goes on.
///
/// As long as a snapshot is read the log can't be begun anew: it would grow by all that the application writes meanwhile,
/// and who writes next after that would have to bring it into the file.
struct SnapshotRenewal {
  /// How long one snapshot is read: an application that writes all the time fills less of a log meanwhile than its own
  /// checkpoints do.
  static let longest = Duration.milliseconds(250)

  private let clock: any Clock<Duration>
  private var age: @Sendable () -> Duration
  /// How often it was renewed: what was counted before that is of another snapshot.
  private(set) var count = 0

  /// Begins with a transaction.
  init(clock: any Clock<Duration>) {
    self.clock = clock
    age = clock.stopwatch()
  }

  /// Between two statements: ends the transaction and begins another, where it has lasted for long enough.
  mutating func renewIfOld(on connection: any DatabaseConnection) throws {
    guard age() >= Self.longest else { return }
    try connection.renewSnapshot()
    count += 1
    age = clock.stopwatch()
  }
}
