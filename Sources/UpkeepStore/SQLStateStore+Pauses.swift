import UpkeepCore
import UpkeepDatabase
public import UpkeepRuns

extension SQLStateStore {
  /// The pauses in force, by task.
  public func pauses() async throws -> [TaskPause] {
    let clock = clock
    return try await read { try Self.pauses($0, at: clock.now(on: $0)) }
  }

  static func pauses(_ connection: any DatabaseConnection, at now: Timestamp) throws -> [TaskPause] {
    try connection.map(
      """
      SELECT task, ends_at, reason, paused_by, since FROM pauses WHERE ends_at IS NULL OR ends_at > ?1 ORDER BY task
      """, [.integer(now.microseconds)]
    ) { row in
      TaskPause(
        task: row[0].text ?? "", until: StoreRows.instant(row[1]), reason: row[2].text ?? "", by: row[3].text ?? "",
        since: StoreRows.instant(row[4]) ?? now)
    }
  }

  /// Pauses a task, in place of an earlier pause.
  public func pause(_ pause: TaskPause) async throws {
    _ = try await write { connection in
      try connection.execute(
        """
        INSERT INTO pauses (task, ends_at, reason, paused_by, since) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (task) DO UPDATE SET ends_at = excluded.ends_at, reason = excluded.reason,
          paused_by = excluded.paused_by, since = excluded.since
        """,
        [
          .text(pause.task), StoreRows.instant(pause.until), .text(pause.reason), .text(pause.by),
          StoreRows.instant(pause.since),
        ])
    }
  }

  /// Ends a pause; false where the task wasn't paused.
  public func resume(_ task: String) async throws -> Bool {
    let clock = clock
    return try await write { connection in
      let now = try clock.now(on: connection)
      let inForce = try connection.integer(
        "SELECT count(*) FROM pauses WHERE task = ?1 AND (ends_at IS NULL OR ends_at > ?2)",
        [.text(task), .integer(now.microseconds)])
      try connection.execute("DELETE FROM pauses WHERE task = ?1", [.text(task)])
      return inForce > 0
    }
  }
}
