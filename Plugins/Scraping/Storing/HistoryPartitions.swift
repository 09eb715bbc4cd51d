import UpkeepCore
import UpkeepDatabase

/// The monthly partitions of `market_odds_history`, which has none for what they don't cover.
struct HistoryPartitions {
  private static let table = "market_odds_history"

  /// Whether rows of an instant have a place, and the month's first days.
  static func covers(_ now: Timestamp, on connection: any DatabaseConnection) throws -> Bool {
    let isPartitioned = try connection.integer(
      "SELECT count(*) FROM pg_partitioned_table WHERE partrelid = to_regclass('\(table)')")
    guard isPartitioned > 0 else { return true }
    let bounds = try connection.map(
      """
      SELECT pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = to_regclass('\(table)')
      """
    ) { $0[0].text ?? "" }
    return bounds.contains { bound in
      if bound == "DEFAULT" { return true }
      // FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00')
      let texts = bound.split(separator: "'", omittingEmptySubsequences: false)
      guard texts.count == 5, let from = Timestamp(text: texts[1]), let to = Timestamp(text: texts[3]) else {
        return false
      }
      return from <= now && now < to
    }
  }

  /// The statement that makes the partition of an instant's month.
  static func statement(for now: Timestamp) -> String {
    let civil = now.civil
    func first(_ offset: Int) -> String {
      let month = civil.year * 12 + civil.month - 1 + offset
      return Timestamp(CivilTime(year: month / 12, month: month % 12 + 1, day: 1)).dateText
    }
    let name = "\(table)_\(first(0).prefix(7).replacing("-", with: "_"))"
    return
      "CREATE TABLE \(name) PARTITION OF \(table) FOR VALUES FROM ('\(first(0)) 00:00+00') TO ('\(first(1)) 00:00+00')"
  }
}
