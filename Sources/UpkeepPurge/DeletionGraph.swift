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
  /// everything else holds its parent.
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
    edges = declared + live.filter { key in !declared.contains { $0.isSameReference(as: key) } }
  }

  /// The edges that lead to a table.
  public func edges(to table: String) -> [DeletionEdge] {
    edges.filter { $0.parent.lowercased() == table.lowercased() }
  }

  /// Whether the rows that refer to a parent can be found without reading the whole table.
  public func isIndexed(_ edge: DeletionEdge) -> Bool {
    catalogue[edge.child]?.hasIndex(on: edge.columns) ?? false
  }
}

extension DeletionEdge {
  func isSameReference(as other: DeletionEdge) -> Bool {
    child.lowercased() == other.child.lowercased() && parent.lowercased() == other.parent.lowercased()
      && columns.map { $0.lowercased() } == other.columns.map { $0.lowercased() }
  }

  /// The statement that would make this edge cheap to follow.
  var indexStatement: String {
    let name = (["ix", child] + columns).joined(separator: "_").lowercased()
    return "CREATE INDEX \(SQL.quoted(name)) ON \(SQL.quoted(child)) (\(SQL.list(columns)))"
  }
}
