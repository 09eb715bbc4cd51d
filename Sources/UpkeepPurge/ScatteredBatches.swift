import UpkeepCore
import UpkeepDatabase

/// Whether the children of neighbouring parents lie together, from a sample.
struct ScatterSample: Sendable {
  private static let parents: Int64 = 64
  /// Rows between two children that lie on different pages.
  private static let distance: Int64 = 32
  /// Children below which nothing is gained: their whole table stays in the cache.
  private static let smallest: Int64 = 20_000

  /// Whether the table of the children should be walked in its own order.
  let isScattered: Bool

  /// Looks at the children of three runs of doomed parents; nothing where the question doesn't arise.
  init?(
    _ edge: DeletionEdge, of pass: DeletionPass, _ condition: RowCondition, extent: RowExtent, graph: DeletionGraph,
    on connection: any DatabaseConnection
  ) throws {
    guard let child = graph.catalogue[edge.child], let number = child.rowNumber else { return nil }
    let name = SQL.quoted(child.name)
    let ends = try connection.first("SELECT (SELECT min(\(number)) FROM \(name)), (SELECT max(\(number)) FROM \(name))")
    guard let first = ends?[0].integer, let last = ends?[1].integer, last - first >= Self.smallest else { return nil }
    var sql = SQL("SELECT c.\(number) FROM (SELECT \(SQL.list(edge.parentColumns, of: "t"))", reserved: 2)
    sql += " FROM \(SQL.quoted(pass.table.name)) t NOT INDEXED WHERE t.\(pass.rowNumber) >= ?1 AND "
    sql.add(condition, of: "t", scanning: true)
    sql += " ORDER BY t.\(pass.rowNumber) LIMIT ?2) p CROSS JOIN \(name) c WHERE "
    sql += "\(edge.reference(of: "c")) = \(SQL.tuple(edge.parentColumns, of: "p"))"
    var (children, jumps) = (0, 0)
    for quarter in Int64(1)...3 {
      let start = extent.quarter(quarter)
      var rows = try connection.map(sql.text, [.integer(start), .integer(Self.parents)] + sql.values) {
        $0[0].integer ?? 0
      }
      rows.sort()
      children += rows.count
      jumps += zip(rows, rows.dropFirst()).count { $1 - $0 > Self.distance }
    }
    let doomed = Double(children) / Double(3 * Self.parents) * Double(extent.rows)
    isScattered = children >= 32 && jumps * 2 > children && doomed * 20 > Double(last - first)
  }
}

/// Batches of children that lie scattered over their table, in the order of that table.
///
/// Batches of parents would touch a page for each child; these touch each page of the table once. A crash may leave a
/// doomed parent with part of its children, which the next run finishes: the parents go afterwards.
struct ScatteredBatches: PlainBatches {
  let start: Int64
  private let number: String
  private let name: String
  let tally: TableTally
  let deletion: SQL

  /// Prepares the batches; nothing where the table is empty.
  init?(
    _ edge: DeletionEdge, of pass: DeletionPass, _ condition: RowCondition, graph: DeletionGraph,
    on connection: any DatabaseConnection
  ) throws {
    guard let child = graph.catalogue[edge.child], let number = child.rowNumber,
      let first = try connection.first("SELECT min(\(number)) FROM \(SQL.quoted(child.name))")?[0].integer
    else { return nil }
    start = first - 1
    self.number = number
    name = SQL.quoted(child.name)
    tally = TableTally(table: edge.child, rows: 0)
    let keys = try pass.listKeys(of: edge, condition, on: connection)
    // The list says at once that a parent isn't doomed; that a listed one still is, only the parent itself can say.
    var sql = SQL("DELETE FROM \(name) AS c NOT INDEXED WHERE c.\(number) > ?1 AND c.\(number) <= ?2 AND ", reserved: 2)
    sql +=
      "EXISTS (SELECT 1 FROM \(keys) p WHERE \(pass.keyTuple(of: edge, as: "p")) = \(edge.reference(of: "c"))) AND "
    sql += "EXISTS (SELECT 1 FROM \(SQL.quoted(pass.table.name)) t WHERE "
    sql += "\(SQL.tuple(edge.parentColumns, of: "t")) = \(edge.reference(of: "c")) AND "
    sql.add(condition, of: "t", scanning: true)
    sql += ")"
    deletion = sql
  }

  var boundStatement: String {
    "SELECT max(n), count(*), NULL, NULL FROM (SELECT c.\(number) AS n FROM \(name) c NOT INDEXED "
      + "WHERE c.\(number) > ?1 ORDER BY c.\(number) LIMIT ?2)"
  }
}

extension DeletionPass {
  /// Lists what an edge refers to in the rows that the pass selects, and nothing else: the smaller the list, the sooner a
  /// row is found on it.
  ///
  /// - Returns: The temporary table, with the columns of ``key(of:as:)``.
  fileprivate func listKeys(
    of edge: DeletionEdge, _ condition: RowCondition, on connection: any DatabaseConnection
  ) throws -> String {
    let keys = "temp.\(prefix)keys_\(id)_\(edges.firstIndex(of: edge) ?? 0)"
    let isNumber = table.rowNumberColumn.map { edge.parentColumns.map(\.schemaKey) == [$0.schemaKey] } ?? false
    let columns = edge.parentColumns.map { column in
      let description = table.column(column)
      return isNumber
        ? keyName(column) + " INTEGER PRIMARY KEY"
        : "\(keyName(column)) \(description?.affinity ?? "BLOB") NOT NULL "
          + "COLLATE \(SQL.quoted(description?.collation ?? ColumnDescription.binary))"
    }
    try connection.execute("DROP TABLE IF EXISTS \(keys)")
    try connection.execute(
      "CREATE TABLE \(keys) (\(columns.joined(separator: ", "))"
        + (isNumber ? ")" : ", PRIMARY KEY (\(key(of: edge)))) WITHOUT ROWID"))
    // A key that is NULL is referred to by nothing.
    var sql = SQL("INSERT OR IGNORE INTO \(keys) SELECT \(SQL.list(edge.parentColumns, of: "t"))")
    sql += " FROM \(SQL.quoted(table.name)) t NOT INDEXED WHERE "
    sql.add(condition, of: "t", scanning: true)
    try connection.execute(sql.text, sql.values)
    return keys
  }
}
