import UpkeepCore
public import UpkeepDatabase

/// A change of rows of one table: which rows, and what becomes of them.
///
/// The texts are SQL; in all of them the row is `t`, and `?1`, `?2` and so on are ``values``. Names of tables and
/// columns that come from settings go through `SQLName.quoted`.
public struct RowChange: Sendable {
  /// The name of the step, for errors and progress.
  public var name: String
  /// The table.
  public var table: TableDescription
  /// Which of its rows; a row for which this is NULL isn't changed.
  public var condition: String
  /// What its columns become.
  public var assignments: [(column: String, value: String)]
  /// What is told of each row: expressions, evaluated before the change.
  public var reads: [String]
  /// The values of the parameters.
  public var values: [DatabaseValue]

  /// Describes a change.
  public init(
    name: String, table: TableDescription, condition: String, assignments: [(column: String, value: String)],
    reads: [String], values: [DatabaseValue]
  ) {
    self.name = name
    self.table = table
    self.condition = condition
    self.assignments = assignments
    self.reads = reads
    self.values = values
  }
}

/// Batches of rows that a change selects.
///
/// The rows are listed once; a batch takes some of the list, and each of its statements asks for the whole condition
/// again, so that a row which somebody else has changed since is left alone.
struct ChangeBatches: CountedBatches {
  private static let listName = "upkeep_change"
  private let list: String

  let start: Int64 = 0
  /// Rows that the condition selects but that an exception keeps.
  let excepted: Int
  private let selection: String
  private let update: String
  private let values: [DatabaseValue]

  /// Lists the rows.
  /// - Throws: ``UpkeepCore/TaskError`` where the table's rows can't be told apart by one number or key.
  init(_ change: RowChange, except rows: ExceptedRows, on connection: any DatabaseConnection) throws {
    let (table, values) = (change.table, change.values)
    let key = try Self.key(of: table)
    let name = SQL.quoted(table.name)
    // The excepted rows stand in a query of their own, which doesn't know the row as `t`: a table may be called so.
    func isExcepted(_ further: String? = nil) -> String? {
      rows.from(table.name, where: further).map { "t.\(key) IN (SELECT \(name).\(key)\($0))" }
    }
    func condition(_ isExcepted: String?) -> String {
      "(\(change.condition))" + (isExcepted.map { " AND NOT \($0)" } ?? "")
    }
    let engine = table.engine
    let list = engine.temporary(Self.listName)
    self.list = list
    let isKey = table.rowNumber == nil
    let type =
      engine == .postgres
      ? table.copyType(of: table.primaryKey[0])
      : isKey ? table.column(table.primaryKey[0])?.affinity ?? "" : "INTEGER"
    try connection.execute("DROP TABLE IF EXISTS \(list)")
    try connection.execute("CREATE TABLE \(list) (seq \(engine.counter), row \(type))")
    try connection.execute(
      "INSERT INTO \(list) (row) SELECT t.\(key) FROM \(name) t WHERE \(condition(isExcepted())) ORDER BY t.\(key)",
      values)
    excepted =
      try isExcepted().map { kept in
        Int(
          try connection.integer("SELECT count(*) FROM \(name) t WHERE (\(change.condition)) AND \(kept)", values))
      } ?? 0
    let range = "seq > ?\(values.count + 1) AND seq <= ?\(values.count + 2)"
    let listed = "IN (SELECT row FROM \(list) WHERE \(range))"
    let holds = condition(isExcepted("\(name).\(key) \(listed)"))
    let reads = ["t.\(key)"] + change.reads
    selection =
      "SELECT \(reads.joined(separator: ", ")) FROM \(list) l \(engine.orderedJoin) \(name) t ON t.\(key) = l.row "
      + "WHERE l.\(range) AND \(holds) ORDER BY l.seq"
    let assignments = change.assignments.map { "\(SQL.quoted($0.column)) = \(table.assigned($0.value, to: $0.column))" }
      .joined(separator: ", ")
    update = "UPDATE \(name) AS t SET \(assignments) WHERE t.\(key) \(listed) AND \(holds) RETURNING \(key)"
    self.values = values
  }

  /// The column that tells a row.
  private static func key(of table: TableDescription) throws -> String {
    if table.isVirtual {
      throw TaskError(
        code: "unsupported_table", place: "table \(table.name)", problem: "this is a virtual table",
        fix: "name the table that the rows are kept in")
    }
    if let number = table.rowNumber { return number }
    guard let column = table.primaryKey.first, table.primaryKey.count == 1 else {
      throw TaskError(
        code: "unsupported_table", place: "table \(table.name)",
        problem: "it has neither row numbers nor a primary key of one column", fix: "such tables can't be changed")
    }
    return SQL.quoted(column)
  }

  var boundStatement: String {
    "SELECT max(seq), count(*), NULL, NULL FROM (SELECT seq FROM \(list) WHERE seq > ?1 ORDER BY seq LIMIT ?2) AS listed"
  }

  var statements: [String] {
    [boundStatement, selection, update]
  }

  /// What is told of the rows of a part of the list that the condition still selects; the row's key comes first.
  func rows(
    after cursor: Int64, through last: Int64, on connection: any DatabaseConnection
  ) throws -> [[DatabaseValue]] {
    try connection.rows(selection, values + [.integer(cursor), .integer(last)])
  }

  /// Changes the rows of a batch, within a transaction.
  func delete(after cursor: Int64, through last: Int64, on connection: any DatabaseConnection) throws -> BatchOutcome {
    let found = try rows(after: cursor, through: last, on: connection)
    guard !found.isEmpty else { return BatchOutcome(tallies: []) }
    // A trigger of the database may keep a row from being changed: what is told is what was done.
    var changed: Set<DatabaseValue> = []
    try connection.query(update, values + [.integer(cursor), .integer(last)]) { changed.insert($0[0]) }
    return BatchOutcome(
      tallies: [], changed: found.filter { changed.contains($0[0]) }.map { Array($0.dropFirst()) })
  }
}
