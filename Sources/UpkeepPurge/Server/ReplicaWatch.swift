import UpkeepCore
import UpkeepDatabase

/// How far the replicas of a server are behind, by what they have replayed and when it was written.
///
/// The server's own `replay_lag` tells of what was replayed last; where nothing is replayed any more it says nothing new.
/// So each look notes how far the log has come, and a replica is as far behind as the oldest note that it hasn't reached.
struct ReplicaWatch: Sendable {
  /// How far the log has come, and how far the replica that is furthest behind; the server's own word on how long that
  /// takes; and the servers that may not be looked at. Those that replay nothing, such as back-ups, don't count.
  static let statement = """
    SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint,
      min(pg_wal_lsn_diff(replay_lsn, '0/0'))::bigint,
      (1000000 * extract(epoch FROM max(replay_lag)))::bigint, count(*) FILTER (WHERE state IS NULL)
    FROM pg_stat_replication
    """

  /// What a look finds: places in the log, in bytes.
  struct Look: Sendable {
    var written: Int64
    /// Nothing where no replica replays.
    var replayed: Int64?
    var ownLag: Duration?
    /// Servers that this user may not see.
    var hidden: Int64
  }

  private var notes: [(written: Int64, at: Duration)] = []

  /// Takes note of a look, and says how far behind the replicas are.
  mutating func lag(_ look: Look, at now: Duration) -> Duration {
    guard let replayed = look.replayed else {
      notes = []
      return .zero
    }
    if notes.last.map({ $0.written < look.written }) ?? true { notes.append((look.written, now)) }
    notes.removeAll { $0.written <= replayed }
    let behind = notes.first.map { now - $0.at } ?? .zero
    // A replica that has everything is behind in nothing, however long that took.
    return notes.isEmpty ? .zero : max(behind, look.ownLag ?? .zero)
  }

  static func look(on connection: any DatabaseConnection) throws -> Look? {
    guard let row = try connection.first(statement), let written = row[0].integer else { return nil }
    return Look(
      written: written, replayed: row[1].integer, ownLag: row[2].integer.map { .microseconds($0) },
      hidden: row[3].integer ?? 0)
  }
}
