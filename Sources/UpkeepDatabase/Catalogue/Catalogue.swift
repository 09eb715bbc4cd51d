/// A column of a table.
public struct ColumnDescription: Hashable, Sendable {
  /// Its name.
  public var name: String
  /// Its type as declared.
  public var type: String
  /// Whether it refuses NULL.
  public var isNotNull: Bool

  /// The affinity that SQLite gives a column of this type (SQLite documentation, "Datatypes", section 3.1).
  public var affinity: String {
    let type = type.uppercased()
    if type.contains("INT") { return "INTEGER" }
    if ["CHAR", "CLOB", "TEXT"].contains(where: type.contains) { return "TEXT" }
    if type.isEmpty || type.contains("BLOB") { return "BLOB" }
    return ["REAL", "FLOA", "DOUB"].contains(where: type.contains) ? "REAL" : "NUMERIC"
  }
}

/// An index of a table.
public struct IndexDescription: Hashable, Sendable {
  /// Its name.
  public var name: String
  /// Its columns in order; an expression is an empty name.
  public var columns: [String]
  /// Whether it covers only some rows.
  public var isPartial: Bool
}

/// What the database does with a row whose parent is deleted.
public enum ReferentialAction: String, Hashable, Sendable {
  /// It refuses to delete the parent.
  case restrict
  /// It deletes the row too.
  case cascade
  /// It sets the reference to NULL.
  case setNull
  /// It sets the reference to its default.
  case setDefault
}

/// A reference from one table to another.
public struct ForeignKey: Hashable, Sendable {
  /// The table that refers.
  public var child: String
  /// Its columns.
  public var columns: [String]
  /// The table it refers to.
  public var parent: String
  /// The columns it refers to.
  public var parentColumns: [String]
  /// What the database does when the parent is deleted.
  public var onDelete: ReferentialAction

  /// Creates a reference.
  public init(
    child: String, columns: [String], parent: String, parentColumns: [String], onDelete: ReferentialAction
  ) {
    self.child = child
    self.columns = columns
    self.parent = parent
    self.parentColumns = parentColumns
    self.onDelete = onDelete
  }
}

/// A table as it stands in the database now.
public struct TableDescription: Hashable, Sendable {
  /// Its name, spelled as in the schema.
  public var name: String
  /// Its columns.
  public var columns: [ColumnDescription]
  /// The columns of its primary key.
  public var primaryKey: [String]
  /// Its indexes.
  public var indexes: [IndexDescription]
  /// The name by which the engine's own row number is reached; nothing where rows have none.
  public var rowNumber: String?
  /// Whether it is a virtual table.
  public var isVirtual: Bool

  /// The column that is the engine's own row number under another name (SQLite documentation, "ROWIDs and the INTEGER
  /// PRIMARY KEY"); nothing where there is none. `INTEGER PRIMARY KEY DESC` isn't one: it has an index of its own.
  public var rowNumberColumn: String? {
    guard rowNumber != nil, primaryKey.count == 1, column(primaryKey[0])?.type.uppercased() == "INTEGER",
      !indexes.contains(where: { $0.name.hasPrefix("sqlite_autoindex_") && $0.columns == primaryKey })
    else { return nil }
    return primaryKey[0]
  }

  /// The column with a name, whatever its case.
  public func column(_ name: String) -> ColumnDescription? {
    columns.first { $0.name.lowercased() == name.lowercased() }
  }

  /// Whether rows can be found by these columns without reading the whole table.
  public func hasIndex(on wanted: [String]) -> Bool {
    let wanted = Set(wanted.map { $0.lowercased() })
    let keys = indexes.filter { !$0.isPartial }.map(\.columns) + (primaryKey.isEmpty ? [] : [primaryKey])
    return keys.contains { columns in
      columns.count >= wanted.count && Set(columns.prefix(wanted.count).map { $0.lowercased() }) == wanted
    }
  }
}

/// The tables of a database and how they refer to each other, read from the live schema.
public struct Catalogue: Sendable {
  private let byName: [String: TableDescription]
  /// All references.
  public let foreignKeys: [ForeignKey]

  init(tables: [TableDescription], foreignKeys: [ForeignKey]) {
    byName = Dictionary(tables.map { ($0.name.lowercased(), $0) }) { first, _ in first }
    self.foreignKeys = foreignKeys
  }

  /// The tables, by name.
  public var tables: [TableDescription] {
    byName.values.sorted { $0.name < $1.name }
  }

  /// The table with a name, whatever its case.
  public subscript(name: String) -> TableDescription? {
    byName[name.lowercased()]
  }
}
