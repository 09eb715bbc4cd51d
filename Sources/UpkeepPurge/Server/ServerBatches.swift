import UpkeepCore
import UpkeepDatabase

/// Batches of listed rows on a server, where others write beside them.
///
/// The first try of a batch takes it for granted that nothing has changed since the rows were listed; what has shows in
/// that fewer rows go than were listed, or in a foreign key that isn't met: then the whole batch is undone, and done again
/// with a look at each row. Rows that would be read in a batch are found by their keys alone, so that a batch costs as
/// much at the end of a large table as at its beginning.
struct ServerBatches: CountedBatches {
  let start: Int64 = 0
  private let pass: DeletionPass
  private let isCareful: Bool
  private let staleRows: SQL
  private let heldRows: [SQL]
  private let exceptedRows: [SQL]
  private let deletions: [(tally: TableTally, sql: SQL)]
  /// Whether rows that hold others must be looked for by the batch itself, since no foreign key does.
  private let looksForHolders: Bool

  /// Prepares the batches; nothing where the list is empty.
  init?(
    _ pass: DeletionPass, ancestors: [DeletionPass], graph: DeletionGraph, on connection: any DatabaseConnection
  ) throws {
    guard try connection.integer("SELECT EXISTS (SELECT 1 FROM \(pass.list))") == 1 else { return nil }
    self.init(pass, ancestors: ancestors, graph: graph)
  }

  private init(_ pass: DeletionPass, ancestors: [DeletionPass], graph: DeletionGraph) {
    self.pass = pass
    // What a row of a child belongs to is looked at each time: it may stay by now.
    isCareful = !ancestors.isEmpty
    var stale = SQL("DELETE FROM \(pass.list) AS c WHERE c.seq > ?1 AND c.seq <= ?2 AND NOT ", reserved: 2)
    pass.addStillSelected(as: "c", parents: ancestors[...], to: &stale)
    staleRows = stale
    let listing = Listing()
    heldRows = pass.heldRows(ancestors: ancestors, graph: graph, listing: listing)
    exceptedRows = pass.exceptedRows(ancestors: ancestors, graph: graph, listing: listing)
    looksForHolders = (pass.holds + pass.children.compactMap(\.edge)).contains { !graph.isDeclared($0) }
    let range = "WHERE l.seq > ?1 AND l.seq <= ?2"
    var deletions: [(tally: TableTally, sql: SQL)] = []
    for edge in pass.leaves + pass.unlinks {
      let tally = TableTally(table: edge.child, rows: 0, isUnlink: edge.action == .unlink)
      let keys = "SELECT \(pass.key(of: edge, as: "l")) FROM \(pass.list) l \(range)"
      // A list of unknown length is found by an index whatever its length; a join might read the whole table.
      let match = edge.columns.count == 1 ? "= ANY (ARRAY(\(keys)))" : "IN (\(keys))"
      deletions.append((tally, edge.change.wrapped("", "\(edge.reference()) \(match)")))
    }
    var own = SQL("DELETE FROM \(SQL.quoted(pass.table.name)) t WHERE ", reserved: 2)
    own += "t.\(SQL.quoted(pass.identity[0])) = ANY (ARRAY(SELECT l.r0 FROM \(pass.list) l \(range)))"
    if pass.identity.count > 1 {
      own += " AND \(pass.identity(of: "t")) IN (SELECT \(pass.listedIdentity(of: "l")) FROM \(pass.list) l \(range))"
    }
    switch pass.selection {
    case .condition(let condition):
      own += " AND "
      own.add(condition, of: "t")
    case .children(_, let edge):
      guard let parent = ancestors.first else { break }
      own += " AND \(edge.reference(of: "t")) IN (SELECT \(parent.key(of: edge, as: "p")) FROM \(parent.list) p "
      own += "WHERE p.seq IN (SELECT l.up FROM \(pass.list) l \(range)))"
    case .members:
      break
    }
    deletions.append((TableTally(table: pass.table.name, rows: 0), own))
    self.deletions = deletions
  }

  private init(_ other: ServerBatches, isCareful: Bool) {
    pass = other.pass
    self.isCareful = isCareful
    staleRows = other.staleRows
    heldRows = other.heldRows
    exceptedRows = other.exceptedRows
    deletions = other.deletions
    looksForHolders = other.looksForHolders
  }

  /// The same batches, with a look at each row.
  var careful: ServerBatches { ServerBatches(self, isCareful: true) }

  var boundStatement: String {
    "SELECT max(seq), count(*), min(at), max(at) FROM "
      + "(SELECT seq, at FROM \(pass.list) WHERE seq > ?1 ORDER BY seq LIMIT ?2) AS listed"
  }

  private var countStatement: String { "SELECT count(*) FROM \(pass.list) WHERE seq > ?1 AND seq <= ?2" }

  var statements: [String] {
    [boundStatement] + deletions.map(\.sql.text)
  }

  /// The statements of a batch with the values that their plans are to be made for.
  var explained: [SQL] { deletions.map(\.sql) }

  func parts(after cursor: Int64, rows: Int, each part: Int, on connection: any DatabaseConnection) throws
    -> [BatchBound]
  {
    try bound(after: cursor, rows: rows, on: connection).map { [$0] } ?? []
  }

  func delete(after cursor: Int64, through last: Int64, on connection: any DatabaseConnection) throws -> BatchOutcome {
    let range: [DatabaseValue] = [.integer(cursor), .integer(last)]
    var outcome = BatchOutcome(tallies: [])
    if isCareful { try connection.execute(staleRows.text, range + staleRows.values) }
    for (index, sql) in exceptedRows.enumerated() {
      let struck = try connection.execute(sql.text, range + sql.values)
      if index == 0 { outcome.excepted = struck }
    }
    if isCareful || looksForHolders {
      for sql in heldRows { outcome.held = try connection.execute(sql.text, range + sql.values) }
    }
    let expected = Int(try connection.integer(countStatement, range))
    for (tally, sql) in deletions {
      var tally = tally
      tally.rows = try connection.execute(sql.text, range + sql.values)
      outcome.tallies.append(tally)
    }
    if let own = outcome.tallies.last, own.rows != expected {
      throw TaskError(
        code: Self.conflict, place: "table \(pass.table.name)",
        problem: "of \(expected) rows that were to go \(own.rows) could be deleted, again and again",
        fix: "see whether a trigger of the table keeps rows from being deleted")
    }
    return outcome
  }

  /// The code of the error that a batch ends with where rows have changed since they were looked at.
  static let conflict = "rows_changed"
}

extension BatchSource {
  /// The batches for another try, after one failed.
  var retried: any BatchSource { (self as? ServerBatches)?.careful ?? self }
}
