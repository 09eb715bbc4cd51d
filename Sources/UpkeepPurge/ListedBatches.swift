import UpkeepCore
import UpkeepDatabase

/// Batches of a pass whose rows are listed: each batch looks again, within its transaction, whether its rows are still
/// selected and still free.
struct ListedBatches: CountedBatches {
  let start: Int64 = 0
  private let list: String
  private let table: String
  /// Strikes rows off the list that aren't selected any more.
  private let staleRows: SQL
  /// Strikes rows off this list, and what they belong to off the lists above, that a row refers to which stays.
  private let heldRows: [SQL]
  /// The same for rows that are excepted, or that excepted rows belong to.
  private let exceptedRows: [SQL]
  private let deletions: [(tally: TableTally, sql: SQL)]

  /// Prepares the batches; nothing where the list is empty.
  init?(
    _ pass: DeletionPass, ancestors: [DeletionPass], graph: DeletionGraph, listing: Listing,
    on connection: any DatabaseConnection
  ) throws {
    guard try connection.integer("SELECT EXISTS (SELECT 1 FROM \(pass.list))") == 1 else { return nil }
    list = pass.list
    table = pass.table.name
    var stale = SQL("DELETE FROM \(pass.list) AS c WHERE c.seq > ?1 AND c.seq <= ?2 AND NOT ", reserved: 2)
    pass.addStillSelected(as: "c", parents: ancestors[...], to: &stale)
    staleRows = stale
    heldRows = pass.heldRows(ancestors: ancestors, graph: graph, listing: listing)
    exceptedRows = pass.exceptedRows(ancestors: ancestors, graph: graph, listing: listing)
    var deletions: [(tally: TableTally, sql: SQL)] = []
    for (number, edge) in (pass.leaves + pass.unlinks).enumerated() {
      let tally = TableTally(table: edge.child, rows: 0, isUnlink: edge.action == .unlink)
      let keys = "SELECT \(pass.key(of: edge)) FROM \(pass.list) WHERE seq > ?1 AND seq <= ?2"
      let matches = "\(edge.reference()) IN (\(keys))"
      // A table without row numbers and without an index is small: a large one was refused.
      if graph.isIndexed(edge) || graph.catalogue[edge.child]?.rowNumber == nil {
        deletions.append((tally, edge.change.wrapped("", matches)))
      } else if let row = graph.catalogue[edge.child]?.rowNumber {
        let map = pass.map(number)
        let newest = try pass.makeMap(map, of: edge, row: row, on: connection)
        let known = "\(row) IN (SELECT rid FROM \(map) WHERE seq > ?1 AND seq <= ?2) AND "
        deletions.append((tally, edge.change.wrapped("", known + matches)))
        deletions.append((tally, edge.change.wrapped("", "\(row) > \(newest) AND \(matches)")))
      }
    }
    let own =
      "DELETE FROM \(SQL.quoted(table)) WHERE \(pass.identity()) IN (SELECT \(pass.listedIdentity()) FROM \(list) WHERE "
    deletions.append((TableTally(table: table, rows: 0), SQL(own + "seq > ?1 AND seq <= ?2)", reserved: 2)))
    self.deletions = deletions
  }

  var boundStatement: String {
    "SELECT max(seq), count(*), min(at), max(at) FROM "
      + "(SELECT seq, at FROM \(list) WHERE seq > ?1 ORDER BY seq LIMIT ?2)"
  }

  var statements: [String] {
    [boundStatement, staleRows.text] + (exceptedRows + heldRows).map(\.text) + deletions.map(\.sql.text)
  }

  func delete(after cursor: Int64, through last: Int64, on connection: any DatabaseConnection) throws -> BatchOutcome {
    let range: [DatabaseValue] = [.integer(cursor), .integer(last)]
    try connection.execute(staleRows.text, range + staleRows.values)
    var outcome = BatchOutcome(tallies: [])
    for (index, sql) in exceptedRows.enumerated() {
      let struck = try connection.execute(sql.text, range + sql.values)
      if index == 0 { outcome.excepted = struck }
    }
    for sql in heldRows { outcome.held = try connection.execute(sql.text, range + sql.values) }
    for (tally, sql) in deletions {
      var tally = tally
      tally.rows = try connection.execute(sql.text, range + sql.values)
      outcome.tallies.append(tally)
    }
    return outcome
  }
}

extension DeletionPass {
  /// Adds the condition that a listed row still is what it was listed for, and what it belongs to as well.
  func addStillSelected(as alias: String, parents: ArraySlice<DeletionPass>, to sql: inout SQL) {
    let row = "t\(id)"
    sql += "EXISTS (SELECT 1 FROM \(SQL.quoted(table.name)) \(row)"
    switch selection {
    case .condition(let condition):
      sql += " WHERE \(isListed(row, as: alias)) AND "
      sql.add(condition, of: row)
    case .children(_, let edge):
      guard let parent = parents.first else { break }
      let above = "p\(parent.id)"
      sql += ", \(parent.list) \(above) WHERE \(isListed(row, as: alias)) AND \(above).seq = \(alias).up AND "
      sql += "\(edge.reference(of: row)) = \(parent.keyTuple(of: edge, as: above)) AND "
      parent.addStillSelected(as: above, parents: parents.dropFirst(), to: &sql)
    case .members:
      break
    }
    sql += ")"
  }

  /// The statements that strike held rows off the lists, the topmost list first and this one last.
  func heldRows(ancestors: [DeletionPass], graph: DeletionGraph, listing: Listing) -> [SQL] {
    let edges = holds + children.compactMap(\.edge)
    guard !edges.isEmpty else { return [] }
    let conditions = edges.map { edge in
      let match = "\(edge.reference(of: "y")) = \(keyTuple(of: edge, as: "c"))"
      var newer = ""
      if !graph.isIndexed(edge), let row = graph.catalogue[edge.child]?.rowNumber {
        newer = "y.\(row) > \(listing.newest[edge.child.schemaKey] ?? Listing.none) AND "
      }
      return "EXISTS (SELECT 1 FROM \(SQL.quoted(edge.child)) y WHERE \(newer)\(match))"
    }
    let held = "seq > ?1 AND seq <= ?2 AND (\(conditions.joined(separator: " OR ")))"
    var statements = ["DELETE FROM \(list) AS c WHERE \(held)"]
    var climbed = "SELECT up FROM \(list) AS c WHERE \(held)"
    for ancestor in ancestors {
      statements.append("DELETE FROM \(ancestor.list) WHERE seq IN (\(climbed))")
      climbed = "SELECT up FROM \(ancestor.list) WHERE seq IN (\(climbed))"
    }
    return statements.reversed().map { SQL($0, reserved: 2) }
  }

  /// The temporary table with the rows that refer to listed rows by one of the leaves and unlinks that has no index.
  func map(_ number: Int) -> String {
    "temp.\(prefix)map_\(id)_\(number)"
  }

  /// Lists, in one pass over a table without a fitting index, the rows that refer to listed rows.
  ///
  /// - Returns: The table's newest row number: rows that come later are looked for in each batch.
  fileprivate func makeMap(
    _ map: String, of edge: DeletionEdge, row: String, on connection: any DatabaseConnection
  ) throws -> Int64 {
    try connection.execute("DROP TABLE IF EXISTS \(map)")
    try connection.execute("CREATE TABLE \(map) (seq INTEGER, rid INTEGER, PRIMARY KEY (seq, rid)) WITHOUT ROWID")
    try connection.execute(
      "INSERT INTO \(map) SELECT p.seq, y.\(row) FROM \(SQL.quoted(edge.child)) y CROSS JOIN \(list) p "
        + "WHERE \(edge.reference(of: "y")) = \(keyTuple(of: edge, as: "p"))")
    return try connection.newestRow(of: edge.child, row)
  }
}
