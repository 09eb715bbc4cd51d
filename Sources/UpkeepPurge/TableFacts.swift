public import UpkeepCore
public import UpkeepDatabase

extension Statistics.Item {
  /// Counts a table, with the oldest and the newest of its times where it has such a column.
  ///
  /// The first and the last time are those in the order of the column's values, which an index gives at once.
  public init(
    table: TableDescription, timeColumn: String?, form: TimeForm = .text, on connection: any DatabaseConnection
  ) throws {
    let name = SQL.quoted(table.name)
    self.init(name: table.name, count: Int(try connection.integer("SELECT count(*) FROM \(name)")))
    guard let column = timeColumn.flatMap({ table.column($0)?.name }) else { return }
    let instant = try TimeColumn(column, form, of: table).instant(of: name)
    func edge(_ order: String) throws -> Timestamp? {
      let sql = "SELECT \(instant) FROM \(name) WHERE \(instant) IS NOT NULL"
      let row = try connection.first("\(sql) ORDER BY \(name).\(SQL.quoted(column)) \(order) LIMIT 1")
      return row?[0].integer.map { Timestamp(microseconds: $0) }
    }
    oldest = try edge("ASC")
    newest = try edge("DESC")
  }
}

extension Statistics {
  /// How many rows of a table hold each value of a column, as details of a kind: the column's name and `count`.
  public static func counts(
    by column: String, of table: TableDescription, kind: String, on connection: any DatabaseConnection
  ) throws -> [JSONValue] {
    let (name, key) = (SQL.quoted(table.name), SQL.quoted(column))
    let sql = "SELECT CAST(\(key) AS TEXT), count(*) FROM \(name) GROUP BY \(key) ORDER BY \(key) LIMIT 100"
    return try connection.map(sql) { row in
      .object([
        "kind": .string(kind), column: row[0].text.map { .string($0) } ?? .null,
        "count": .integer(Int(row[1].integer ?? 0)),
      ])
    }
  }
}
