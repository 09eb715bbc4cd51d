public import UpkeepDatabase

/// The newest rows of a table, or of each of its groups, which stay.
///
/// They are looked up once, when a step begins, and kept in a temporary table with the place of each. A row may go only
/// where it stands behind the last of its group, so that rows which come meanwhile are safe; and only while all of them
/// are there still, unchanged, which each batch looks at again within its transaction (where there are more than
/// ``checkedPerGroup`` in a group, or ``checkedInAll`` without groups, that would take longer than the deletion, and is
/// left out).
public struct RowRanking: Hashable, Sendable {
  /// Up to how many rows of a group are looked at again for each row of it.
  static let checkedPerGroup = 100
  /// Up to how many rows are looked at again for each batch where there are no groups.
  static let checkedInAll = 5000

  private let number: Int
  private let table: String
  private let identity: [String]
  /// The types of the columns that tell a row; none where a column takes any value.
  private let keyTypes: [String]
  private let groups: [Column]
  /// What decides between rows of the same time, in this order; the last one tells all rows apart.
  private let order: [Column]
  private let time: TimeColumn?
  private let among: RowExpression?
  private let engine: DatabaseEngine
  private let count: Int
  /// What the rows that stay are called in the scope of the table: not like the table.
  private let peer: String
  /// Whether it is looked at again that the rows which stay are there still.
  private var looksAgain = true

  private struct Column: Hashable, Sendable {
    var name: String
    var affinity: String

    init(_ name: String, of table: TableDescription) {
      self.name = name
      let isKnown = table.column(name) != nil && table.engine == .sqlite
      affinity = isKnown ? table.column(name)?.affinity ?? "" : table.copyType(of: name)
    }
  }

  /// Ranks the rows of a table.
  ///
  /// - Parameters:
  ///   - number: Tells the rankings of a plan apart.
  ///   - count: How many rows of each group stay.
  ///   - table: The table.
  ///   - groups: The columns whose values make a group; without any, the whole table is one. NULL is a value like others,
  ///     and texts that differ in anything are different.
  ///   - timeColumn: By what rows are ranked, and after that by the primary key. Rows without a time that can be read
  ///     have no place. Without a time column the rows that were added last are the newest: those with the greatest row
  ///     number, or with the greatest primary key where rows have no number.
  ///   - among: Which rows are ranked; nothing means all.
  public init(
    _ number: Int, newest count: Int, of table: TableDescription, per groups: [String] = [],
    timeColumn: (name: String, form: TimeForm)?, among: RowExpression? = nil
  ) throws {
    self.number = number
    self.count = count
    self.table = table.name
    self.among = among
    engine = table.engine
    let identity = table.identity ?? table.primaryKey
    self.identity = identity
    keyTypes = table.engine == .sqlite ? [] : identity.map { table.copyType(of: $0) }
    peer = table.freeName("upkeep_peer")
    self.groups = groups.map { Column($0, of: table) }
    time = try timeColumn.map { try TimeColumn($0.name, $0.form, of: table) }
    let keys = timeColumn == nil ? [] : table.primaryKey
    order = (keys + identity.filter { !keys.contains($0) }).map { Column($0, of: table) }
  }

  /// The same, for the transaction in which the rows that stay are looked up: nothing changes meanwhile.
  var inOneSnapshot: RowRanking {
    var ranking = self
    ranking.looksAgain = false
    return ranking
  }

  private var listName: String { "upkeep_rank_\(number)" }
  private var list: String { engine.temporary(listName) }

  private var orderNames: [String] {
    (time == nil ? [] : ["at"]) + order.indices.map { "order_\($0)" }
  }

  /// Looks the newest rows up, without those that are doomed already.
  func makeTable(without doomed: DoomedRows, on connection: any DatabaseConnection) throws {
    try connection.execute("DROP TABLE IF EXISTS \(list)")
    let groupNames = groups.indices.map { "group_\($0)" }
    let keyNames = identity.indices.map { "key_\($0)" }
    let keyColumns = keyNames.enumerated().map { index, name in
      keyTypes.isEmpty ? name : "\(name) \(keyTypes[index])"
    }
    let columns =
      ["place \(engine.number)", "at \(engine.number)"] + keyColumns
      + zip(groupNames, groups).map { "\($0) \($1.affinity)" }
      + order.enumerated().map { "order_\($0) \($1.affinity)" }
    try connection.execute("CREATE TABLE \(list) (\(columns.joined(separator: ", ")))")
    let descending = orderNames.map { "\($0) DESC" }.joined(separator: ", ")
    let names = (["at"] + keyNames + groupNames + order.indices.map { "order_\($0)" }).joined(separator: ", ")
    let parts = groupNames.map { engine == .sqlite ? engine.bytewise($0) : $0 }.joined(separator: ", ")
    var sql = SQL("INSERT INTO \(list) SELECT * FROM (SELECT row_number() OVER (")
    sql += groups.isEmpty ? "" : "PARTITION BY \(parts) "
    sql += "ORDER BY \(descending)) AS place, \(names) FROM (SELECT \(time?.instant(of: "t") ?? "NULL") AS at"
    for (index, key) in identity.enumerated() { sql += ", t.\(SQL.quoted(key)) AS key_\(index)" }
    for (index, group) in groups.enumerated() { sql += ", t.\(SQL.quoted(group.name)) AS group_\(index)" }
    for (index, column) in order.enumerated() { sql += ", t.\(SQL.quoted(column.name)) AS order_\(index)" }
    sql += " FROM \(SQL.quoted(table)) t WHERE \(time.map { "\($0.instant(of: "t")) IS NOT NULL" } ?? "TRUE")"
    if let among { sql += " AND \(among.sql(of: "t"))" }
    doomed.exclude(table, as: "t", from: &sql)
    // Without groups no more than the rows that stay are ever held at once.
    if groups.isEmpty { sql += " ORDER BY \(descending) LIMIT \(count)" }
    sql += ") AS listed) AS ranked WHERE place <= \(count)"
    try connection.execute(sql.text, sql.values)
    let index = (groupNames + ["place"]).joined(separator: ", ")
    try connection.execute(engine.temporaryIndex("\(listName)_place", on: listName, index))
    if engine == .postgres { try connection.execute("ANALYZE \(list)") }
  }

  /// The condition that a row of `alias` stands behind all that stay of its group.
  func sql(of alias: String) -> String {
    var own = groups.enumerated().map { "\(alias).\(SQL.quoted($1.name)) AS upkeep_group_\($0)" }
    if let time { own.append("\(time.instant(of: alias)) AS upkeep_at") }
    own += order.enumerated().map { "\(alias).\(SQL.quoted($1.name)) AS upkeep_order_\($0)" }
    let inGroup = groups.indices.map { "upkeep_last.group_\($0) \(engine.isSame) upkeep_group_\($0) AND " }.joined()
    let (mine, last) = (orderNames.map { "upkeep_\($0)" }, orderNames.map { "upkeep_last.\($0)" })
    let isBehind =
      mine.count == 1
      ? "\(mine[0]) < \(last[0])" : "(\(mine.joined(separator: ", "))) < (\(last.joined(separator: ", ")))"
    var sql =
      "EXISTS (SELECT 1 FROM (SELECT \(own.joined(separator: ", "))) AS upkeep_own CROSS JOIN \(list) upkeep_last WHERE "
    sql += "\(inGroup)upkeep_last.place = \(count) AND \(isBehind)"
    if looksAgain, count <= (groups.isEmpty ? Self.checkedInAll : Self.checkedPerGroup) {
      let peers = groups.indices.map { "\(peer).group_\($0) \(engine.isSame) upkeep_group_\($0) AND " }.joined()
      sql += " AND (SELECT count(*) FROM \(list) \(peer) WHERE \(peers)\(isUnchanged)) >= \(count)"
    }
    return sql + ")"
  }

  /// Whether the row that `peer` stands for is there, in the same place.
  private var isUnchanged: String {
    let name = SQL.quoted(table)
    var conditions = identity.enumerated().map { "\(name).\(SQL.quoted($1)) = \(peer).key_\($0)" }
    conditions += groups.enumerated().map { "\(peer).group_\($0) \(engine.isSame) \(name).\(SQL.quoted($1.name))" }
    if let time { conditions.append("\(time.instant(of: name)) = \(peer).at") }
    if let among { conditions.append("(\(among.text))") }
    return "EXISTS (SELECT 1 FROM \(name) WHERE \(conditions.joined(separator: " AND ")))"
  }
}

extension RowCondition {
  /// The same, for the transaction in which ``makeRankings(without:on:)`` is called.
  var inOneSnapshot: RowCondition {
    switch self {
    case .outranked(let ranking): .outranked(ranking.inOneSnapshot)
    case .all(let conditions): .all(conditions.map(\.inOneSnapshot))
    case .any(let conditions): .any(conditions.map(\.inOneSnapshot))
    default: self
    }
  }

  /// Whether it looks at the rank of rows, which is found once for all.
  var ranks: Bool {
    switch self {
    case .outranked: true
    case .any(let conditions), .all(let conditions): conditions.contains(where: \.ranks)
    case .always, .older, .isOneOf, .isNull, .matching, .server: false
    }
  }

  /// Makes the temporary tables that the condition refers to.
  func makeRankings(without doomed: DoomedRows, on connection: any DatabaseConnection) throws {
    switch self {
    case .outranked(let ranking): try ranking.makeTable(without: doomed, on: connection)
    case .all(let conditions), .any(let conditions):
      for condition in conditions { try condition.makeRankings(without: doomed, on: connection) }
    default: break
    }
  }
}
