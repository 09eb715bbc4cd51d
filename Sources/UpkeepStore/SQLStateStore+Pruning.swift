public import UpkeepCore
import UpkeepDatabase

extension SQLStateStore {
  /// How often the history is pruned by itself at the most.
  static let pruneInterval = Duration.seconds(3600)

  /// Counts the old records.
  public func oldRuns(finishedBefore: Timestamp, failuresBefore: Timestamp) async throws -> OldRuns {
    let old = OldRecords(finishedBefore: finishedBefore, failuresBefore: failuresBefore)
    return try await read { try old.count(on: $0) }
  }

  /// Removes old records in one transaction.
  public func prune(finishedBefore: Timestamp, failuresBefore: Timestamp, limit: Int) async throws -> OldRuns {
    let old = OldRecords(finishedBefore: finishedBefore, failuresBefore: failuresBefore)
    return try await write { try old.delete(limit, on: $0) }
  }

  /// Counts all records.
  public func allRuns() async throws -> OldRuns {
    try await read { connection in
      let row = try connection.first("SELECT count(*), min(created_at), max(created_at) FROM runs") ?? []
      let count = Int(row[0].integer ?? 0)
      return OldRuns(
        count: count, total: count, oldest: StoreRows.instant(row[1]), newest: StoreRows.instant(row[2]))
    }
  }

  /// Removes records that ended longer ago than `keep` (those that didn't end well: than `keepFailures`), unless that
  /// was done within the last hour, by whichever process.
  /// - Returns: How many records were removed.
  @discardableResult
  public func pruneIfDue(now: Timestamp, keep: Duration, keepFailures: Duration) async throws -> Int {
    let isDue = try await write { connection in
      let last = try connection.first("SELECT value FROM numbers WHERE name = 'pruned_at'")?.first?.integer
      if let last, now - Timestamp(microseconds: last) < Self.pruneInterval, last <= now.microseconds { return false }
      try connection.execute(
        """
        INSERT INTO numbers (name, value) VALUES ('pruned_at', ?1)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value
        """, [.integer(now.microseconds)])
      return true
    }
    guard isDue else { return 0 }
    return try await prune(finishedBefore: now - keep, failuresBefore: now - keepFailures)
  }
}

/// The records that are old enough to go, within a transaction.
private struct OldRecords {
  let finishedBefore: Timestamp
  let failuresBefore: Timestamp

  /// The old ones. The first comparison is what the index serves.
  private static let selection = """
    FROM runs WHERE is_final = 1 AND finished_at < ?3
    AND finished_at < CASE WHEN status IN ('completed', 'cancelled', 'skipped', 'missed') THEN ?1 ELSE ?2 END
    """

  private var values: [DatabaseValue] {
    [finishedBefore, failuresBefore, max(finishedBefore, failuresBefore)].map { .integer($0.microseconds) }
  }

  func count(on connection: any DatabaseConnection) throws -> OldRuns {
    let row = try connection.first("SELECT count(*), min(finished_at), max(finished_at) \(Self.selection)", values)
    let total = Int(try connection.integer("SELECT count(*) FROM runs"))
    return OldRuns(row ?? [], total: total)
  }

  func delete(_ limit: Int, on connection: any DatabaseConnection) throws -> OldRuns {
    let values = values + [.integer(Int64(limit))]
    let batch = "SELECT run_id, finished_at \(Self.selection) ORDER BY finished_at, run_id LIMIT ?4"
    let row = try connection.first("SELECT count(*), min(finished_at), max(finished_at) FROM (\(batch)) b", values)
    try connection.execute("DELETE FROM runs WHERE run_id IN (SELECT run_id FROM (\(batch)) b)", values)
    return OldRuns(row ?? [], total: 0)
  }
}

extension OldRuns {
  /// A row of a count, the first and the last time.
  fileprivate init(_ row: [DatabaseValue], total: Int) {
    self.init(
      count: Int(row[0].integer ?? 0), total: total, oldest: StoreRows.instant(row[1]),
      newest: StoreRows.instant(row[2]))
  }
}
