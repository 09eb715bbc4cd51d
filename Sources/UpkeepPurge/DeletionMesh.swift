import UpkeepCore
import UpkeepDatabase

/// The deletion of rows of tables that refer to each other in another way than a tree: to themselves, in a ring, or by
/// several ways to one table.
///
/// A tree of tables can be gone through one table after the other. Here the order is one of rows: every row that goes is
/// listed, whatever its table, and has a place before the rows that it refers to. Rows that refer to each other in a ring
/// share one, and go in one transaction.
struct DeletionMesh: Sendable {
  /// A reference between two of the tables.
  struct Link: Sendable {
    let edge: DeletionEdge
    /// The places of the two tables among the passes.
    let child: Int
    let parent: Int
  }

  /// The tables, the rule's own first. What a table takes along, unlinks and is held by stands in its pass; all that it
  /// takes along has a pass of its own.
  let passes: [DeletionPass]
  let links: [Link]

  init(_ passes: [DeletionPass]) {
    self.passes = passes
    var links: [Link] = []
    for (parent, pass) in passes.enumerated() {
      for edge in pass.edges {
        guard let child = passes.firstIndex(where: { $0.table.name.schemaKey == edge.child.schemaKey }) else {
          continue
        }
        links.append(Link(edge: edge, child: child, parent: parent))
      }
    }
    self.links = links
  }

  /// Where the numbers of a table's rows begin: no two rows of the mesh have the same.
  static func base(_ index: Int) -> Int64 { Int64(index) << 40 }

  /// The place of the pass over a table of the mesh.
  func index(of table: String) -> Int? {
    passes.firstIndex { $0.table.name.schemaKey == table.schemaKey }
  }

  /// Lists the rows that go, with their places, and adds the lists to `doomed`.
  ///
  /// Beside what other lists hold, `place` is the row's place in the order; `up` is NULL for the rule's own rows.
  func makeLists(
    on connection: any DatabaseConnection, graph: DeletionGraph, doomed: inout DoomedRows
  ) throws -> Listing {
    for edge in passes.flatMap(\.edges) { try graph.refuseScan(edge, on: connection) }
    for pass in passes { try pass.createList(", place INTEGER", on: connection) }
    let roots = try listRoots(on: connection, without: doomed)
    let lasts = try listMembers(roots, on: connection, graph: graph, without: doomed)
    for pass in passes {
      for (number, edge) in pass.edges.enumerated() { try pass.indexList(for: edge, number, on: connection) }
    }
    for pass in passes { doomed.add(pass) }
    var listing = Listing()
    let verdict = try verdict(
      lasts, roots: roots, holders: &listing.holders, on: connection, graph: graph, going: doomed)
    try place(verdict, lasts, on: connection)
    listing.held = verdict.held
    listing.excepted = verdict.excepted
    return listing
  }

  private func listRoots(on connection: any DatabaseConnection, without doomed: DoomedRows) throws -> Int {
    let root = passes[0]
    guard case .condition(let condition) = root.selection else { return 0 }
    var sql = SQL("INSERT INTO \(root.list) (\(root.listed)) SELECT \(root.listedValues) FROM ")
    sql += "\(SQL.quoted(root.table.name)) t WHERE "
    sql.add(condition, of: "t")
    doomed.exclude(root.table.name, as: "t", from: &sql)
    sql += " ORDER BY \(root.identityColumns(of: "t"))"
    return try connection.execute(sql.text, sql.values)
  }

  /// Lists all that goes with what is listed, round by round: each looks at the rows that the one before has found.
  /// - Returns: The last row of each list.
  private func listMembers(
    _ roots: Int, on connection: any DatabaseConnection, graph: DeletionGraph, without doomed: DoomedRows
  ) throws -> [Int64] {
    var lasts = passes.indices.map { Self.base($0) + ($0 == 0 ? Int64(roots) : 0) }
    var looked = passes.indices.map { Self.base($0) }
    let steps = links.filter { $0.edge.action == .delete }.map { ($0, rows(by: $0, graph: graph, without: doomed)) }
    while looked != lasts {
      let (from, through) = (looked, lasts)
      for (link, sql) in steps where from[link.parent] < through[link.parent] {
        let last = lasts[link.child]
        let values: [DatabaseValue] = [.integer(from[link.parent]), .integer(through[link.parent]), .integer(last)]
        guard try connection.execute(sql.text, values + sql.values) > 0 else { continue }
        lasts[link.child] = try connection.integer("SELECT max(seq) FROM \(passes[link.child].list)")
      }
      looked = through
    }
    return lasts
  }

  private func rows(by link: Link, graph: DeletionGraph, without doomed: DoomedRows) -> SQL {
    let (child, parent) = (passes[link.child], passes[link.parent])
    var sql = SQL("INSERT OR IGNORE INTO \(child.list) (seq, \(child.listed)) SELECT ", reserved: 3)
    sql += "?3 + row_number() OVER (), \(child.listedValues) "
    sql += "FROM \(parent.list) p CROSS JOIN \(SQL.quoted(child.table.name)) t "
    sql +=
      "WHERE p.seq > ?1 AND p.seq <= ?2 AND \(link.edge.reference(of: "t")) = \(parent.keyTuple(of: link.edge, as: "p"))"
    doomed.exclude(child.table.name, as: "t", from: &sql)
    return sql
  }

  private func verdict(
    _ lasts: [Int64], roots: Int, holders: inout [String], on connection: any DatabaseConnection,
    graph: DeletionGraph, going: DoomedRows
  ) throws -> RowGraph.Verdict {
    let counts = lasts.enumerated().map { Int($1 - Self.base($0)) }
    let offsets = counts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
    guard offsets[counts.count] < Int(Int32.max) else {
      throw TaskError(
        code: "too_many_rows", place: "table \(passes[0].table.name)",
        problem: "more than two thousand million rows go together", fix: "keep more rows at first, and less later")
    }
    func node(_ seq: Int64) -> Int32 {
      let table = Int(seq >> 40)
      return Int32(offsets[table] + Int(seq - Self.base(table)) - 1)
    }
    var rows = RowGraph(count: offsets[counts.count], roots: roots)
    for link in links {
      let (child, parent) = (passes[link.child], passes[link.parent])
      let kind: RowGraph.Link =
        switch link.edge.action {
        case .delete: .takes
        case .hold: .holds
        case .unlink: .follows
        }
      let statement =
        "SELECT c.seq, p.seq FROM \(child.list) c CROSS JOIN \(SQL.quoted(child.table.name)) t CROSS JOIN "
        + "\(parent.list) p WHERE \(child.isListed("t", as: "c")) AND "
        + "\(link.edge.reference(of: "t")) = \(parent.keyTuple(of: link.edge, as: "p"))"
      try connection.query(statement, []) { rows.add(from: node($0.integer(0)), to: node($0.integer(1)), kind) }
    }
    var (held, excepted): ([Int32], [Int32]) = ([], [])
    for pass in passes {
      for edge in pass.holds {
        var sql = SQL()
        pass.addHeld(by: edge, to: &sql, graph: graph, without: going)
        let before = held.count
        try connection.query(sql.text, sql.values) { held.append(node($0.integer(0))) }
        if held.count > before, !holders.contains(edge.child) { holders.append(edge.child) }
      }
      for condition in pass.exceptedConditions {
        try connection.query("SELECT seq FROM \(pass.list) WHERE \(condition)", []) {
          excepted.append(node($0.integer(0)))
        }
      }
    }
    return rows.verdict(held: held, excepted: excepted)
  }

  /// Writes into the lists what becomes of their rows, and strikes off those that stay.
  ///
  /// A row's place and the row that it goes with travel as one number, since a row of a list costs a statement of its own
  /// otherwise.
  private func place(_ verdict: RowGraph.Verdict, _ lasts: [Int64], on connection: any DatabaseConnection) throws {
    var first = 0
    var cases = ""
    var ends: [DatabaseValue] = []
    for (index, last) in lasts.enumerated() {
      let end = first + Int(last - Self.base(index))
      cases += " WHEN j.value & 2147483647 < ?\(4 + index) THEN (j.value & 2147483647) + \(Self.base(index)) + 1 - "
      cases += index == 0 ? "0" : "?\(3 + index)"
      ends.append(.integer(Int64(end)))
      first = end
    }
    first = 0
    for (index, pass) in passes.enumerated() {
      let count = Int(lasts[index] - Self.base(index))
      let update =
        "UPDATE \(pass.list) SET place = j.value >> 31, up = nullif(CASE\(cases) END, ?2 + j.key) "
        + "FROM json_each(?1) AS j WHERE \(pass.listName).seq = ?2 + j.key AND j.value > ?3"
      for start in stride(from: 0, to: count, by: 10_000) {
        let rows = (first + start)..<(first + min(count, start + 10_000))
        let parts = rows.map { row in
          verdict.places[row] == 0 ? "0" : String(Int64(verdict.places[row]) << 31 | Int64(verdict.takers[row]))
        }
        let values: [DatabaseValue] = [
          .text("[\(parts.joined(separator: ","))]"), .integer(Self.base(index) + Int64(start) + 1), 0,
        ]
        try connection.execute(update, values + ends)
      }
      first += count
      try connection.execute("DELETE FROM \(pass.list) WHERE place IS NULL")
      try connection.execute("CREATE INDEX \(pass.list)_place ON \(pass.listName) (place)")
    }
  }
}
