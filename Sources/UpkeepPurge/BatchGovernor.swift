import UpkeepCore
import UpkeepDatabase

/// Decides how large the next batch is, how long to pause after it, and when the log is begun anew.
///
/// A batch holds the write lock. SQLite's busy handler has no queue: a writer that finds the lock taken looks again
/// after 1, 2, 5, 10, 15, 20, 25 and 25 ms (`delays` in `sqliteDefaultBusyCallback`), which is 1, 3, 8, 18, 33, 53, 78
/// and 103 ms after it came.
/// A purger that locks again at once starves it. So a hold ends shortly before the third look, at which the writers that
/// came at its beginning find the lock free; the pause after it lasts until the writers that wait have looked: it ends
/// as soon as others have committed and no more commits follow, and at the latest when every writer that came during
/// the hold has looked once. Where nobody else writes, batches are longer and nothing pauses.
struct BatchGovernor: Sendable {
  /// The longest hold while others write: just short of a look. A batch is cut where it would take longer.
  static let hold = Duration.microseconds(7400)
  /// When a writer that found the lock taken looks again, after it came.
  static let looks: [Duration] = [
    .milliseconds(1), .milliseconds(3), .milliseconds(8), .milliseconds(18), .milliseconds(33), .milliseconds(53),
    .milliseconds(78), .milliseconds(103),
  ]
  /// Between two looks at whether others have committed.
  static let glance = Duration.microseconds(100)
  /// For so long no commit must come for the writers that waited to have had their turn: at least twice what lies
  /// between two commits of theirs.
  static let lulls = Duration.microseconds(300)...Duration.milliseconds(1)
  /// The longest hold while nobody else writes, again just short of a look. The longer nobody has written, the longer:
  /// a sixteenth of that time. A cancellation is answered within a tenth of a second even so.
  static let quietHolds = Duration.microseconds(32_500)...Duration.microseconds(77_000)
  /// After so much holding without a pause, one is made for writers that came meanwhile: nothing tells of them before
  /// they have had their turn. Longer, too, the longer nobody has written: an eighth of that time, so that who writes
  /// every second waits for a fifth of one at the most.
  static let quietStretches = Duration.milliseconds(100)...Duration.milliseconds(400)
  /// How much longer a pause lasts where somebody who commits all the time hasn't: a writer that missed its first looks
  /// looks every 15 to 25 ms only.
  static let patience = Duration.milliseconds(25)
  /// How much longer a pause lasts while somebody is just writing: as long as a hold and its pause.
  static let courtesy = Duration.milliseconds(12)
  /// For so long after somebody's last commit others count as writing.
  static let quiet = Duration.milliseconds(250)
  /// Rows of the driving table in a batch.
  static let sizes = 8...20_000
  /// Rows of the driving table in the first batch of a walk.
  static let first = 50
  /// Parts of a batch, between which it may be cut.
  static let parts = 16
  /// Rows of the driving table in a part: a batch may run over by as much where rows begin to take longer, and what a
  /// part changes is to fit into SQLite's journal of a statement in memory.
  static let largestPart = 64
  /// Frames of the log that a checkpoint in the background is due for while others write, at the least.
  static let backlog = 256
  /// Frames after which the log is begun anew: 31 MB with pages of 4 KiB; more where batches are large, since each time
  /// costs a batch, and since pages that are changed again and again are brought into the file once.
  static let frames = 8000...10_000
  /// Frames that come before the next try where somebody was in the way.
  static let retry = 4000
  /// The same as ``frames`` while nobody else writes: 40 MB.
  static let quietFrames = 10_000

  /// How fast a walk goes: what the next batch is measured by.
  struct Pace: Sendable {
    /// Rows of the driving table in the next batch.
    fileprivate(set) var size = BatchGovernor.first
    /// What a commit takes for each row of the driving table, in seconds.
    fileprivate var commitCost = 0.0
  }

  /// What was learnt in the walk that is under way.
  private(set) var pace = Pace()
  private var sinceOthersWrote = Duration.zero
  private var lastVersion: Int64?
  private var keptFrames = 0
  /// In how many of the last pauses others committed: 1 for all of them.
  private var presence = 0.0
  private var heldQuietly = Duration.zero
  /// What lies between two commits of others that follow each other, in seconds.
  private var gap = 0.0

  /// Rows of the driving table in the next batch.
  var size: Int { pace.size }

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

  /// Begins a walk: with small batches, since what a row costs in one walk says nothing about the next, or as fast as an
  /// earlier walk of the same kind went.
  mutating func beginWalk(at pace: Pace = Pace()) {
    self.pace = pace
  }

  /// Whether another connection has written lately.
  var othersWrite: Bool {
    sinceOthersWrote < Self.quiet
  }

  /// How long the next batch may hold the lock.
  var target: Duration {
    othersWrite ? Self.hold : Self.clamped(sinceOthersWrote / 16, to: Self.quietHolds)
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
    spent + next + .seconds(pace.commitCost * Double(rows)) > target
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
      pace.commitCost = pace.commitCost == 0 ? cost : 0.7 * pace.commitCost + 0.3 * cost
    }
    let factor = min(2, max(0.25, target.inSeconds / max(hold.inSeconds, 0.000_001)))
    // A little more than fits, so that time decides.
    let wanted = isCut ? rows + max(1, rows / 4) : Int(Double(size) * factor)
    pace.size = min(Self.sizes.upperBound, max(Self.sizes.lowerBound, wanted))
    if othersWrite {
      heldQuietly = .zero
      return Self.pause(after: hold)
    }
    heldQuietly += hold
    guard heldQuietly >= Self.clamped(sinceOthersWrote / 8, to: Self.quietStretches) else { return .zero }
    heldQuietly = .zero
    return Self.pause(after: hold)
  }

  /// Takes note of a pause in which others could write.
  ///
  /// - Parameter committed: Whether they did.
  mutating func note(committed: Bool) {
    presence = 0.8 * presence + (committed ? 0.2 : 0)
  }

  /// Whether it is worth while to look for the lock in a pause as well: where commits tell of others there is no need.
  var looksForLocks: Bool {
    presence < 0.2
  }

  /// Takes note of the lock that somebody held in a pause without committing anything. Statements that change nothing,
  /// such as those of a worker that looks for its next job, wait for the lock like all others and leave no trace.
  mutating func noteLock() {
    sinceOthersWrote = .zero
  }

  /// Takes note of the time between two commits of others in one pause.
  mutating func note(gap: Duration) {
    self.gap = self.gap == 0 ? gap.inSeconds : 0.8 * self.gap + 0.2 * gap.inSeconds
  }

  /// For so long no commit must come for the writers that waited to have had their turn.
  var lull: Duration {
    Self.clamped(.seconds(2 * gap), to: Self.lulls)
  }

  private static func clamped(_ duration: Duration, to range: ClosedRange<Duration>) -> Duration {
    min(range.upperBound, max(range.lowerBound, duration))
  }

  /// How much longer the pause lasts that is just over, where nobody has committed in it: those who commit in most pauses
  /// wait for the lock.
  var patience: Duration {
    presence > 0.6 ? Self.patience : .zero
  }

  /// Whether it is time to begin the log anew.
  ///
  /// - Parameter batch: Frames that the last batch added.
  func wantsNewLog(_ log: LogState, batch: Int) -> Bool {
    let busy = min(Self.frames.upperBound, max(Self.frames.lowerBound, 8 * batch))
    let limit = othersWrite ? busy : Self.quietFrames
    guard keptFrames > 0, keptFrames <= log.frames else { return log.frames >= limit }
    return log.frames >= max(limit, keptFrames + Self.retry)
  }

  /// Whether a checkpoint in the background is due. While others write it follows nearly each batch, so that it is done
  /// when the pause is over: a log that is wholly in the file when somebody writes is begun anew by itself.
  func wantsCheckpoint(_ log: LogState) -> Bool {
    log.backlog >= (othersWrite ? Self.backlog : Self.quietFrames / 2)
  }

  /// Takes note of the log after such a try: nothing where it is begun anew, its state where somebody was in the way, so
  /// that the next try comes when it has grown a little.
  mutating func note(log: LogState?) {
    keptFrames = log?.frames ?? 0
  }
}

/// What a purge leaves free for others.
struct PurgeBounds: Sendable {
  /// The size of the log, in bytes, above which the purge waits for what keeps the log from being begun anew.
  var log = 48 << 20
  /// Free bytes of the disk below which the purge waits: twice what the log may take. In a small file the log holds each
  /// page once before it is begun anew, so that as much as the file has is enough.
  var disk = 96 << 20

  /// How much of the disk must be free beside a file of so many bytes.
  func disk(besideFile size: Int?) -> Int {
    min(disk, max(size ?? disk, 1 << 20))
  }
}
