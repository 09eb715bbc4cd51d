import UpkeepDatabase

/// What is known when the lists of a step are made.
struct Listing: Sendable {
  /// The newest row of a table that has none.
  static let none = Int64.min + 1

  /// How many rows of the rule's table must stay, since others that stay refer to them.
  var held = 0
  /// The tables of those others.
  var holders: [String] = []
  /// How many rows of the rule's table must stay for an exception alone.
  var excepted = 0
  /// The newest row, when the lists were made, of each table that had to be read whole: rows behind it are looked for
  /// in each batch.
  var newest: [String: Int64] = [:]

  /// Takes note of rows that must stay for what an edge stands for.
  mutating func hold(_ rows: Int, by edge: DeletionEdge) {
    held += rows
    if rows > 0, !holders.contains(edge.child) { holders.append(edge.child) }
  }
}

// The rows that a pass selects, listed in a temporary table: `seq` counts them in the order of the table, `r0`, `r1` …
// tell the row (its number, or its primary key where rows have no number), `up` is the `seq` of the row they go with,
// `at` their time, and `k0`, `k1` … what others refer to them by.

extension DeletionPass {
  /// The temporary table with the pass's rows.
  var list: String { table.engine.temporary(listName) }

  /// Its name, where that of its schema stands elsewhere already.
  var listName: String { "\(prefix)list_\(id)" }

  /// The columns of a row of the table that tell it from all others, as one value.
  func identity(of alias: String? = nil) -> String {
    let collations = table.identityCollations
    let columns = identity.enumerated().map { index, column in
      let isOwn = collations.isEmpty || table.column(column)?.collation == collations[index]
      return SQL.list([column], of: alias) + (isOwn ? "" : " COLLATE \(SQL.quoted(collations[index]))")
    }
    return columns.count == 1 ? columns[0] : "(\(columns.joined(separator: ", ")))"
  }

  /// The same, as a select list.
  func identityColumns(of alias: String? = nil) -> String {
    SQL.list(identity, of: alias)
  }

  /// The columns of the list that hold them, as a select list.
  func listedIdentity(of alias: String? = nil) -> String {
    identity.indices.map { (alias.map { "\($0)." } ?? "") + "r\($0)" }.joined(separator: ", ")
  }

  /// A condition: a row of the table is the one that stands on the list.
  func isListed(_ row: String, as listed: String) -> String {
    let columns = listedIdentity(of: listed)
    return "\(identity(of: row)) = \(identity.count == 1 ? columns : "(\(columns))")"
  }

  /// The columns of the list that hold what an edge refers to, as a select list.
  func key(of edge: DeletionEdge, as alias: String? = nil) -> String {
    edge.parentColumns.map { (alias.map { "\($0)." } ?? "") + keyName($0) }.joined(separator: ", ")
  }

  func keyTuple(of edge: DeletionEdge, as alias: String? = nil) -> String {
    edge.parentColumns.count == 1 ? key(of: edge, as: alias) : "(\(key(of: edge, as: alias)))"
  }

  func keyName(_ column: String) -> String {
    "k\(keyColumns.firstIndex(of: column) ?? 0)"
  }

  /// Makes an empty list.
  ///
  /// Its columns have the affinity and the collation of the table's: SQLite uses an index only where both agree.
  func createList(_ further: String = "", on connection: any DatabaseConnection) throws {
    func typed(_ name: String, _ column: String, _ collation: String? = nil) -> String {
      ", \(name) \(table.copyType(of: column, collation: collation))"
    }
    let collations = table.identityCollations
    let rows = identity.enumerated().map { typed("r\($0)", $1, collations.isEmpty ? nil : collations[$0]) }.joined()
    let keys = keyColumns.enumerated().map { typed("k\($0)", $1) }.joined()
    try connection.execute("DROP TABLE IF EXISTS \(list)")
    try connection.execute(
      "CREATE TABLE \(list) (seq \(table.engine == .sqlite ? table.engine.counter : table.engine.number), up \(table.engine.number), at \(table.engine.number)"
        + "\(further)\(rows)\(keys))")
    // A server joins by hashes.
    guard table.engine == .sqlite else { return }
    try connection.execute("CREATE UNIQUE INDEX \(list)_row ON \(listName) (\(listedIdentity()))")
  }

  /// The columns of a list that a row of the table fills.
  var listed: String {
    "at, \(listedIdentity())" + keyColumns.indices.map { ", k\($0)" }.joined()
  }

  /// What the row `t` of the table fills them with.
  var listedValues: String {
    (timeColumn?.instant(of: "t") ?? "NULL") + ", \(identityColumns(of: "t"))"
      + (keyColumns.isEmpty ? "" : ", " + SQL.list(keyColumns, of: "t"))
  }

  /// Lets the list be searched for what an edge refers to.
  func indexList(for edge: DeletionEdge, _ number: Int, on connection: any DatabaseConnection) throws {
    guard table.engine == .sqlite else { return }
    try connection.execute("CREATE INDEX \(list)_key_\(number) ON \(listName) (\(key(of: edge)))")
  }

  /// Lists the rows that the pass selects, without those that are doomed already.
  func makeList(
    on connection: any DatabaseConnection, parent: DeletionPass?, graph: DeletionGraph, without doomed: DoomedRows
  ) throws {
    try createList(on: connection)
    // A server numbers the rows, and indexes the numbers, faster when it has them all.
    let (counted, number) = table.engine == .sqlite ? ("", "") : ("seq, ", "row_number() OVER (), ")
    let above = parent == nil ? "NULL" : "p.seq"
    var sql = SQL("INSERT INTO \(list) (\(counted)up, \(listed)) SELECT \(number)\(above), \(listedValues)")
    let name = SQL.quoted(table.name)
    switch selection {
    case .condition(let condition):
      sql += " FROM \(name) t WHERE "
      sql.add(condition, of: "t")
    case .children(_, let edge):
      guard let parent else { return }
      let tables =
        graph.isIndexed(edge) ? "\(parent.list) p CROSS JOIN \(name) t" : "\(name) t CROSS JOIN \(parent.list) p"
      sql += " FROM \(tables) WHERE \(edge.reference(of: "t")) = \(parent.keyTuple(of: edge, as: "p"))"
    case .members:
      return
    }
    doomed.exclude(table.name, as: "t", from: &sql)
    // A server's rows are listed as they lie in the table, so that a batch finds them together.
    if table.engine == .sqlite { sql += " ORDER BY \(identityColumns(of: "t"))" }
    try connection.execute(sql.text, sql.values)
    if table.engine == .postgres {
      try connection.execute("ALTER TABLE \(list) ADD PRIMARY KEY (seq)")
      try connection.execute("ANALYZE \(list)")
    }
    for (number, edge) in edges.enumerated() where !graph.isIndexed(edge) {
      try indexList(for: edge, number, on: connection)
    }
  }

  /// Removes the rows that rows which stay refer to, and the rows above and below them on the lists of this tree.
  ///
  /// - Parameter listing: Is told how many rows of the root were removed, and for which tables.
  private func removeHeld(
    from listing: inout Listing, on connection: any DatabaseConnection, graph: DeletionGraph, without doomed: DoomedRows
  ) throws {
    let tree = tree
    guard tree.contains(where: { !$0.holds.isEmpty }),
      try connection.integer("SELECT EXISTS (SELECT 1 FROM \(list))") == 1
    else { return }
    let parents = Dictionary(uniqueKeysWithValues: tree.flatMap { pass in pass.children.map { ($0.id, pass) } })
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
        listing.hold(try connection.execute(sql.text, sql.values), by: edge)
      }
    }
    for pass in tree {
      guard let parent = parents[pass.id], listing.held > 0 else { continue }
      try connection.execute(
        "DELETE FROM \(pass.list) AS c WHERE NOT EXISTS (SELECT 1 FROM \(parent.list) p WHERE p.seq = c.up)")
    }
  }

  /// The numbers on the list that rows of `edge.child` refer to that aren't doomed.
  func addHeld(by edge: DeletionEdge, to sql: inout SQL, graph: DeletionGraph, without doomed: DoomedRows) {
    let match = "\(edge.reference(of: "y")) = \(keyTuple(of: edge, as: "c"))"
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
  func makeLists(
    on connection: any DatabaseConnection, graph: DeletionGraph, doomed: inout DoomedRows
  ) throws -> Listing {
    var listing = Listing()
    for pass in tree {
      for edge in pass.edges where !graph.isIndexed(edge) {
        guard let row = graph.catalogue[edge.child]?.rowNumber else {
          try graph.refuseScan(edge, on: connection)
          continue
        }
        listing.newest[edge.child.schemaKey] = try connection.newestRow(of: edge.child, row)
      }
    }
    try makeList(on: connection, parent: nil, graph: graph, without: doomed)
    doomed.add(self)
    try makeChildLists(on: connection, graph: graph, doomed: &doomed)
    // What holds a row of a tree lies outside of it, so nothing that is struck off can hold another.
    try removeHeld(from: &listing, on: connection, graph: graph, without: doomed)
    listing.excepted = try removeExcepted(on: connection)
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
