import UpkeepDatabase

/// What is known when the lists of a step are made.
struct Listing: Sendable {
  /// The newest row of a table that has none.
  static let none = Int64.min + 1

  /// How many rows of the rule's table must stay, since others that stay refer to them.
  var held = 0
  /// How many rows of the rule's table must stay for an exception alone.
  var excepted = 0
  /// The newest row, when the lists were made, of each table that had to be read whole: rows behind it are looked for
  /// in each batch.
  var newest: [String: Int64] = [:]
}

// The rows that a pass selects, listed in a temporary table: `seq` counts them in the order of the table, `rid` is the
// row's number, `up` the `seq` of the row they go with, `at` their time, and `k0`, `k1` … what others refer to them by.

extension DeletionPass {
  /// The temporary table with the pass's rows.
  var list: String { "temp.upkeep_list_\(id)" }

  /// The columns of the list that hold what an edge refers to, as a select list.
  func key(of edge: DeletionEdge, as alias: String? = nil) -> String {
    edge.parentColumns.map { (alias.map { "\($0)." } ?? "") + keyName($0) }.joined(separator: ", ")
  }

  func keyTuple(of edge: DeletionEdge, as alias: String? = nil) -> String {
    edge.parentColumns.count == 1 ? key(of: edge, as: alias) : "(\(key(of: edge, as: alias)))"
  }

  private func keyName(_ column: String) -> String {
    "k\(keyColumns.firstIndex(of: column) ?? 0)"
  }

  /// Lists the rows that the pass selects, without those that are doomed already.
  func makeList(
    on connection: any DatabaseConnection, parent: DeletionPass?, graph: DeletionGraph, without doomed: DoomedRows
  ) throws {
    try connection.execute("DROP TABLE IF EXISTS \(list)")
    let keys = keyColumns.indices.map { ", k\($0)" }.joined()
    // The keys have the affinity of their columns: SQLite uses an index only where the affinities agree.
    let types = keyColumns.enumerated().map { ", k\($0) \(table.column($1)?.affinity ?? "")" }.joined()
    try connection.execute(
      "CREATE TABLE \(list) (seq INTEGER PRIMARY KEY, rid INTEGER, up INTEGER, at INTEGER\(types))")
    var sql = SQL("INSERT INTO \(list) (rid, up, at\(keys)) SELECT t.\(rowNumber), ")
    sql += parent == nil ? "NULL" : "p.seq"
    sql += ", " + (timeColumn?.instant(of: "t") ?? "NULL")
    sql += keyColumns.isEmpty ? "" : ", " + SQL.list(keyColumns, of: "t")
    let name = SQL.quoted(table.name)
    switch selection {
    case .condition(let condition):
      sql += " FROM \(name) t WHERE "
      sql.add(condition, of: "t")
    case .children(_, let edge):
      guard let parent else { return }
      let tables =
        graph.isIndexed(edge) ? "\(parent.list) p CROSS JOIN \(name) t" : "\(name) t CROSS JOIN \(parent.list) p"
      sql += " FROM \(tables) WHERE \(SQL.tuple(edge.columns, of: "t")) = \(parent.keyTuple(of: edge, as: "p"))"
    }
    doomed.exclude(table.name, as: "t", from: &sql)
    sql += " ORDER BY t.\(rowNumber)"
    try connection.execute(sql.text, sql.values)
    try connection.execute("CREATE UNIQUE INDEX \(list)_rid ON upkeep_list_\(id) (rid)")
    for (number, edge) in edges.enumerated() where !graph.isIndexed(edge) {
      try connection.execute("CREATE INDEX \(list)_key_\(number) ON upkeep_list_\(id) (\(key(of: edge)))")
    }
  }

  /// Removes the rows that rows which stay refer to, and the rows above and below them on the lists of this tree.
  ///
  /// - Returns: How many rows of the root were removed.
  private func removeHeld(on connection: any DatabaseConnection, graph: DeletionGraph, without doomed: DoomedRows)
    throws -> Int
  {
    let tree = tree
    guard tree.contains(where: { !$0.holds.isEmpty }),
      try connection.integer("SELECT EXISTS (SELECT 1 FROM \(list))") == 1
    else { return 0 }
    let parents = Dictionary(uniqueKeysWithValues: tree.flatMap { pass in pass.children.map { ($0.id, pass) } })
    // Where rows of this tree hold others of it, rows that stay may hold further ones.
    let members = Set(tree.flatMap { [$0.table.name] + $0.leaves.map(\.child) }.map { $0.lowercased() })
    let repeats = tree.contains { $0.holds.contains { members.contains($0.child.lowercased()) } }
    var removed = 0
    var before = -1
    while before < removed, before < 0 || repeats {
      before = removed
      for pass in tree {
        for edge in pass.holds {
          var sql = SQL()
          pass.addHeld(by: edge, to: &sql, graph: graph, without: doomed)
          var climbing = pass
          while let parent = parents[climbing.id] {
            sql = sql.wrapped("SELECT up FROM \(climbing.list) WHERE seq IN (", ")")
            climbing = parent
          }
          sql = sql.wrapped("DELETE FROM \(list) WHERE seq IN (", ")")
          removed += try connection.execute(sql.text, sql.values)
        }
      }
      for pass in tree {
        guard let parent = parents[pass.id], removed > before else { continue }
        try connection.execute("DELETE FROM \(pass.list) WHERE up NOT IN (SELECT seq FROM \(parent.list))")
      }
    }
    return removed
  }

  /// The numbers on the list that rows of `edge.child` refer to that aren't doomed.
  private func addHeld(by edge: DeletionEdge, to sql: inout SQL, graph: DeletionGraph, without doomed: DoomedRows) {
    let match = "\(SQL.tuple(edge.columns, of: "y")) = \(keyTuple(of: edge, as: "c"))"
    let child = SQL.quoted(edge.child)
    if graph.isIndexed(edge) {
      sql += "SELECT c.seq FROM \(list) c WHERE EXISTS (SELECT 1 FROM \(child) y WHERE \(match)"
      doomed.exclude(edge.child, as: "y", from: &sql)
      sql += ")"
    } else {
      sql += "SELECT c.seq FROM \(child) y CROSS JOIN \(list) c WHERE \(match)"
      doomed.exclude(edge.child, as: "y", from: &sql)
    }
  }
}

extension DeletionPass {
  /// Lists the rows of this pass and all below it, without those that `doomed` holds and those that must stay, and adds
  /// the lists to `doomed`.
  ///
  func makeLists(
    on connection: any DatabaseConnection, graph: DeletionGraph, doomed: inout DoomedRows
  ) throws -> Listing {
    var listing = Listing()
    for pass in tree {
      for edge in pass.edges where !graph.isIndexed(edge) {
        guard let row = graph.catalogue[edge.child]?.rowNumber else { continue }
        listing.newest[edge.child.lowercased()] = try connection.newestRow(of: edge.child, row)
      }
    }
    try makeList(on: connection, parent: nil, graph: graph, without: doomed)
    doomed.add(self)
    try makeChildLists(on: connection, graph: graph, doomed: &doomed)
    var going = doomed
    for pass in tree {
      for edge in pass.leaves { going.add(edge, of: pass) }
    }
    listing.held = try removeHeld(on: connection, graph: graph, without: going)
    listing.excepted = try removeExcepted(on: connection)
    // What stays for an exception may hold further rows.
    if listing.excepted > 0 { listing.held += try removeHeld(on: connection, graph: graph, without: going) }
    return listing
  }

  private func makeChildLists(
    on connection: any DatabaseConnection, graph: DeletionGraph, doomed: inout DoomedRows
  ) throws {
    for child in children {
      try child.makeList(on: connection, parent: self, graph: graph, without: doomed)
      doomed.add(child)
      try child.makeChildLists(on: connection, graph: graph, doomed: &doomed)
    }
  }
}

extension DatabaseConnection {
  /// The greatest row number of a table.
  func newestRow(of table: String, _ row: String) throws -> Int64 {
    try first("SELECT max(\(row)) FROM \(SQL.quoted(table))")?[0].integer ?? Listing.none
  }
}
