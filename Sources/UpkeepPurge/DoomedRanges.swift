import UpkeepCore
import UpkeepDatabase

/// The rows that a condition selects, as ranges of the row number between the few that stay.
///
/// The children of a range are found by a range of their reference, which costs less than to look for the children of
/// each row. A deletion by ``DirectBatches`` goes the same way.
struct DoomedRanges {
  /// Ranges up to which they pay.
  private static let most = 50_000

  private let pass: DeletionPass
  private let condition: RowCondition
  private let references: [DeletionPass.RangeReference]
  private var ranges: [ClosedRange<Int64>] = []
  /// How many rows go.
  private var rows = 0
  /// Rows whose text sorts before the cutoff's bound and is no time; nothing where the times aren't texts.
  private(set) var unreadable: Int?
  /// The oldest and the newest time among those that go, where the pass over them found it out.
  private var found: ClosedRange<Int64>?
  /// How many rows the table has in the snapshot in which the ranges were found, where that was counted.
  private var total: Int?

  /// Looks at each row once; nothing where a range of a reference may mean other rows than the numbers in it, or where
  /// the rows that go lie in many ranges.
  init?(
    _ pass: DeletionPass, _ condition: RowCondition, extent: inout RowExtent, graph: DeletionGraph,
    renewing renewal: inout SnapshotRenewal?, on connection: any DatabaseConnection
  ) throws {
    guard let references = pass.rangeReferences(graph) else { return nil }
    self.pass = pass
    self.condition = condition
    self.references = references
    let statement = Self.statement(pass, condition)
    let sql = statement.sql
    if statement.tellsUnreadable { unreadable = 0 }
    let snapshot = renewal?.count
    // Rows before the bound that haven't come yet, where they were counted.
    var left: Int?
    if extent.isOpen, statement.tellsBounded {
      (total, left) = try Self.countBounded(pass, condition, on: connection)
    } else {
      try extent.seekEnd(of: pass, condition, on: connection)
    }
    let most = min(Self.most, Int(extent.rows / 8) + 16)
    var isWorthIt = true
    try extent.forEachStretch(of: pass, renewing: &renewal, on: connection) { first, last, isRenewed in
      let value = try connection.first(sql.text, [.integer(first), .integer(last)] + sql.values)?[0]
      let found = value.flatMap(NumberRanges.init)
      isWorthIt = found.map { ranges.count + $0.ranges.count <= most } ?? false
      guard isWorthIt, let found else { return nil }
      ranges += found.ranges
      rows += found.rows
      unreadable = unreadable.map { $0 + found.told }
      add(found.instants)
      left = left.map { $0 - found.bounded }
      // In a later snapshot there may be more.
      guard let left, !isRenewed else { return RowExtent.stretch }
      return left > 0 ? Int64(left) : nil
    }
    guard isWorthIt else { return nil }
    if renewal?.count != snapshot { total = nil }
  }

  /// How many rows a table has, and how many of them a time that sorts before the condition's bound: those that don't are
  /// counted, for which the index needn't compare each with the bound.
  private static func countBounded(
    _ pass: DeletionPass, _ condition: RowCondition, on connection: any DatabaseConnection
  ) throws -> (total: Int, bounded: Int) {
    guard let bound = condition.timeBound else { return (0, 0) }
    let (table, column) = (SQL.quoted(pass.table.name), SQL.quoted(bound.column))
    let sql = """
      SELECT (SELECT count(*) FROM \(table)), (SELECT count(*) FROM \(table) WHERE \(column) >= ?1), \
      (SELECT count(*) FROM \(table) WHERE \(column) IS NULL)
      """
    let counts = try connection.first(sql, [bound.value])?.map { Int($0.integer ?? 0) } ?? [0, 0, 0]
    return (counts[0], counts[0] - counts[1] - counts[2])
  }

  /// What finds the ranges between two numbers, and whether it tells of the texts that are no time, and of the rows before
  /// the bound.
  private static func statement(
    _ pass: DeletionPass, _ condition: RowCondition
  ) -> (sql: SQL, tellsUnreadable: Bool, tellsBounded: Bool) {
    let (table, number) = (SQL.quoted(pass.table.name), pass.rowNumber)
    var sql = SQL("SELECT upkeep_ranges(t.\(number), ", reserved: 2)
    var (tellsUnreadable, tellsBounded) = (false, false)
    let time = pass.timeColumn.flatMap { $0.form == .text ? $0 : nil }
    let bound = condition.timeBound.flatMap { $0.column == time?.name ? $0.value : nil }
    if let time, let bound, let age = RowAge(condition, time.name),
      pass.table.column(time.name)?.collation == ColumnDescription.binary
    {
      sql += "t.\(SQL.quoted(time.name)), "
      sql.bind(bound)
      sql += ", "
      if let others = age.others {
        sql += "CASE WHEN "
        sql.add(others, of: "t", scanning: true)
        sql += " THEN "
      }
      sql.bind(.integer(age.cutoff.microseconds))
      if age.others != nil { sql += " END" }
      if let second = age.second { sql += ", t.\(SQL.quoted(second))" }
      (tellsUnreadable, tellsBounded) = (true, true)
    } else {
      sql += "CASE WHEN "
      sql.add(condition, of: "t", scanning: true)
      sql += " THEN 1"
      if let time, let bound {
        let column = "t.\(SQL.quoted(time.name))"
        sql += " WHEN \(column) >= '' AND \(column) < "
        sql.bind(bound)
        sql += " AND \(time.instant(of: "t")) IS NULL THEN -1"
        tellsUnreadable = true
      }
      sql += " ELSE 0 END"
    }
    sql += ") FROM \(table) t NOT INDEXED WHERE t.\(number) BETWEEN ?1 AND ?2"
    return (sql, tellsUnreadable, tellsBounded)
  }

  private mutating func add(_ instants: ClosedRange<Int64>?) {
    guard let instants else { return }
    let known = found ?? instants
    found = min(known.lowerBound, instants.lowerBound)...max(known.upperBound, instants.upperBound)
  }

  /// Counts the rows of the pass and those that go or change with them.
  func count(
    renewing renewal: inout SnapshotRenewal?, on connection: any DatabaseConnection
  ) throws -> [TableTally] {
    var own = TableTally(table: pass.table.name, rows: rows, total: total)
    if own.rows > 0, let time = pass.timeColumn {
      if let found {
        own.oldest = Timestamp(microseconds: found.lowerBound)
        own.newest = Timestamp(microseconds: found.upperBound)
      } else {
        (own.oldest, own.newest) = try times(time, on: connection)
      }
    }
    var tallies = [own]
    for reference in references {
      let rows = try count(reference, renewing: &renewal, on: connection)
      tallies.append(TableTally(table: reference.edge.child, rows: rows, isUnlink: reference.edge.action == .unlink))
    }
    return tallies
  }

  /// Counts what refers to the ranges: many of them by one statement, but so few numbers that a count can be cancelled
  /// between two.
  private func count(
    _ reference: DeletionPass.RangeReference, renewing renewal: inout SnapshotRenewal?,
    on connection: any DatabaseConnection
  ) throws -> Int {
    let (column, child) = (SQL.list(reference.edge.columns, of: "c"), "\(SQL.quoted(reference.edge.child)) c")
    let inOrder = reference.index.map { index in
      "SELECT upkeep_whole(\(column), ?2) FROM \(child) INDEXED BY \(SQL.quoted(index)) WHERE \(column) >= ?1"
    }
    let each =
      "SELECT upkeep_whole(\(column)) FROM json_each(?1) r CROSS JOIN \(child) "
      + "WHERE \(column) BETWEEN r.value->>0 AND r.value->>1"
    var (rows, next) = (Int64(0), ranges.startIndex)
    while next < ranges.endIndex {
      var (end, numbers) = (next, Int64(0))
      while end < ranges.endIndex, end == next || numbers < RowExtent.stretch {
        numbers += ranges[end].upperBound - ranges[end].lowerBound + 1
        end += 1
      }
      let (first, last) = (ranges[next].lowerBound, ranges[end - 1].upperBound)
      let (distance, isTooFar) = last.subtractingReportingOverflow(first)
      // To look a range up takes about as long as to read what refers to eight numbers between the ranges as well.
      if let inOrder, !isTooFar, distance - numbers < 8 * Int64(end - next) {
        rows += try connection.integer(inOrder, [.integer(first), NumberRanges.blob(of: ranges[next..<end])])
      } else {
        let texts = ranges[next..<end].map { "[\($0.lowerBound),\($0.upperBound)]" }
        rows += try connection.integer(each, [.text("[\(texts.joined(separator: ","))]")])
      }
      next = end
      try renewal?.renewIfOld(on: connection)
    }
    return Int(rows)
  }

  /// The oldest and the newest time among the selected rows.
  private func times(
    _ time: TimeColumn, on connection: any DatabaseConnection
  ) throws -> (oldest: Timestamp?, newest: Timestamp?) {
    let (table, name) = (SQL.quoted(pass.table.name), SQL.quoted(time.name))
    func selected(_ expression: String, _ rest: String, indexed: Bool = true) throws -> Timestamp? {
      var sql = SQL("SELECT \(expression) FROM \(table) t\(indexed ? "" : " NOT INDEXED") WHERE ")
      sql.add(condition, of: "t")
      sql += rest
      return try connection.first(sql.text, sql.values)?[0].integer.map { Timestamp(microseconds: $0) }
    }
    let instant = time.instant(of: "t")
    guard condition.timeBound?.column == time.name, pass.table.hasIndex(on: [time.name]),
      let first = try selected(instant, " ORDER BY t.\(name) LIMIT 1"),
      let last = try selected(instant, " ORDER BY t.\(name) DESC LIMIT 1")
    else { return (try selected("min(\(instant))", ""), try selected("max(\(instant))", "")) }
    guard time.form == .text else { return (first, last) }
    // In the order of texts the first one is nearly always the oldest: one of another form, or with an offset, may sort
    // up to two days off, and is looked for there.
    let (earlier, later) = (first.dateText(plusDays: 2), last.dateText(plusDays: -1))
    // By number: of two upper bounds SQLite would take the cutoff's, and read nearly everything.
    let isEarly = "t.\(pass.rowNumber) IN (SELECT e.\(pass.rowNumber) FROM \(table) e WHERE e.\(name) < '\(earlier)')"
    return (
      try selected("min(\(instant))", " AND \(isEarly)", indexed: false),
      try selected("max(\(instant))", " AND t.\(name) >= '\(later)'")
    )
  }
}

/// A condition that wants a row to be older than a cutoff, taken apart.
private struct RowAge {
  let cutoff: Timestamp
  /// Another column of texts, in which a row that has a time there has to be as old.
  private(set) var second: String?
  /// What a row has to meet besides.
  let others: RowCondition?

  /// Nothing where the condition isn't made of these.
  init?(_ condition: RowCondition, _ column: String) {
    var conditions = if case .all(let all) = condition { all } else { [condition] }
    let ages = conditions.map { condition in
      if case .older(column, let cutoff, .text) = condition { cutoff } else { nil as Timestamp? }
    }
    guard let index = ages.firstIndex(where: { $0 != nil }), let cutoff = ages[index] else { return nil }
    conditions.remove(at: index)
    let names = conditions.map { condition in
      if case .any(let either) = condition, either.count == 2, case .isNull(let name) = either[0],
        either[1] == .older(column: name, than: cutoff)
      {
        name
      } else {
        nil as String?
      }
    }
    if let index = names.firstIndex(where: { $0 != nil }), let name = names[index] {
      conditions.remove(at: index)
      second = name
    }
    self.cutoff = cutoff
    others = conditions.isEmpty ? nil : .all(conditions)
  }
}

extension DeletionPass {
  /// The rows that refer to a range of this table's numbers.
  struct RangeReference {
    let edge: DeletionEdge
    /// An index that has all of them in order.
    let index: String?

    /// The condition for referring rows, with the first number of the range as the first parameter and the last as the
    /// second.
    var condition: String {
      let column = SQL.list(edge.columns)
      return "\(column) BETWEEN ?1 AND ?2 AND \(column) | 0 = \(column)"
    }
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
        let child = graph.catalogue[edge.child], let reference = child.column(edge.columns[0]),
        ["INTEGER", "NUMERIC", "REAL"].contains(reference.affinity)
      else { return nil }
      let index = child.indexes.first { index in
        index.columns.first?.schemaKey == edge.columns[0].schemaKey && !index.isPartial && !index.isDescending
          && index.collations.first?.uppercased() == reference.collation.uppercased()
      }
      references.append(RangeReference(edge: edge, index: index?.name))
    }
    return references
  }
}

extension Timestamp {
  fileprivate func dateText(plusDays days: Int64) -> String {
    (self + .seconds(days * 86_400)).dateText
  }
}
