extension Catalogue {
  /// Reads the schema of a SQLite database.
  public init(sqlite connection: any DatabaseConnection) throws {
    var columns: [String: [(column: ColumnDescription, keyPosition: Int64)]] = [:]
    let columnQuery = """
      SELECT m.name, c.name, c.type, c."notnull", c.pk
      FROM main.sqlite_master m JOIN pragma_table_xinfo(m.name) c
      WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY m.name, c.cid
      """
    try connection.query(columnQuery, []) { row in
      let column = ColumnDescription(
        name: row.text(1) ?? "", type: row.text(2) ?? "", isNotNull: row.integer(3) != 0)
      columns[row.text(0) ?? "", default: []].append((column, row.integer(4)))
    }
    var indexes: [String: [IndexDescription]] = [:]
    let indexQuery = """
      SELECT m.name, i.name, i.partial, coalesce(c.name, '')
      FROM main.sqlite_master m JOIN pragma_index_list(m.name) i JOIN pragma_index_info(i.name) c
      WHERE m.type = 'table' ORDER BY m.name, i.seq, c.seqno
      """
    try connection.query(indexQuery, []) { row in
      let (table, name, column) = (row.text(0) ?? "", row.text(1) ?? "", row.text(3) ?? "")
      if let last = indexes[table]?.indices.last, indexes[table]?[last].name == name {
        indexes[table]?[last].columns.append(column)
      } else {
        indexes[table, default: []].append(
          IndexDescription(name: name, columns: [column], isPartial: row.integer(2) != 0))
      }
    }
    var tables: [TableDescription] = []
    let tableQuery = """
      SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual')
      """
    try connection.query(tableQuery, []) { row in
      guard let name = row.text(0), let found = columns[name] else { return }
      let names = Set(found.map { $0.column.name.lowercased() })
      let isVirtual = row.text(1) == "virtual"
      let rowNumber = row.integer(2) != 0 ? nil : ["rowid", "_rowid_", "oid"].first { !names.contains($0) }
      tables.append(
        TableDescription(
          name: name, columns: found.map(\.column),
          primaryKey: found.filter { $0.keyPosition > 0 }.sorted { $0.keyPosition < $1.keyPosition }.map(\.column.name),
          indexes: indexes[name] ?? [], rowNumber: rowNumber, isVirtual: isVirtual))
    }
    let keys = Dictionary(tables.map { ($0.name.lowercased(), $0) }) { first, _ in first }
    var found: [(child: String, id: Int64, key: ForeignKey)] = []
    let keyQuery = """
      SELECT m.name, f.id, f."table", f."from", f."to", f.on_delete
      FROM main.sqlite_master m JOIN pragma_foreign_key_list(m.name) f
      WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq
      """
    try connection.query(keyQuery, []) { row in
      let (child, id, parent) = (row.text(0) ?? "", row.integer(1), row.text(2) ?? "")
      let column = row.text(3) ?? ""
      if let last = found.indices.last, found[last].child == child, found[last].id == id {
        found[last].key.columns.append(column)
        if let target = row.text(4) { found[last].key.parentColumns.append(target) }
      } else {
        let key = ForeignKey(
          child: child, columns: [column], parent: keys[parent.lowercased()]?.name ?? parent,
          parentColumns: row.text(4).map { [$0] } ?? [], onDelete: ReferentialAction(sql: row.text(5) ?? ""))
        found.append((child, id, key))
      }
    }
    let foreignKeys = found.map { entry in
      var key = entry.key
      if key.parentColumns.isEmpty { key.parentColumns = keys[key.parent.lowercased()]?.primaryKey ?? [] }
      return key
    }
    self.init(tables: tables, foreignKeys: foreignKeys)
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
