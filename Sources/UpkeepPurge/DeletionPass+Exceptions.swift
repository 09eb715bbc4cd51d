import UpkeepDatabase

// An excepted row keeps the row that it would go with, or whose loss would change it: the row of the rule that all of
// them belong to stays with everything below it.

extension DeletionPass {
  /// The edges by which rows of other tables are deleted or changed along with this pass's rows, where such rows are
  /// excepted.
  private var exceptedEdges: [DeletionEdge] {
    (leaves + unlinks + children.compactMap(\.edge)).filter { excepted.concern($0.child) }
  }

  /// Strikes off the lists what must stay since it is excepted, or since an excepted row belongs to it.
  ///
  /// - Returns: How many rows of the root were struck off.
  func removeExcepted(on connection: any DatabaseConnection) throws -> Int {
    let tree = tree
    let parents = Dictionary(uniqueKeysWithValues: tree.flatMap { pass in pass.children.map { ($0.id, pass) } })
    var removed = 0
    for pass in tree {
      for condition in pass.exceptedConditions {
        var sql = "SELECT seq FROM \(pass.list) WHERE \(condition)"
        var climbing = pass
        while let parent = parents[climbing.id] {
          sql = "SELECT up FROM \(climbing.list) WHERE seq IN (\(sql))"
          climbing = parent
        }
        removed += try connection.execute("DELETE FROM \(list) WHERE seq IN (\(sql))")
      }
    }
    guard removed > 0 else { return 0 }
    for pass in tree {
      guard let parent = parents[pass.id] else { continue }
      try connection.execute(
        "DELETE FROM \(pass.list) AS c WHERE NOT EXISTS (SELECT 1 FROM \(parent.list) p WHERE p.seq = c.up)")
    }
    return removed
  }

  /// Conditions on the rows of the list under which they must stay. The excepted rows are looked up once for the list,
  /// by whatever index serves their expression.
  var exceptedConditions: [String] {
    var conditions: [String] = []
    if edge == nil, let rows = excepted.from(table.name) {
      let own = identityColumns(of: SQL.quoted(table.name))
      let listed = identity.count == 1 ? listedIdentity() : "(\(listedIdentity()))"
      conditions.append("\(listed) IN (SELECT \(own)\(rows))")
    }
    for edge in exceptedEdges {
      guard let rows = excepted.from(edge.child) else { continue }
      let columns = SQL.list(edge.columns, of: SQL.quoted(edge.child))
      conditions.append("\(keyTuple(of: edge)) IN (SELECT \(columns)\(rows))")
    }
    return conditions
  }

  /// The statements that strike off the lists, in each batch's transaction, the rows that must stay by now: the topmost
  /// list first and this one last.
  func exceptedRows(ancestors: [DeletionPass], graph: DeletionGraph, listing: Listing) -> [SQL] {
    let row = "upkeep_row"
    let stays = stayConditions(as: row, ancestors: ancestors[...], graph: graph, listing: listing, hasMaps: true)
    guard !stays.isEmpty else { return [] }
    let struck = "seq > ?1 AND seq <= ?2 AND (\(stays.joined(separator: " OR ")))"
    var statements = ["DELETE FROM \(list) AS \(row) WHERE \(struck)"]
    var climbed = "SELECT up FROM \(list) AS \(row) WHERE \(struck)"
    for ancestor in ancestors {
      statements.append("DELETE FROM \(ancestor.list) WHERE seq IN (\(climbed))")
      climbed = "SELECT up FROM \(ancestor.list) WHERE seq IN (\(climbed))"
    }
    return statements.reversed().map { SQL($0, reserved: 2) }
  }

  /// The conditions under which a listed row must stay: it is excepted, a row is that goes or changes with it, or what
  /// it belongs to stays.
  private func stayConditions(
    as row: String, ancestors: ArraySlice<DeletionPass>, graph: DeletionGraph, listing: Listing, hasMaps: Bool
  ) -> [String] {
    var conditions: [String] = []
    func add(_ rows: String?) {
      if let rows { conditions.append("EXISTS (SELECT 1\(rows))") }
    }
    add(excepted.from(table.name, where: isListed(SQL.quoted(table.name), as: row)))
    for (number, edge) in (leaves + unlinks).enumerated() where excepted.concern(edge.child) {
      let child = SQL.quoted(edge.child)
      let match = "\(edge.reference(of: child)) = \(keyTuple(of: edge, as: row))"
      if graph.isIndexed(edge) {
        add(excepted.from(edge.child, where: match))
      } else if graph.catalogue[edge.child]?.rowNumber == nil {
        add(excepted.from(edge.child, where: match))
      } else if hasMaps, let childRow = graph.catalogue[edge.child]?.rowNumber {
        let known = excepted.from(edge.child, where: "\(child).\(childRow) = upkeep_map.rid AND \(match)") ?? ""
        add(" FROM \(map(number)) AS upkeep_map WHERE upkeep_map.seq = \(row).seq AND EXISTS (SELECT 1\(known))")
        let newest = listing.newest[edge.child.schemaKey] ?? Listing.none
        add(excepted.from(edge.child, where: "\(child).\(childRow) > \(newest) AND \(match)"))
      }
    }
    if let parent = ancestors.first {
      let above = "upkeep_row_\(parent.id)"
      let stays = parent.stayConditions(
        as: above, ancestors: ancestors.dropFirst(), graph: graph, listing: listing, hasMaps: false)
      // Where an exception may keep the parent, one that isn't on its list any more stays, too: it was struck off before.
      if !stays.isEmpty {
        let goes = "\(above).seq = \(row).up AND NOT (\(stays.joined(separator: " OR ")))"
        conditions.append("NOT EXISTS (SELECT 1 FROM \(parent.list) AS \(above) WHERE \(goes))")
      }
    }
    return conditions
  }
}
