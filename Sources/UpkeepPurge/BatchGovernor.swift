import UpkeepCore
import UpkeepDatabase

/// Decides how large the next batch is, how long to pause after it, and when the log is begun anew.
///
/// A batch holds the write lock. SQLite's busy handler has no queue: a writer that finds the lock taken looks again
/// after 1, 2, 5, 10 and 15 ms (`delays` in `sqliteDefaultBusyCallback`), which is 1, 3, 8, 18 and 33 ms after it came.
/// A purger that locks again at once starves it. So a hold ends shortly before the third look, at which the writers that
/// came at its beginning find the lock free; the pause after it lasts until the writers that wait have looked: it ends
/// as soon as others have committed and no more commits follow, and at the latest when every writer that came during
/// the hold has looked once. Where nobody else writes, batches are longer and nothing pauses.
struct BatchGovernor: Sendable {
  /// The longest hold while others write: just short of a look. A batch is cut where it would take longer.
  static let hold = Duration.microseconds(7000)
  /// When a writer that found the lock taken looks again, after it came.
  static let looks: [Duration] = [
    .milliseconds(1), .milliseconds(3), .milliseconds(8), .milliseconds(18), .milliseconds(33),
  ]
  /// Between two looks at whether others have committed.
  static let glance = Duration.microseconds(100)
  /// For so long no commit must come for the writers that waited to have had their turn.
  static let lull = Duration.microseconds(400)
  /// The longest hold while nobody else writes: a writer that comes then waits once.
  static let quietHold = Duration.milliseconds(40)
  /// For so long after somebody's last commit others count as writing.
  static let quiet = Duration.milliseconds(250)
  /// Rows of the driving table in a batch.
  static let sizes = 8...20_000
  /// Rows of the driving table in the first batch of a walk.
  static let first = 50
  /// Parts of a batch, between which it may be cut.
  static let parts = 16
  /// Rows of the driving table in a part: a batch may run over by as much where rows begin to take longer.
  static let largestPart = 256
  /// Frames of the log that a checkpoint in the background is due for while others write, at the least.
  static let backlog = 256
  /// Frames after which the log is begun anew: 12 MB with pages of 4 KiB; more where batches are large, since each time
  /// costs a batch, and since pages that are changed again and again are brought into the file once.
  static let frames = 3000...7000
  /// The same while nobody else writes: 40 MB.
  static let quietFrames = 10_000

  /// Rows of the driving table in the next batch.
  private(set) var size = first
  private var sinceOthersWrote = Duration.zero
  private var lastVersion: Int64?
  private var keptFrames = 0
  /// What a commit takes for each row of the driving table, in seconds.
  private var commitCost = 0.0

  /// Takes note of the database's `data_version`, which changes when another connection commits.
  ///
  /// - Parameters:
  ///   - version: The version now.
  ///   - elapsed: The time since the last note.
  mutating func note(version: Int64, after elapsed: Duration) {
    if let lastVersion, lastVersion == version {
      sinceOthersWrote += elapsed
    } else {
      sinceOthersWrote = .zero
    }
    lastVersion = version
  }

  /// Begins with small batches again: what a row costs in one walk says nothing about the next.
  mutating func beginWalk() {
    size = Self.first
    commitCost = 0
  }

  /// Whether another connection has written lately.
  var othersWrite: Bool {
    sinceOthersWrote < Self.quiet
  }

  /// How long the next batch may hold the lock.
  var target: Duration {
    othersWrite ? Self.hold : Self.quietHold
  }

  /// Rows of the driving table in a part of the next batch.
  var partSize: Int {
    min(Self.largestPart, max(4, size / Self.parts))
  }

  /// Whether a batch must end here for its commit to come in time.
  ///
  /// - Parameters:
  ///   - spent: What its statements took so far.
  ///   - rows: The rows of the driving table that it has deleted.
  ///   - next: What its next part will take.
  func isFull(after spent: Duration, rows: Int, next: Duration) -> Bool {
    spent + next + .seconds(commitCost * Double(rows)) > target
  }

  /// The longest pause after a hold while others write: until a writer that came at any moment of the hold has looked.
  ///
  /// One that came at the hold's beginning looks last; one that came later looked before, at an earlier look of its own.
  static func pause(after hold: Duration) -> Duration {
    let (before, after) = (looks.last { $0 < hold } ?? .zero, looks.first { $0 >= hold } ?? hold + .milliseconds(20))
    return after - before + .microseconds(500)
  }

  /// Takes note of a committed batch, and sizes the next one.
  ///
  /// - Parameters:
  ///   - hold: How long it held the lock.
  ///   - commit: How much of that its commit took.
  ///   - rows: The rows of the driving table that it deleted.
  ///   - isCut: Whether it ended before all its parts were done.
  /// - Returns: How long to pause now, at the most.
  mutating func note(hold: Duration, commit: Duration, rows: Int, isCut: Bool) -> Duration {
    if rows > 0 {
      let cost = commit.inSeconds / Double(rows)
      commitCost = commitCost == 0 ? cost : 0.7 * commitCost + 0.3 * cost
    }
    let factor = min(2, max(0.25, target.inSeconds / max(hold.inSeconds, 0.000_001)))
    var wanted = size
    if isCut {
      // A little more than fits, so that time decides.
      wanted = rows + max(1, rows / 4)
    } else if rows >= size || factor < 1 {
      // A batch that wasn't full says nothing about how long a full one takes.
      wanted = Int(Double(size) * factor)
    }
    size = min(Self.sizes.upperBound, max(Self.sizes.lowerBound, wanted))
    return othersWrite ? Self.pause(after: hold) : .zero
  }

  /// Whether it is time to begin the log anew.
  ///
  /// - Parameter batch: Frames that the last batch added.
  func wantsNewLog(_ log: LogState, batch: Int) -> Bool {
    let busy = min(Self.frames.upperBound, max(Self.frames.lowerBound, 8 * batch))
    let limit = othersWrite ? busy : Self.quietFrames
    return log.frames >= limit + (keptFrames <= log.frames ? keptFrames : 0)
  }

  /// Whether a checkpoint in the background is due: not so often that pages which batch after batch changes are brought
  /// into the file again and again.
  ///
  /// - Parameter batch: Frames that the last batch added.
  func wantsCheckpoint(_ log: LogState, batch: Int) -> Bool {
    log.backlog >= (othersWrite ? max(Self.backlog, 2 * batch) : Self.quietFrames / 2)
  }

  /// Takes note of the log after such a try: nothing where it is begun anew, its state where a reader keeps it, so that
  /// the next try comes when it has grown by as much again.
  mutating func note(log: LogState?) {
    keptFrames = log?.frames ?? 0
  }
}

/// What a purge leaves free for others.
struct PurgeBounds: Sendable {
  /// The size of the log, in bytes, above which the purge waits for what keeps the log from being begun anew.
  var log = 48 << 20
  /// Free bytes of the disk below which the purge waits: twice what the log may take.
  var disk = 96 << 20
}
