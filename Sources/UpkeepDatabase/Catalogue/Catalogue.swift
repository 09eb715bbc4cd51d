/// A column of a table.
public struct ColumnDescription: Hashable, Sendable {
  /// Its name.
  public var name: String
  /// Its type as declared.
  public var type: String
  /// Whether it refuses NULL.
  public var isNotNull: Bool
  /// Whether its value is computed from others.
  public var isGenerated = false
  /// The collation that its values are compared under.
  public var collation = ColumnDescription.binary

  /// The collation of a column that names none.
  public static let binary = "BINARY"

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
  /// The collation of each of them.
  public var collations: [String]
  /// Whether it covers only some rows.
  public var isPartial: Bool
  /// Whether it begins with the largest values of its first column.
  public var isDescending = false
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
  /// The engine of its database.
  public var engine = DatabaseEngine.sqlite
  /// The tables that its rows lie in, as SQL names them, where it is partitioned.
  public var partitions: [String] = []
  /// Columns that an index orders coarsely only (BRIN), so that it finds a part of the table but no row.
  public var coarseIndexes: [String] = []

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
    columns.first { $0.name.schemaKey == name.schemaKey }
  }

  /// The columns that tell a row from all others: the engine's row number, or the primary key where rows have none.
  ///
  /// Nothing where neither does: the primary key of a table with row numbers may be NULL, and no name may be left to reach
  /// them by.
  public var identity: [String]? {
    if let rowNumber { return [rowNumber] }
    let isKey = !primaryKey.isEmpty && primaryKey.allSatisfy { column($0)?.isNotNull ?? false }
    return isKey ? primaryKey : nil
  }

  /// The collation under which no two rows have the same ``identity``: that of the key, where it has one of its own.
  public var identityCollations: [String] {
    let key = indexes.first { $0.columns.map(\.schemaKey) == primaryKey.map(\.schemaKey) }
    guard rowNumber == nil, let key else { return [] }
    return key.collations.map { $0.uppercased() }
  }

  /// Whether rows can be found by these columns without reading the whole table.
  ///
  /// - Parameter collations: The collation of each comparison; nothing means those of the columns.
  public func hasIndex(on wanted: [String], collations: [String]? = nil) -> Bool {
    let own = wanted.map { column($0)?.collation ?? ColumnDescription.binary }
    let collations = (collations ?? own).map { $0.uppercased() }
    let terms = Set(zip(wanted, collations).map { "\($0.schemaKey) \($1)" })
    if primaryKey.count == 1, terms.count == 1, wanted.first?.schemaKey == primaryKey[0].schemaKey,
      !indexes.contains(where: { $0.columns.map(\.schemaKey) == primaryKey.map(\.schemaKey) })
    {
      // An INTEGER PRIMARY KEY is the row number itself, and has no index of its own.
      return true
    }
    return indexes.contains { index in
      guard !index.isPartial, index.columns.count >= terms.count else { return false }
      let first = zip(index.columns, index.collations).prefix(terms.count)
      return Set(first.map { "\($0.schemaKey) \($1.uppercased())" }) == terms
    }
  }
}

/// The tables of a database and how they refer to each other, read from the live schema.
public struct Catalogue: Sendable {
  /// The engine of the database.
  public let engine: DatabaseEngine
  private let byName: [String: TableDescription]
  private let otherKinds: [String: String]
  /// All references.
  public let foreignKeys: [ForeignKey]
  /// The number that SQLite changes with each change of the schema; nothing for a server.
  public let schemaVersion: Int64?

  /// Reads the schema of a database, whichever engine it is.
  public init(of connection: any DatabaseConnection) throws {
    switch connection.engine {
    case .sqlite: try self.init(sqlite: connection)
    case .postgres: try self.init(postgres: connection)
    }
  }

  init(
    engine: DatabaseEngine, tables: [TableDescription], foreignKeys: [ForeignKey], otherKinds: [String: String],
    schemaVersion: Int64? = nil
  ) {
    self.engine = engine
    self.schemaVersion = schemaVersion
    byName = Dictionary(tables.map { ($0.name.schemaKey, $0) }) { first, _ in first }
    self.foreignKeys = foreignKeys
    self.otherKinds = Dictionary(otherKinds.map { ($0.key.schemaKey, $0.value) }) { first, _ in first }
  }

  /// The tables, by name.
  public var tables: [TableDescription] {
    byName.values.sorted { $0.name < $1.name }
  }

  /// The table with a name, whatever its case.
  public subscript(name: String) -> TableDescription? {
    byName[name.schemaKey]
  }

  /// What has a name without being a table of its own: `view`, or `shadow` for the inside of a virtual table.
  public func otherKind(of name: String) -> String? {
    otherKinds[name.schemaKey]
  }

  /// Every name that a statement could take for that of a table.
  public var names: [String] {
    Array(byName.keys) + Array(otherKinds.keys)
  }
}
