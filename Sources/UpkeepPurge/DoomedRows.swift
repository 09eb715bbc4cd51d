import UpkeepDatabase

/// The rows that earlier parts of a plan take, as a condition on a table.
///
/// A run deletes them before it looks at the next rule; a preview must leave them out instead, so that a row isn't
/// counted twice and doesn't hold a parent that it won't be there to hold.
struct DoomedRows: Sendable {
  private enum Clause: Sendable {
    /// Rows that a pass selects directly.
    case condition(RowCondition)
    /// Rows on a pass's list.
    case listed(DeletionPass)
    /// Rows that go with the rows that a pass selects directly.
    case leafOfCondition(DeletionEdge, RowCondition)
    /// Rows that go with the rows on a pass's list.
    case leafOfListed(DeletionEdge, DeletionPass)
    /// All rows of some partitions of a server's table, by the numbers of those.
    case partitions([Int64])
  }

  private var clauses: [String: [Clause]] = [:]
  private var engine = DatabaseEngine.sqlite

  /// Adds the rows that a pass itself takes.
  mutating func add(_ pass: DeletionPass) {
    let table = pass.table.name.schemaKey
    engine = pass.table.engine
    if pass.isDirect, case .condition(let condition) = pass.selection {
      clauses[table, default: []].append(.condition(condition))
    } else {
      clauses[table, default: []].append(.listed(pass))
    }
  }

  /// Adds the rows that go with a pass's rows by one edge.
  mutating func add(_ edge: DeletionEdge, of pass: DeletionPass) {
    let table = edge.child.schemaKey
    engine = pass.table.engine
    if pass.isDirect, case .condition(let condition) = pass.selection {
      clauses[table, default: []].append(.leafOfCondition(edge, condition))
    } else {
      clauses[table, default: []].append(.leafOfListed(edge, pass))
    }
  }

  /// Adds all rows of a partition.
  mutating func add(_ partition: WholePartition, of table: String) {
    engine = .postgres
    clauses[table.schemaKey, default: []].append(.partitions(partition.leaves))
  }

  /// A server joins against the absence of rows, however many there are; a list behind `IN` must fit its memory.
  private func excludeOnServer(_ clause: Clause, as alias: String, from sql: inout SQL) {
    switch clause {
    case .listed(let pass):
      sql += " AND NOT EXISTS (SELECT 1 FROM \(pass.list) d WHERE \(pass.isListed(alias, as: "d")))"
    case .leafOfListed(let edge, let pass):
      let match = "\(edge.reference(of: alias)) = \(pass.keyTuple(of: edge, as: "d"))"
      sql += " AND NOT EXISTS (SELECT 1 FROM \(pass.list) d WHERE \(match))"
    case .partitions(let numbers):
      sql += " AND \(alias).tableoid <> ALL (CAST('{\(numbers.map(String.init).joined(separator: ","))}' AS oid[]))"
    case .condition(let condition):
      sql += " AND ("
      sql.add(condition, of: alias)
      sql += ") IS NOT TRUE"
    case .leafOfCondition(let edge, let condition):
      sql += " AND NOT "
      sql.addParent(of: alias, by: edge, condition)
    }
  }

  /// Whether earlier parts of the plan take rows of a table.
  func concerns(_ table: String) -> Bool {
    !(clauses[table.schemaKey] ?? []).isEmpty
  }

  /// Adds ` AND (…) IS NOT TRUE` for the doomed rows of a table, where there are any.
  func exclude(_ table: String, as alias: String, from sql: inout SQL) {
    guard let clauses = clauses[table.schemaKey], !clauses.isEmpty else { return }
    if engine == .postgres { return clauses.forEach { excludeOnServer($0, as: alias, from: &sql) } }
    sql += " AND ("
    for (index, clause) in clauses.enumerated() {
      if index > 0 { sql += " OR " }
      switch clause {
      case .condition(let condition):
        sql.add(condition, of: alias)
      case .listed(let pass):
        sql += "\(pass.identity(of: alias)) IN (SELECT \(pass.listedIdentity()) FROM \(pass.list))"
      case .leafOfCondition(let edge, let condition):
        sql.addParent(of: alias, by: edge, condition)
      case .partitions:
        sql += "FALSE"
      case .leafOfListed(let edge, let pass):
        sql += "\(edge.reference(of: alias)) IN (SELECT \(pass.key(of: edge)) FROM \(pass.list))"
      }
    }
    sql += ") IS NOT TRUE"
  }
}

extension SQL {
  /// Adds that a row refers to one that a condition selects.
  fileprivate mutating func addParent(of alias: String, by edge: DeletionEdge, _ condition: RowCondition) {
    self += "EXISTS (SELECT 1 FROM \(SQL.quoted(edge.parent)) d WHERE "
    self += "\(SQL.tuple(edge.parentColumns, of: "d")) = \(edge.reference(of: alias)) AND "
    add(condition, of: "d")
    self += ")"
  }
}
