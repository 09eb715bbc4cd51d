extension Catalogue {
  /// Reads the schema of a SQLite database.
  public init(sqlite connection: any DatabaseConnection) throws {
    // First: a change that comes meanwhile is noticed later.
    let version = try connection.integer("PRAGMA main.schema_version")
    var columns: [String: [(column: ColumnDescription, keyPosition: Int64)]] = [:]
    let columnQuery = """
      SELECT m.name, c.name, c.type, c."notnull", c.pk, c.hidden, upkeep_collation(m.name, c.name)
      FROM main.sqlite_master m JOIN pragma_table_xinfo(m.name) c
      WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY m.name, c.cid
      """
    try connection.query(columnQuery, []) { row in
      var column = ColumnDescription(
        name: row.text(1) ?? "", type: row.text(2) ?? "", isNotNull: row.integer(3) != 0)
      // 2 and 3 are generated columns, virtual and stored.
      column.isGenerated = row.integer(5) >= 2
      column.collation = row.text(6)?.uppercased() ?? ColumnDescription.binary
      columns[(row.text(0) ?? "").schemaKey, default: []].append((column, row.integer(4)))
    }
    var indexes: [String: [IndexDescription]] = [:]
    let indexQuery = """
      SELECT m.name, i.name, i.partial, coalesce(c.name, ''), c.coll, c."desc"
      FROM main.sqlite_master m JOIN pragma_index_list(m.name) i JOIN pragma_index_xinfo(i.name) c
      WHERE m.type = 'table' AND c."key" = 1 ORDER BY m.name, i.seq, c.seqno
      """
    try connection.query(indexQuery, []) { row in
      let (table, name, column) = ((row.text(0) ?? "").schemaKey, row.text(1) ?? "", row.text(3) ?? "")
      let collation = row.text(4) ?? ColumnDescription.binary
      if let last = indexes[table]?.indices.last, indexes[table]?[last].name.schemaKey == name.schemaKey {
        indexes[table]?[last].columns.append(column)
        indexes[table]?[last].collations.append(collation)
      } else {
        indexes[table, default: []].append(
          IndexDescription(
            name: name, columns: [column], collations: [collation], isPartial: row.integer(2) != 0,
            isDescending: row.integer(5) != 0))
      }
    }
    var tables: [TableDescription] = []
    let tableQuery = """
      SELECT name, type, wr, strict FROM pragma_table_list WHERE schema = 'main'
      """
    var otherKinds: [String: String] = [:]
    try connection.query(tableQuery, []) { row in
      guard let name = row.text(0), let type = row.text(1) else { return }
      guard ["table", "virtual"].contains(type) else { return otherKinds[name] = type }
      guard var found = columns[name.schemaKey] else { return }
      if row.integer(3) != 0 {
        // In a STRICT table ANY keeps every value as it is, as a column without a type does elsewhere.
        for index in found.indices where found[index].column.type == "ANY" { found[index].column.type = "" }
      }
      let names = Set(found.map { $0.column.name.schemaKey })
      let isVirtual = type == "virtual"
      let rowNumber = row.integer(2) != 0 ? nil : ["rowid", "_rowid_", "oid"].first { !names.contains($0) }
      tables.append(
        TableDescription(
          name: name, columns: found.map(\.column),
          primaryKey: found.filter { $0.keyPosition > 0 }.sorted { $0.keyPosition < $1.keyPosition }.map(\.column.name),
          indexes: indexes[name.schemaKey] ?? [], rowNumber: rowNumber, isVirtual: isVirtual))
    }
    let keys = Dictionary(tables.map { ($0.name.schemaKey, $0) }) { first, _ in first }
    var found: [(child: String, id: Int64, key: ForeignKey)] = []
    let keyQuery = """
      SELECT m.name, f.id, f."table", f."from", f."to", f.on_delete
      FROM main.sqlite_master m JOIN pragma_foreign_key_list(m.name) f
      WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq
      """
    try connection.query(keyQuery, []) { row in
      let (child, id, parent) = (row.text(0) ?? "", row.integer(1), row.text(2) ?? "")
      let column = row.text(3) ?? ""
      if let last = found.indices.last, found[last].child.schemaKey == child.schemaKey, found[last].id == id {
        found[last].key.columns.append(column)
        if let target = row.text(4) { found[last].key.parentColumns.append(target) }
      } else {
        let key = ForeignKey(
          child: child, columns: [column], parent: keys[parent.schemaKey]?.name ?? parent,
          parentColumns: row.text(4).map { [$0] } ?? [], onDelete: ReferentialAction(sql: row.text(5) ?? ""))
        found.append((child, id, key))
      }
    }
    let foreignKeys = found.map { entry in
      var key = entry.key
      if key.parentColumns.isEmpty { key.parentColumns = keys[key.parent.schemaKey]?.primaryKey ?? [] }
      return key
    }
    self.init(
      engine: .sqlite, tables: tables, foreignKeys: foreignKeys, otherKinds: otherKinds, schemaVersion: version)
  }
}

extension ReferentialAction {
  fileprivate init(sql: String) {
    switch sql.uppercased() {
    case "CASCADE": self = .cascade
    case "SET NULL": self = .setNull
    case "SET DEFAULT": self = .setDefault
    default: self = .restrict
    }
  }
}
