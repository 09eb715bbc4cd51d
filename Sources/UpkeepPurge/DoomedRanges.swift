import UpkeepCore
import UpkeepDatabase

/// The rows that a condition selects, as ranges of the row number between the few that stay.
///
/// The children of a range are found by a range of their reference, which costs less than to look for the children of
/// each row. A deletion by ``DirectBatches`` goes the same way.
struct DoomedRanges {
  /// Rows that stay among so many that ranges still pay.
  private static let mostKept: Int64 = 50_000

  private let pass: DeletionPass
  private let condition: RowCondition
  private let extent: RowExtent
  private let references: [DeletionPass.RangeReference]
  private var ranges: [ClosedRange<Int64>] = []
  private var kept = 0
  /// Rows whose text sorts before the cutoff's bound and is no time; nothing where the times aren't texts.
  private(set) var unreadable: Int?

  /// Looks for the rows that stay; nothing where a range of a reference may mean other rows than the numbers in it, or
  /// where many rows stay.
  init?(
    _ pass: DeletionPass, _ condition: RowCondition, extent: RowExtent, graph: DeletionGraph,
    on connection: any DatabaseConnection
  ) throws {
    guard let references = pass.rangeReferences(graph) else { return nil }
    self.pass = pass
    self.condition = condition
    self.extent = extent
    self.references = references
    var sql = SQL("SELECT t.\(pass.rowNumber), ", reserved: 3)
    if let time = pass.timeColumn, time.form == .text, let bound = condition.timeBound, bound.column == time.name {
      let column = "t.\(SQL.quoted(time.name))"
      sql += "\(column) >= '' AND \(column) < "
      sql.bind(bound.value)
      sql += " AND \(time.instant(of: "t")) IS NULL"
      unreadable = 0
    } else {
      sql += "NULL"
    }
    sql += "\(Self.rows(of: pass)) AND ("
    sql.add(condition, of: "t")
    sql += ") IS NOT TRUE ORDER BY t.\(pass.rowNumber) LIMIT ?3"
    let most = min(Self.mostKept, extent.rows / 8 + 16)
    var next = extent.first
    try connection.query(sql.text, Self.bounds(extent) + [.integer(most + 1)] + sql.values) { row in
      let number = row.integer(0)
      if number > next { ranges.append(next...(number - 1)) }
      next = number + 1
      kept += 1
      if row.integer(1) != 0 { unreadable = unreadable.map { $0 + 1 } }
    }
    guard kept <= most else { return nil }
    if extent.last >= next { ranges.append(next...extent.last) }
  }

  /// Counts the rows of the pass and those that go or change with them.
  func count(on connection: any DatabaseConnection) throws -> [TableTally] {
    let all = try connection.integer("SELECT count(*)\(Self.rows(of: pass))", Self.bounds(extent))
    var own = TableTally(table: pass.table.name, rows: Int(all) - kept)
    if own.rows > 0, let time = pass.timeColumn { (own.oldest, own.newest) = try times(time, on: connection) }
    var tallies = [own]
    for reference in references {
      var rows: Int64 = 0
      for range in ranges {
        rows += try connection.integer(
          "SELECT count(*) FROM \(SQL.quoted(reference.edge.child)) WHERE \(reference.condition)",
          [.integer(range.lowerBound), .integer(range.upperBound)])
      }
      tallies.append(
        TableTally(table: reference.edge.child, rows: Int(rows), isUnlink: reference.edge.action == .unlink))
    }
    return tallies
  }

  /// The oldest and the newest time among the selected rows.
  private func times(
    _ time: TimeColumn, on connection: any DatabaseConnection
  ) throws -> (oldest: Timestamp?, newest: Timestamp?) {
    func selected(_ expression: String, _ order: String) throws -> Timestamp? {
      var sql = SQL("SELECT \(expression) FROM \(SQL.quoted(pass.table.name)) t WHERE ")
      sql.add(condition, of: "t")
      sql += order
      return try connection.first(sql.text, sql.values)?[0].integer.map { Timestamp(microseconds: $0) }
    }
    let instant = time.instant(of: "t")
    let column = "t.\(SQL.quoted(time.name))"
    guard condition.timeBound?.column == time.name, pass.table.hasIndex(on: [time.name]),
      let first = try selected(instant, " ORDER BY \(column) LIMIT 1"),
      let last = try selected(instant, " ORDER BY \(column) DESC LIMIT 1")
    else { return (try selected("min(\(instant))", ""), try selected("max(\(instant))", "")) }
    guard time.form == .text else { return (first, last) }
    // In the order of texts the first one is nearly always the oldest: one of another form, or with an offset, may sort
    // up to two days off, and is looked for there.
    let (earlier, later) = (first.dateText(plusDays: 2), last.dateText(plusDays: -1))
    return (
      try selected("min(\(instant))", " AND \(column) < '\(earlier)'"),
      try selected("max(\(instant))", " AND \(column) >= '\(later)'")
    )
  }

  private static func rows(of pass: DeletionPass) -> String {
    " FROM \(SQL.quoted(pass.table.name)) t NOT INDEXED WHERE t.\(pass.rowNumber) BETWEEN ?1 AND ?2"
  }

  private static func bounds(_ extent: RowExtent) -> [DatabaseValue] {
    [.integer(extent.first), .integer(extent.last)]
  }
}

extension DeletionPass {
  /// The rows that refer to a range of this table's numbers.
  struct RangeReference {
    let edge: DeletionEdge
    /// With the first number of the range as the first parameter and the last as the second.
    let condition: String
  }

  /// The leaves and unlinks; nothing where a range of a reference may mean other rows than the numbers in it.
  ///
  /// So it is where the referenced column isn't the row number itself, or the reference may hold a number as text. A
  /// reference that is no whole number (which only a table without a declared foreign key can hold) refers to nothing,
  /// and is left out by `| 0`.
  func rangeReferences(_ graph: DeletionGraph) -> [RangeReference]? {
    guard let key = table.rowNumberColumn else { return leaves.isEmpty && unlinks.isEmpty ? [] : nil }
    var references: [RangeReference] = []
    for edge in leaves + unlinks {
      guard edge.columns.count == 1, edge.parentColumns.map(\.schemaKey) == [key.schemaKey],
        let reference = graph.catalogue[edge.child]?.column(edge.columns[0]),
        ["INTEGER", "NUMERIC", "REAL"].contains(reference.affinity)
      else { return nil }
      let column = SQL.list(edge.columns)
      references.append(
        RangeReference(edge: edge, condition: "\(column) BETWEEN ?1 AND ?2 AND \(column) | 0 = \(column)"))
    }
    return references
  }
}

extension Timestamp {
  fileprivate func dateText(plusDays days: Int64) -> String {
    (self + .seconds(days * 86_400)).dateText
  }
}
