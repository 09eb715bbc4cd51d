import Foundation
import UpkeepCore
import UpkeepDatabase

/// How many dead rows a table holds that autovacuum hasn't come to: the server's own estimate.
struct DeadRows: Sendable {
  var table: String
  var rows: Int
  /// From how many on autovacuum comes (PostgreSQL documentation, "The Autovacuum Daemon").
  var threshold: Int
  /// Whether it comes at all.
  var isVacuumed: Bool

  private static let statement = """
    SELECT c.oid::regclass::text, s.n_dead_tup,
      (coalesce(o.threshold, current_setting('autovacuum_vacuum_threshold'))::float8
        + coalesce(o.factor, current_setting('autovacuum_vacuum_scale_factor'))::float8 * greatest(c.reltuples, 0))::bigint,
      coalesce(o.enabled, 'on')::boolean AND current_setting('autovacuum')::boolean
        AND current_setting('track_counts')::boolean
    FROM json_array_elements_text(?1::json) AS name
    JOIN pg_class c ON c.oid = to_regclass(name.value) JOIN pg_stat_all_tables s ON s.relid = c.oid
    CROSS JOIN LATERAL (
      SELECT max(option_value) FILTER (WHERE option_name = 'autovacuum_enabled') AS enabled,
        max(option_value) FILTER (WHERE option_name = 'autovacuum_vacuum_threshold') AS threshold,
        max(option_value) FILTER (WHERE option_name = 'autovacuum_vacuum_scale_factor') AS factor
      FROM pg_options_to_table(c.reloptions)
    ) AS o
    ORDER BY s.n_dead_tup DESC
    """

  /// The tables' dead rows, most first.
  /// - Parameter tables: As SQL names them.
  static func look(at tables: [String], on connection: any DatabaseConnection) throws -> [DeadRows] {
    let names = String(decoding: try JSONEncoder().encode(tables), as: UTF8.self)
    return try connection.map(statement, [.text(names)]) { row in
      DeadRows(
        table: row[0].text ?? "", rows: Int(row[1].integer ?? 0), threshold: Int(row[2].integer ?? 0),
        isVacuumed: row[3].integer == 1)
    }
  }
}

extension TableDescription {
  /// The tables that its rows lie in, as SQL names them.
  var storage: [String] {
    partitions.isEmpty ? [SQLName.quoted(name)] : partitions
  }
}
