extension Catalogue {
  /// Reads the schema of a PostgreSQL database: the tables that the search path finds.
  ///
  /// Tables of other schemas that refer to those are put at the end of the connection's search path, so that a name means
  /// the same to the server as it does here.
  public init(postgres connection: any DatabaseConnection) throws {
    try Self.extendSearchPath(on: connection)
    var found = try PostgresTables(on: connection)
    try found.readColumns(on: connection)
    try found.readIndexes(on: connection)
    try found.readPartitions(on: connection)
    let foreignKeys = try found.foreignKeys(on: connection)
    self.init(
      engine: .postgres, tables: Array(found.tables.values), foreignKeys: foreignKeys, otherKinds: found.otherKinds)
  }

  private static func extendSearchPath(on connection: any DatabaseConnection) throws {
    let missing = """
      SELECT DISTINCT quote_ident(n.nspname) FROM pg_constraint k
      JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE k.contype = 'f' AND pg_table_is_visible(k.confrelid) AND NOT pg_table_is_visible(c.oid)
        AND n.nspname <> ALL (current_schemas(true))
      """
    // What refers to the tables found may be referred to from a further schema.
    while case let schemas = try connection.map(missing, [], { $0[0].text ?? "" }), !schemas.isEmpty {
      _ = try connection.rows(
        "SELECT set_config('search_path', current_setting('search_path') || ', ' || ?1, false)",
        [.text(schemas.joined(separator: ", "))])
    }
  }
}

/// What is known of the tables of a PostgreSQL database while its catalogue is read.
private struct PostgresTables {
  /// By the numbers that the server gives them.
  private(set) var tables: [Int64: TableDescription] = [:]
  private(set) var otherKinds: [String: String] = [:]
  /// Names of all tables that foreign keys may name.
  private var names: [Int64: String] = [:]

  private static let filter = """
    pg_table_is_visible(c.oid) AND n.nspname <> 'information_schema' AND left(n.nspname, 3) <> 'pg_'
    """

  init(on connection: any DatabaseConnection) throws {
    let statement = """
      SELECT c.oid::bigint, c.relname, CASE WHEN c.relispartition THEN 'partition' WHEN c.relkind IN ('v', 'm') THEN 'view'
        WHEN c.relkind = 'f' THEN 'foreign' WHEN c.relkind = 'r'
          AND EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhparent = c.oid) THEN 'inherited' ELSE 'table' END
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND \(Self.filter) ORDER BY c.oid
      """
    let rows = try connection.rows(statement)
    let keys = Dictionary(grouping: rows) { ($0[1].text ?? "").schemaKey }
    for row in rows {
      guard let number = row[0].integer, let name = row[1].text, let kind = row[2].text else { continue }
      names[number] = name
      if keys[name.schemaKey]?.count != 1 {
        // The program's settings don't tell capital letters from small ones.
        otherKinds[name] = "ambiguous"
      } else if kind == "table" {
        tables[number] = TableDescription(
          name: name, columns: [], primaryKey: [], indexes: [], rowNumber: nil, isVirtual: false, engine: .postgres)
      } else {
        otherKinds[name] = kind
      }
    }
  }

  mutating func readColumns(on connection: any DatabaseConnection) throws {
    let statement = """
      SELECT a.attrelid::bigint, a.attname, format_type(coalesce(nullif(t.typbasetype, 0), a.atttypid), NULL),
        a.attnotnull, a.attgenerated <> '' OR a.attidentity = 'a'
      FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_class c ON c.oid = a.attrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND \(Self.filter)
      ORDER BY a.attrelid, a.attnum
      """
    try connection.query(statement, []) { row in
      var column = ColumnDescription(
        name: row.text(1) ?? "", type: row.text(2) ?? "", isNotNull: row.integer(3) != 0)
      column.isGenerated = row.integer(4) != 0
      tables[row.integer(0)]?.columns.append(column)
    }
  }

  /// The indexes that find rows, those that find parts of a table, and the key that tells rows apart: the primary one, or
  /// another that can't be NULL.
  mutating func readIndexes(on connection: any DatabaseConnection) throws {
    let statement = """
      SELECT i.indrelid::bigint, x.relname, m.amname, i.indisprimary, i.indisunique, i.indpred IS NOT NULL,
        coalesce(a.attname, ''), i.indimmediate
      FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
      JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place)
      LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number > 0
      WHERE k.place <= i.indnkeyatts AND i.indisvalid AND \(Self.filter)
      ORDER BY i.indrelid, i.indisprimary DESC, i.indexrelid, k.place
      """
    var unique: [Int64: [(index: String, columns: [String], isPrimary: Bool)]] = [:]
    try connection.query(statement, []) { row in
      let (number, name, method, column) = (
        row.integer(0), row.text(1) ?? "", row.text(2) ?? "", row.text(6) ?? ""
      )
      guard ["btree", "hash"].contains(method) else {
        if method == "brin" { tables[number]?.coarseIndexes.append(column) }
        return
      }
      if let last = tables[number]?.indexes.indices.last, tables[number]?.indexes[last].name == name {
        tables[number]?.indexes[last].columns.append(column)
        tables[number]?.indexes[last].collations.append(ColumnDescription.binary)
      } else {
        tables[number]?.indexes.append(
          IndexDescription(
            name: name, columns: [column], collations: [ColumnDescription.binary], isPartial: row.integer(5) != 0))
      }
      guard row.integer(4) != 0, row.integer(5) == 0, row.integer(7) != 0 else { return }
      if let last = unique[number]?.indices.last, unique[number]?[last].index == name {
        unique[number]?[last].columns.append(column)
      } else {
        unique[number, default: []].append((name, [column], row.integer(3) != 0))
      }
    }
    for (number, keys) in unique {
      let usable = keys.first { key in
        key.isPrimary || key.columns.allSatisfy { tables[number]?.column($0)?.isNotNull ?? false }
      }
      if let usable { tables[number]?.primaryKey = usable.columns }
    }
  }

  mutating func readPartitions(on connection: any DatabaseConnection) throws {
    let statement = """
      SELECT c.oid::bigint, p.relid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      CROSS JOIN LATERAL pg_partition_tree(c.oid) p
      WHERE c.relkind = 'p' AND NOT c.relispartition AND p.isleaf AND p.relid <> c.oid AND \(Self.filter)
      ORDER BY 1, 2
      """
    try connection.query(statement, []) { tables[$0.integer(0)]?.partitions.append($0.text(1) ?? "") }
  }

  func foreignKeys(on connection: any DatabaseConnection) throws -> [ForeignKey] {
    // A key of a partitioned table stands there once more for each partition, with the table's own as its parent.
    let statement = """
      SELECT k.oid::bigint, k.conrelid::bigint, k.confrelid::bigint, k.confdeltype, c.attname, p.attname
      FROM pg_constraint k CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS u(child, parent, place)
      JOIN pg_attribute c ON c.attrelid = k.conrelid AND c.attnum = u.child
      JOIN pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = u.parent
      WHERE k.contype = 'f' AND k.conparentid = 0 ORDER BY k.oid, u.place
      """
    var keys: [(number: Int64, key: ForeignKey)] = []
    try connection.query(statement, []) { row in
      guard let child = names[row.integer(1)], let parent = names[row.integer(2)] else { return }
      if let last = keys.indices.last, keys[last].number == row.integer(0) {
        keys[last].key.columns.append(row.text(4) ?? "")
        keys[last].key.parentColumns.append(row.text(5) ?? "")
      } else {
        let action: ReferentialAction =
          switch row.text(3) {
          case "c": .cascade
          case "n": .setNull
          case "d": .setDefault
          default: .restrict
          }
        let key = ForeignKey(
          child: child, columns: [row.text(4) ?? ""], parent: parent, parentColumns: [row.text(5) ?? ""],
          onDelete: action)
        keys.append((row.integer(0), key))
      }
    }
    return keys.map(\.key)
  }
}
