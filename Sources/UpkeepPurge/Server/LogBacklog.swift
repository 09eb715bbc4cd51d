import UpkeepCore
import UpkeepDatabase

/// How much of its log a server has to keep, since its archive or the consumer of a replication slot hasn't taken it yet: it
/// lies on the disk of the data until then, and all that a purge deletes is written to it.
struct LogBacklog: Sendable {
  /// Whom the log is kept for.
  var holder: String
  var bytes: Int

  /// The greatest backlog. The archive is as far as the last segment that it has got, or as the first that it refused where
  /// it has got none (PostgreSQL documentation, "pg_stat_archiver"; a segment's name is its timeline and its place, in
  /// hexadecimal); one that was never used says nothing.
  private static let statement = """
    SELECT holder, bytes FROM (
      SELECT 'the replication slot ' || slot_name AS holder,
        pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint AS bytes
      FROM pg_replication_slots WHERE restart_lsn IS NOT NULL
      UNION ALL
      SELECT 'its archive', pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint
        - ('x' || substr(segment, 9, 8))::bit(32)::bigint * 4294967296
        - (('x' || substr(segment, 17, 8))::bit(32)::bigint + is_done::int) * size
      FROM (
        SELECT coalesce(last_archived_wal, last_failed_wal) AS segment, last_archived_wal IS NOT NULL AS is_done,
          (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size') AS size
        FROM pg_stat_archiver WHERE current_setting('archive_mode') <> 'off'
      ) AS archive
      WHERE segment ~ '^[0-9A-F]{24}'
    ) AS holders
    ORDER BY bytes DESC LIMIT 1
    """

  /// The greatest backlog; nothing where nobody waits for the log.
  static func look(on connection: any DatabaseConnection) throws -> LogBacklog? {
    guard let row = try connection.first(statement), let holder = row[0].text, let bytes = row[1].integer
    else { return nil }
    return LogBacklog(holder: holder, bytes: Int(bytes))
  }
}
