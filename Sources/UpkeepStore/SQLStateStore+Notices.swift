public import UpkeepCore
import UpkeepDatabase
import UpkeepRuns

extension SQLStateStore {
  /// Marks the present streak of a task's failures as told; false where it was marked already.
  public func claimNotice(_ task: String, at now: Timestamp, since: Timestamp?) async throws -> Bool {
    let name = Self.noticeName(task)
    return try await write { connection in
      let told = try connection.first("SELECT value FROM numbers WHERE name = ?1", [.text(name)])?.first?.integer
      if let told, since.map({ told > $0.microseconds }) ?? true { return false }
      try connection.execute(
        """
        INSERT INTO numbers (name, value) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value
        """, [.text(name), .integer(now.microseconds)])
      return true
    }
  }

  /// Takes the mark away; false where there was none.
  public func takeNotice(_ task: String) async throws -> Bool {
    let name = Self.noticeName(task)
    return try await write { connection in
      try connection.execute("DELETE FROM numbers WHERE name = ?1", [.text(name)]) > 0
    }
  }

  private static func noticeName(_ task: String) -> String { "notice:\(task)" }
}
