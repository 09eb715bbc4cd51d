import UpkeepCore
import UpkeepDatabase

/// Batches of the rows of a mesh, in the order of their places, whatever their table.
///
/// Each batch looks again, within its transaction, whether its rows are still selected and still free. Foreign keys
/// aren't enforced meanwhile: what SQLite would check row by row, the batch has checked for all of them, and a row may go
/// a moment before the one that refers to it. Nothing is seen of that outside the transaction. Only where triggers delete
/// rows that others refer to must SQLite see to those: then its checks wait for the commit.
struct MeshBatches: CountedBatches {
  let start: Int64 = 0
  let boundStatement: String
  /// Collect the rows of the batch and all that they go with, then those of them that aren't selected any more.
  private let climbing: [SQL]
  /// Strike off rows that aren't selected any more, that are excepted, that a row refers to which stays.
  private let strikingStale: [SQL]
  private let strikingExcepted: [SQL]
  private let strikingHeld: [SQL]
  private let deletions: [(tally: TableTally, sql: SQL)]
  private let times: [String?]
  private let counts: [String?]
  private let enforces: Bool

  /// Prepares the batches.
  ///
  /// - Parameter enforces: Whether foreign keys are enforced all the same.
  init(_ mesh: DeletionMesh, graph: DeletionGraph, enforces: Bool, on connection: any DatabaseConnection) throws {
    let builder = MeshStatements(mesh: mesh, graph: graph)
    try builder.createTables(on: connection)
    boundStatement = builder.bound
    climbing = builder.climbing
    strikingStale = builder.strike(builder.stale)
    strikingExcepted = builder.excepted
    strikingHeld = builder.held
    deletions = builder.unlinks + builder.deletions
    times = builder.unlinks.map { _ in nil } + builder.times
    counts = builder.unlinks.map { _ in nil } + builder.counts
    self.enforces = enforces
  }

  var statements: [String] {
    [boundStatement] + (climbing + strikingStale + strikingExcepted + strikingHeld + deletions.map(\.sql)).map(\.text)
      + (times + counts).compactMap { $0 }
  }

  func delete(after cursor: Int64, through last: Int64, on connection: any DatabaseConnection) throws -> BatchOutcome {
    let range: [DatabaseValue] = [.integer(cursor), .integer(last)]
    func execute(_ sql: SQL) throws -> Int { try connection.execute(sql.text, range + sql.values) }
    for sql in climbing + strikingStale { _ = try execute(sql) }
    var outcome = BatchOutcome(tallies: [])
    for (index, sql) in strikingExcepted.enumerated() {
      let struck = try execute(sql)
      if index == 0 { outcome.excepted = struck }
    }
    // A row that is struck off may keep others of the batch.
    var struck = 0
    repeat {
      struck = 0
      for (index, sql) in strikingHeld.enumerated() {
        let rows = try execute(sql)
        struck += rows
        if index == 0 { outcome.held += rows }
      }
    } while struck > 0
    // Where SQLite deletes the referring rows of a batch by itself, a statement says too few of those that it is for.
    var expected: [Int?] = counts.map { _ in nil }
    if enforces {
      try connection.execute("PRAGMA defer_foreign_keys = ON")
      expected = try counts.map { try $0.map { Int(try connection.integer($0, range)) } }
    }
    for (index, entry) in deletions.enumerated() {
      var tally = entry.tally
      if let statement = times[index], let row = try connection.first(statement, range) {
        tally.oldest = row[0].integer.map { Timestamp(microseconds: $0) }
        tally.newest = row[1].integer.map { Timestamp(microseconds: $0) }
      }
      let changed = try execute(entry.sql)
      tally.rows = expected[index] ?? changed
      outcome.tallies.append(tally)
    }
    return outcome
  }
}

/// The statements of a batch; `?1` is the last place before it and `?2` its own last one.
private struct MeshStatements {
  let mesh: DeletionMesh
  let graph: DeletionGraph

  private var prefix: String { mesh.passes[0].prefix }
  private var climbName: String { "\(prefix)climb_\(mesh.passes[0].id)" }
  private var staleName: String { "\(prefix)stale_\(mesh.passes[0].id)" }

  func createTables(on connection: any DatabaseConnection) throws {
    for name in [climbName, staleName] { try connection.execute("DROP TABLE IF EXISTS temp.\(name)") }
    try connection.execute("CREATE TABLE temp.\(climbName) (seq INTEGER PRIMARY KEY, up INTEGER)")
    try connection.execute("CREATE INDEX temp.\(climbName)_up ON \(climbName) (up)")
    try connection.execute("CREATE TABLE temp.\(staleName) (seq INTEGER PRIMARY KEY)")
  }

  private func within(_ alias: String) -> String { "\(alias).place > ?1 AND \(alias).place <= ?2" }

  /// A batch ends with the last row that has its last place.
  var bound: String {
    let places = mesh.passes.map { "SELECT l.place AS place FROM \($0.list) l WHERE l.place > ?1" }
    return "SELECT max(place), count(*), NULL, NULL FROM (\(places.joined(separator: " UNION ALL ")) "
      + "ORDER BY place LIMIT ?2)"
  }

  /// A row is selected where the rule selects it, or where it still refers to the row that it was listed with and that
  /// one is selected. So each row of the batch is followed up to the rule's own, and what has changed above it counts for
  /// all below.
  var climbing: [SQL] {
    var climb = SQL("INSERT INTO temp.\(climbName) WITH RECURSIVE \(prefix)above(seq, up) AS (", reserved: 2)
    climb += mesh.passes.map { "SELECT l.seq, l.up FROM \($0.list) l WHERE \(within("l"))" }
      .joined(separator: " UNION ")
    for pass in mesh.passes {
      climb += " UNION SELECT l.seq, l.up FROM \(prefix)above a CROSS JOIN \(pass.list) l WHERE l.seq = a.up"
    }
    climb += ") SELECT seq, up FROM \(prefix)above"
    var stale = SQL("INSERT INTO temp.\(staleName) WITH RECURSIVE \(prefix)gone(seq) AS (", reserved: 2)
    let root = mesh.passes[0]
    stale += "SELECT a.seq FROM temp.\(climbName) a WHERE a.up IS NULL AND NOT EXISTS (SELECT 1 FROM \(root.list) l "
    stale += "CROSS JOIN \(SQL.quoted(root.table.name)) t WHERE l.seq = a.seq AND \(root.isListed("t", as: "l")) AND "
    if case .condition(let condition) = root.selection { stale.add(condition, of: "t") }
    stale += ")"
    for (index, child) in mesh.passes.enumerated() {
      let (base, end) = (DeletionMesh.base(index), DeletionMesh.base(index + 1))
      stale +=
        " UNION SELECT a.seq FROM temp.\(climbName) a WHERE a.up IS NOT NULL AND a.seq > \(base) AND a.seq < \(end)"
      for link in mesh.links where link.child == index && link.edge.action == .delete {
        let parent = mesh.passes[link.parent]
        stale += " AND NOT EXISTS (SELECT 1 FROM \(child.list) l CROSS JOIN \(SQL.quoted(child.table.name)) t "
        stale += "CROSS JOIN \(parent.list) p WHERE l.seq = a.seq AND \(child.isListed("t", as: "l")) AND "
        stale += "p.seq = a.up AND \(link.edge.reference(of: "t")) = \(parent.keyTuple(of: link.edge, as: "p")))"
      }
    }
    stale += " UNION SELECT a.seq FROM \(prefix)gone s CROSS JOIN temp.\(climbName) a WHERE a.up = s.seq) "
    stale += "SELECT seq FROM \(prefix)gone"
    return [
      SQL("DELETE FROM temp.\(climbName)", reserved: 2), SQL("DELETE FROM temp.\(staleName)", reserved: 2), climb,
      stale,
    ]
  }

  var stale: String { "SELECT s.seq FROM temp.\(staleName) s" }

  func strike(_ rows: String) -> [SQL] {
    mesh.passes.map { SQL("DELETE FROM \($0.list) AS c WHERE \(within("c")) AND c.seq IN (\(rows))", reserved: 2) }
  }

  /// Rows that are excepted, or whose loss would change one that is. An excepted row that would go along is on a list
  /// itself.
  var excepted: [SQL] {
    mesh.passes.compactMap { pass in
      var rows: [String] = []
      if let found = pass.excepted.from(pass.table.name, where: pass.isListed(SQL.quoted(pass.table.name), as: "c")) {
        rows.append("EXISTS (SELECT 1\(found))")
      }
      for edge in pass.unlinks {
        let match = "\(edge.reference(of: SQL.quoted(edge.child))) = \(pass.keyTuple(of: edge, as: "c"))"
        if let found = pass.excepted.from(edge.child, where: match) { rows.append("EXISTS (SELECT 1\(found))") }
      }
      let sql = "DELETE FROM \(pass.list) AS c WHERE \(within("c")) AND (\(rows.joined(separator: " OR ")))"
      return rows.isEmpty ? nil : SQL(sql, reserved: 2)
    }
  }

  /// Rows that a row refers to which doesn't go in this batch: what should have gone before is gone.
  var held: [SQL] {
    mesh.passes.map { pass in
      let rows = (pass.leaves + pass.holds).map { edge in
        let tables = [("\(pass.list) c", true), ("\(SQL.quoted(edge.child)) y", false)]
        let order = graph.isIndexed(edge) ? tables : tables.reversed()
        return "SELECT c.seq FROM \(order.map(\.0).joined(separator: " CROSS JOIN ")) WHERE \(within("c")) AND "
          + "\(edge.reference(of: "y")) = \(pass.keyTuple(of: edge, as: "c"))\(beyond(edge, "y"))"
      }
      let seqs = rows.isEmpty ? "NULL" : rows.joined(separator: " UNION ALL ")
      return SQL("DELETE FROM \(pass.list) WHERE seq IN (\(seqs))", reserved: 2)
    }
  }

  /// A condition: the referring row isn't of this batch.
  private func beyond(_ edge: DeletionEdge, _ row: String) -> String {
    guard let index = mesh.index(of: edge.child) else { return "" }
    let child = mesh.passes[index]
    return " AND NOT EXISTS (SELECT 1 FROM \(child.list) g WHERE \(child.isListed(row, as: "g")) AND \(within("g")))"
  }

  var unlinks: [(tally: TableTally, sql: SQL)] {
    mesh.passes.flatMap { pass in
      pass.unlinks.map { edge in
        let keys = "SELECT \(pass.key(of: edge, as: "c")) FROM \(pass.list) c WHERE \(within("c"))"
        let stays = beyond(edge, SQL.quoted(edge.child))
        return (
          TableTally(table: edge.child, rows: 0, isUnlink: true),
          edge.change.wrapped("", "\(edge.reference()) IN (\(keys))\(stays)")
        )
      }
    }
  }

  var deletions: [(tally: TableTally, sql: SQL)] {
    mesh.passes.map { pass in
      let rows = "SELECT \(pass.listedIdentity(of: "c")) FROM \(pass.list) c WHERE \(within("c"))"
      let sql = "DELETE FROM \(SQL.quoted(pass.table.name)) WHERE \(pass.identity()) IN (\(rows))"
      return (TableTally(table: pass.table.name, rows: 0), SQL(sql, reserved: 2))
    }
  }

  /// For each deletion, what tells how many rows it is for.
  var counts: [String?] {
    mesh.passes.map { "SELECT count(*) FROM \($0.list) c WHERE \(within("c"))" }
  }

  /// For each deletion, what tells the oldest and the newest of its rows.
  var times: [String?] {
    mesh.passes.map { pass in
      pass.timeColumn.map { _ in "SELECT min(c.at), max(c.at) FROM \(pass.list) c WHERE \(within("c"))" }
    }
  }
}
