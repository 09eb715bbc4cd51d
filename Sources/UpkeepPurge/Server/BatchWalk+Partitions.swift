import UpkeepCore
import UpkeepDatabase

// A partition of which every row goes is dropped, which takes as long for a million rows as for one. Its rows are counted
// under a lock that keeps writers from it and lets everybody read; only for the drop itself others are kept from the
// table, and from waiting for that by a limit that is short: nobody stands in line behind this for longer than it.

extension BatchWalk {
  /// Drops the partitions that go as wholes, each in one transaction, so that a crash leaves all of it or nothing. Those
  /// that can't be dropped are left to the batches.
  mutating func dropPartitions(of step: DeletionPlan.Step) async throws {
    guard purge.database.dropsPartitions, let whole = WholePartitions(step) else { return }
    let found = try await purge.session.transaction(.read) { try whole.find(on: $0) }
    whole.warnings(found).forEach(context.warn)
    var failures = 0
    for partition in found where partition.obstacle == nil {
      var isDone = false
      while !isDone {
        try Task.checkCancellation()
        try await awaitServer()
        stop = stop ?? context.limitReached()
        guard stop == nil else { return }
        do {
          let order: PartitionDrop.Order = failures < PartitionDrop.gentle ? .partitionFirst : .tableFirst
          try await drop(partition, of: whole, order)
          isDone = true
        } catch let error as TaskError where error.isOfOthers {
          failures += 1
          guard failures < PartitionDrop.patience else {
            return context.warn(
              "\(partition.name): emptied by batches instead of dropped, since others use \(step.root.table.name) all "
                + "the time (\(error.problem)); the next run tries again")
          }
          context.report(nil, "waiting: others use \(partition.name), which is to be dropped")
          try await context.clock.sleep(for: PartitionDrop.pause * (1 << min(failures - 1, 3)))
        } catch let error as TaskError where ["needed_by_others", "permission_denied"].contains(error.code) {
          context.warn("\(partition.name): emptied by batches instead of dropped, since \(error.problem)")
          isDone = true
        }
      }
    }
  }

  /// Drops a partition, or leaves it where a row of it stays after all or it has more than may go.
  private mutating func drop(
    _ partition: WholePartition, of whole: WholePartitions, _ order: PartitionDrop.Order
  ) async throws {
    let (limit, clock, doubt) = (context.rowsLeft, context.clock, Doubt())
    let result: (batch: DoubtfulBatch, hold: @Sendable () -> Duration)?
    do {
      result = try await purge.session.transaction(.write) { connection in
        let (drop, begun) = (PartitionDrop(whole, order, clock), clock.stopwatch())
        guard let dropped = try drop.lockAndCount(partition, within: limit, on: connection) else { return nil }
        // Of the two locks the table's is the one that readers meet.
        let hold = order == .tableFirst ? begun : clock.stopwatch()
        try connection.execute("DROP TABLE \(partition.name)")
        let batch = DoubtfulBatch(transaction: try connection.integer("SELECT txid_current()"), dropped)
        doubt.note(batch)
        return (batch, hold)
      }
    } catch let error as TaskError where error.code == "connection_lost" {
      throw LostBatch(error: error, doubtful: doubt.batch)
    }
    guard let (batch, hold) = result else { return }
    purge.meter.note(hold: hold(), rows: batch.outcome.deleted, at: elapsed())
    report(batch.outcome, batch.batch)
  }
}

/// The part of a drop before it.
struct PartitionDrop {
  /// Which lock is taken before the rows are counted.
  enum Order {
    /// That of the partition, which keeps writers from it and nobody else from anything. Who waits there holds a lock of
    /// the table, though, so that the drop can't be done while somebody does.
    case partitionFirst
    /// That of the table, which keeps everybody from it: so the count must be short.
    case tableFirst
  }

  /// Failures after which the table is locked first.
  static let gentle = 4
  /// Failures for others' sake, of all partitions of a step, before the rest is left to batches.
  static let patience = 10
  /// Between two tries, at first.
  static let pause = Duration.milliseconds(250)
  /// How long a lock is waited for; others that want the table wait behind this meanwhile.
  private static let lockTimeout = "100ms"
  /// How long others wait to write to a partition while it is counted, before they are let through and the count begins
  /// anew later.
  private static let grace = Duration.milliseconds(250)
  /// Pages that are counted between two looks at who waits: less than a tenth of a second where they come from a disk.
  private static let pages: Int64 = 2048

  /// How long a transaction may stand still: a program that was stopped must not keep these locks.
  private static let idleTimeout = "2s"

  private let whole: WholePartitions
  private let order: Order
  private let clock: any Clock<Duration>

  init(_ whole: WholePartitions, _ order: Order, _ clock: any Clock<Duration>) {
    self.whole = whole
    self.order = order
    self.clock = clock
  }

  /// Counts a partition that nobody writes to any more, within a transaction.
  ///
  /// - Returns: Nothing where it isn't to be dropped any more.
  /// - Throws: ``UpkeepCore/TaskError`` with code `lock_timeout` where others want to write to it.
  func lockAndCount(
    _ partition: WholePartition, within limit: Int?, on connection: any DatabaseConnection
  ) throws -> DroppedPartition? {
    // What was committed while the lock was waited for must be seen.
    try connection.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
    try connection.execute("SET LOCAL lock_timeout = '\(Self.lockTimeout)'")
    try connection.execute("SET LOCAL idle_in_transaction_session_timeout = '\(Self.idleTimeout)'")
    // Pages are read by their numbers.
    try connection.execute("SET LOCAL enable_seqscan = off")
    guard try present(partition, on: connection) != nil else { return nil }
    if order == .tableFirst {
      try connection.execute("LOCK TABLE ONLY \(SQL.quoted(whole.pass.table.name)) IN ACCESS EXCLUSIVE MODE")
    }
    try connection.execute("LOCK TABLE \(partition.name) IN SHARE MODE")
    let held = clock.stopwatch()
    // From here on it stays a partition with these bounds, and nothing is attached to it.
    guard let locked = try present(partition, on: connection) else { return nil }
    // Older servers find rows by their pages only by reading all of them.
    let isWhole = try connection.integer("SELECT current_setting('server_version_num')::int") < 140_000
    let found = try whole.count(locked, pages: isWhole ? nil : Self.pages, on: connection) {
      if held() > Self.grace { try makeRoom(for: locked, on: connection) }
    }
    guard found.others == 0, found.rows <= limit ?? .max else { return nil }
    return DroppedPartition(table: whole.pass.table.name, partition: locked, found: found)
  }

  /// The partition as it stands now; nothing where it isn't to be dropped any more.
  private func present(_ partition: WholePartition, on connection: any DatabaseConnection) throws -> WholePartition? {
    try whole.find(partition.number, on: connection).first { $0.name == partition.name && $0.obstacle == nil }
  }

  /// Gives up where somebody waits.
  private func makeRoom(for partition: WholePartition, on connection: any DatabaseConnection) throws {
    let numbers = (partition.leaves + [partition.number]).map(String.init).joined(separator: ", ")
    let waiting = try connection.integer("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation IN (\(numbers))")
    guard waiting > 0 || order == .tableFirst else { return }
    throw TaskError(
      code: "lock_timeout", place: "table \(partition.name)", problem: "others want it before it is counted",
      fix: "run at another time")
  }
}

extension DoubtfulBatch {
  fileprivate init(transaction: Int64, _ dropped: DroppedPartition) {
    let found = dropped.found
    var outcome = BatchOutcome(tallies: [TableTally(table: dropped.table, rows: found.rows)])
    outcome.dropped = dropped
    var batch = BatchBound(last: 0, rows: found.rows)
    (batch.oldest, batch.newest) = (found.oldest, found.newest)
    self.init(transaction: transaction, batch: batch, outcome: outcome)
  }
}
