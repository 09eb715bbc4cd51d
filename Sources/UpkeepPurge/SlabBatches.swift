import UpkeepCore
import UpkeepDatabase

/// Some thousand rows of a pass that nothing holds, listed in the order of an index, and deleted in that order.
///
/// The pages of the table that these rows lie on are few enough to be changed by batch after batch, and each page of the
/// index is changed once. The rows' children went before, in the order of the table: a crash between the two leaves
/// doomed rows without their children, which the next run finishes; never a child without its parent.
struct SlabBatches: PlainBatches {
  /// Rows of a slab: more in a large table, whose indexes have more pages.
  static func size(for rows: Int64) -> Int64 {
    min(64_000, max(16_000, rows / 12))
  }

  let start: Int64 = 0
  private let list: String
  let tally: TableTally
  private let fill: SQL
  let deletion: SQL

  /// Prepares the batches of any slab.
  init(_ pass: DeletionPass, _ condition: RowCondition, extent: RowExtent, order: ScatteredIndex) {
    let (table, number) = (SQL.quoted(pass.table.name), pass.rowNumber)
    list = "temp.\(pass.prefix)slab_\(pass.id)"
    tally = TableTally(table: pass.table.name, rows: 0)
    // The order of the table is forced, so that a slab is a piece of it.
    let instant = pass.timeColumn?.instant(of: "t") ?? "NULL"
    let columns = order.columns.indices.map { "c\($0)" }.joined(separator: ", ")
    let values = order.columns.enumerated().map { "t.\(SQL.quoted($1)) AS c\($0)" }.joined(separator: ", ")
    var fill = SQL(
      "INSERT INTO \(list) (at, r) SELECT at, n FROM (SELECT \(instant) AS at, t.\(number) AS n, ", reserved: 3)
    fill += "\(values) FROM \(table) t NOT INDEXED WHERE t.\(number) > ?1 AND t.\(number) <= ?2 AND "
    fill.add(condition, of: "t", scanning: true)
    fill += " ORDER BY t.\(number) LIMIT ?3) ORDER BY \(columns), n"
    self.fill = fill
    var sql = SQL("DELETE FROM \(table) AS t NOT INDEXED WHERE t.\(number) IN ", reserved: 2)
    sql += "(SELECT r FROM \(list) WHERE seq > ?1 AND seq <= ?2) AND "
    sql.add(condition, of: "t", scanning: true)
    deletion = sql
  }

  /// Lists the next slab.
  ///
  /// - Returns: Between which numbers its rows lie; nothing where none is left.
  func list(after cursor: Int64, through last: Int64, rows: Int64, on connection: any DatabaseConnection) throws
    -> RowExtent?
  {
    try connection.execute("CREATE TABLE IF NOT EXISTS \(list) (seq INTEGER PRIMARY KEY, at INTEGER, r INTEGER)")
    try connection.execute("DELETE FROM \(list)")
    try connection.execute(fill.text, [.integer(cursor), .integer(last), .integer(rows)] + fill.values)
    let ends = try connection.first("SELECT min(r), max(r), count(*) FROM \(list)")
    guard let ends, let first = ends[0].integer, let last = ends[1].integer else { return nil }
    return RowExtent(first: first, last: last, rows: ends[2].integer ?? 0)
  }

  var boundStatement: String {
    "SELECT max(seq), count(*), min(at), max(at) FROM "
      + "(SELECT seq, at FROM \(list) WHERE seq > ?1 ORDER BY seq LIMIT ?2)"
  }
}
