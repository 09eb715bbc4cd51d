import UpkeepCore
public import UpkeepDatabase

/// What becomes of rows whose parent is deleted.
public enum EdgeAction: Hashable, Sendable {
  /// They go with it.
  case delete
  /// Their reference is set to NULL.
  case unlink
  /// They keep it: a parent that such a row refers to stays.
  case hold
}

/// A reference between tables and what a deletion does about it.
public struct DeletionEdge: Hashable, Sendable {
  /// The table that refers.
  public var child: String
  /// Its columns.
  public var columns: [String]
  /// The table it refers to.
  public var parent: String
  /// The columns it refers to.
  public var parentColumns: [String]
  /// What becomes of the rows.
  public var action: EdgeAction
  /// The collations that the referring columns must be compared under where those aren't their own: a foreign key is
  /// compared under the collation of the column that it refers to.
  var collations: [String?] = []

  /// Declares an edge: one that the schema doesn't have, or another action for one that it has.
  public init(
    _ child: String, _ column: String, to parent: String, column parentColumn: String = "id", _ action: EdgeAction
  ) {
    self.init(child: child, columns: [column], parent: parent, parentColumns: [parentColumn], action: action)
  }

  /// Creates an edge.
  public init(child: String, columns: [String], parent: String, parentColumns: [String], action: EdgeAction) {
    self.child = child
    self.columns = columns
    self.parent = parent
    self.parentColumns = parentColumns
    self.action = action
  }
}

/// How tables refer to each other: the live foreign keys, and what a task declares beside them.
public struct DeletionGraph: Sendable {
  /// The live schema.
  public let catalogue: Catalogue
  private let edges: [DeletionEdge]

  /// Joins the schema's foreign keys with declared edges.
  ///
  /// A declared edge takes the place of the foreign key with the same columns; one whose table or column doesn't exist
  /// is left out. A foreign key nobody speaks of does what the schema says: `CASCADE` deletes, `SET NULL` unlinks,
  /// everything else holds its parent. So does a reference that can't be set to NULL.
  public init(_ catalogue: Catalogue, declared: [DeletionEdge]) {
    self.catalogue = catalogue
    let declared = declared.filter { edge in
      guard let child = catalogue[edge.child], let parent = catalogue[edge.parent] else { return false }
      return edge.columns.allSatisfy { child.column($0) != nil }
        && edge.parentColumns.allSatisfy { parent.column($0) != nil }
    }
    let live = catalogue.foreignKeys.filter { catalogue[$0.parent] != nil }.map { key in
      let action: EdgeAction =
        switch key.onDelete {
        case .cascade: .delete
        case .setNull: .unlink
        case .restrict, .setDefault: .hold
        }
      return DeletionEdge(
        child: key.child, columns: key.columns, parent: key.parent, parentColumns: key.parentColumns, action: action)
    }
    edges = (declared + live.filter { key in !declared.contains { $0.isSameReference(as: key) } }).map {
      Self.completed($0, catalogue)
    }
  }

  private static func completed(_ edge: DeletionEdge, _ catalogue: Catalogue) -> DeletionEdge {
    guard let child = catalogue[edge.child], let parent = catalogue[edge.parent] else { return edge }
    var edge = edge
    if edge.action == .unlink, !edge.columns.allSatisfy({ child.mayBeNull($0) }) { edge.action = .hold }
    edge.collations = zip(edge.columns, edge.parentColumns).map { column, key in
      guard let wanted = parent.column(key)?.collation, child.column(column)?.collation != wanted else { return nil }
      return wanted
    }
    return edge
  }

  /// The edges that lead to a table.
  public func edges(to table: String) -> [DeletionEdge] {
    edges.filter { $0.parent.schemaKey == table.schemaKey }
  }

  /// Whether the schema has a foreign key for an edge.
  func isDeclared(_ edge: DeletionEdge) -> Bool {
    catalogue.foreignKeys.contains { key in
      key.child.schemaKey == edge.child.schemaKey && key.parent.schemaKey == edge.parent.schemaKey
        && key.columns.map(\.schemaKey) == edge.columns.map(\.schemaKey)
    }
  }

  /// Whether the rows that refer to a parent can be found without reading the whole table.
  public func isIndexed(_ edge: DeletionEdge) -> Bool {
    guard let child = catalogue[edge.child] else { return false }
    // SQLite uses no index for a row value with a collation of its own in front of IN.
    guard edge.columns.count == 1 || edge.collations.allSatisfy({ $0 == nil }) else { return false }
    let collations = zip(edge.columns, edge.collations).map { column, collation in
      collation ?? child.column(column)?.collation ?? ColumnDescription.binary
    }
    return child.hasIndex(on: edge.columns, collations: collations)
  }

  /// The statements that would make the indexes which a table's references lack.
  func missingIndexes(of table: String) -> [String] {
    edges.filter { $0.child.schemaKey == table.schemaKey && !isIndexed($0) }.map(indexStatement)
  }

  /// The statement that would make an edge cheap to follow.
  func indexStatement(_ edge: DeletionEdge) -> String {
    indexStatement(edge.child, edge.columns) ?? edge.indexStatement
  }

  /// The statements that make an index without keeping anybody waiting, where the engine knows a way: a partitioned table
  /// gets it part by part.
  func indexStatement(_ table: String, _ columns: [String]) -> String? {
    guard catalogue.engine == .postgres, let description = catalogue[table] else { return nil }
    func statement(_ table: String, _ how: String) -> String {
      let plain = table.split(separator: ".").last.map { String($0.filter { $0 != "\"" }) } ?? table
      let name = (["ix", plain] + columns).joined(separator: "_").lowercased().prefix(63)
      return "CREATE INDEX\(how) \(SQL.quoted(String(name))) ON \(table) (\(SQL.list(columns)))"
    }
    let whole = SQL.quoted(description.name)
    guard !description.partitions.isEmpty else { return statement(whole, " CONCURRENTLY") }
    return (description.partitions.map { statement($0, " CONCURRENTLY") } + [statement(whole, "")])
      .joined(separator: "; ")
  }

  /// How the names of the program's own temporary tables begin: as no table of the database does, since a statement that
  /// names a table finds a temporary one first.
  var prefix: String {
    var prefix = "upkeep_"
    while catalogue.names.contains(where: { $0.hasPrefix(prefix) }) { prefix += "_" }
    return prefix
  }

  /// Refuses an edge that would need a scan of a large table for each batch.
  ///
  /// Elsewhere one pass over the table is made instead, and rows that come later are found by their row number; so it
  /// can't be where rows have none.
  func refuseScan(_ edge: DeletionEdge, on connection: any DatabaseConnection) throws {
    // A server makes one pass over both and joins them.
    guard catalogue.engine == .sqlite, !isIndexed(edge), try Preflight.isLarge(edge.child, on: connection) else {
      return
    }
    throw TaskError(
      code: "missing_index", place: "table \(edge.child)",
      problem: "\(edge.columns.joined(separator: ", ")), by which it refers to \(edge.parent), has no index: "
        + "SQLite would read all of it for each batch",
      fix: "create one: \(indexStatement(edge));")
  }
}

extension TableDescription {
  /// Whether a column can be set to NULL.
  fileprivate func mayBeNull(_ name: String) -> Bool {
    guard let column = column(name), !column.isNotNull, !column.isGenerated else { return false }
    // An INTEGER PRIMARY KEY is the row number itself.
    return primaryKey.map(\.schemaKey) != [name.schemaKey] || column.type.uppercased() != "INTEGER"
  }
}

extension DeletionEdge {
  func isSameReference(as other: DeletionEdge) -> Bool {
    child.schemaKey == other.child.schemaKey && parent.schemaKey == other.parent.schemaKey
      && columns.map(\.schemaKey) == other.columns.map(\.schemaKey)
  }

  /// The statement that would make this edge cheap to follow.
  var indexStatement: String {
    let name = (["ix", child] + columns).joined(separator: "_").lowercased()
    return "CREATE INDEX \(SQL.quoted(name)) ON \(SQL.quoted(child)) (\(terms(of: nil)))"
  }

  /// The referring columns, as one value to be compared with what they refer to.
  func reference(of alias: String? = nil) -> String {
    columns.count == 1 ? terms(of: alias) : "(\(terms(of: alias)))"
  }

  private func terms(of alias: String?) -> String {
    columns.enumerated().map { index, column in
      let collation = index < collations.count ? collations[index] : nil
      return SQL.list([column], of: alias) + (collation.map { " COLLATE \($0)" } ?? "")
    }.joined(separator: ", ")
  }
}
