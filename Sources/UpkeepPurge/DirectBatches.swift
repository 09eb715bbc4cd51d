import UpkeepCore
import UpkeepDatabase

/// Batches of a pass that nothing holds: ranges of the row number, the condition repeated in each transaction.
///
/// Where nearly all rows of a range go, the few that stay are looked for first, and the ranges between them are deleted
/// by number, with their children found by a range of the reference: that costs a third less than to test the condition
/// once more for each table.
struct DirectBatches: BatchSource {
  let start: Int64
  private let last: Int64
  private let firstStatement: SQL
  private let partStatement: SQL
  private let deletions: [(tally: TableTally, sql: SQL)]
  private let ranges: Ranges?

  /// The statements for ranges of row numbers that go whole.
  private struct Ranges {
    /// The rows of a range that stay, at most so many.
    let kept: SQL
    /// In the order of ``DirectBatches/deletions``.
    let deletions: [String]
  }

  /// Prepares the batches.
  ///
  /// - Parameter graph: Given where rows may be deleted by ranges of their numbers: nothing that runs beside it, such as a
  ///   trigger, may change in between which rows the condition selects.
  /// - Parameter keepsParents: Whether only what belongs to the rows goes or changes, and they themselves go later.
  init(
    _ pass: DeletionPass, _ condition: RowCondition, extent: RowExtent, ranges graph: DeletionGraph? = nil,
    keepsParents: Bool = false
  ) {
    start = extent.first - 1
    last = extent.last
    let (table, number) = (SQL.quoted(pass.table.name), pass.rowNumber)
    let instant = keepsParents ? "NULL" : pass.timeColumn?.instant(of: "t") ?? "NULL"
    func range(_ sql: inout SQL) {
      sql += "t.\(number) > ?1 AND t.\(number) <= ?2 AND "
      sql.add(condition, of: "t", scanning: true)
    }
    // The order of the table is forced: any other would visit its pages, and those of its indexes, again and again.
    var first = SQL("SELECT t.\(number) FROM \(table) t NOT INDEXED WHERE ", reserved: 2)
    range(&first)
    first += " ORDER BY t.\(number) LIMIT 1"
    firstStatement = first
    var rows = SQL(
      "SELECT ?2, count(*), min(at), max(at) FROM (SELECT \(instant) AS at FROM \(table) t NOT INDEXED WHERE ",
      reserved: 2)
    range(&rows)
    rows += ")"
    partStatement = rows
    var deletions: [(tally: TableTally, sql: SQL)] = []
    for edge in pass.leaves + pass.unlinks {
      var sql = edge.change
      sql +=
        "\(edge.reference()) IN (SELECT \(SQL.list(edge.parentColumns, of: "t")) FROM \(table) t NOT INDEXED WHERE "
      range(&sql)
      sql += ")"
      deletions.append((TableTally(table: edge.child, rows: 0, isUnlink: edge.action == .unlink), sql))
    }
    if !keepsParents {
      var own = SQL("DELETE FROM \(table) AS t NOT INDEXED WHERE ", reserved: 2)
      range(&own)
      deletions.append((TableTally(table: pass.table.name, rows: 0), own))
    }
    self.deletions = deletions
    guard let graph, let references = pass.rangeReferences(graph) else {
      ranges = nil
      return
    }
    var kept = SQL(
      "SELECT t.\(number) FROM \(table) t NOT INDEXED WHERE t.\(number) > ?1 AND t.\(number) <= ?2 AND (", reserved: 3)
    kept.add(condition, of: "t", scanning: true)
    kept += ") IS NOT TRUE ORDER BY t.\(number) LIMIT ?3"
    let whole = "DELETE FROM \(table) WHERE \(number) BETWEEN ?1 AND ?2"
    ranges = Ranges(
      kept: kept, deletions: references.map { $0.edge.change.text + $0.condition } + (keepsParents ? [] : [whole]))
  }

  var statements: [String] {
    [firstStatement.text, partStatement.text] + deletions.map(\.sql.text)
      + (ranges.map { [$0.kept.text] + $0.deletions } ?? [])
  }

  /// Ranges of the row number, from the next row that goes: `rows` numbers in ranges of `part`, without those in which
  /// nothing goes.
  func parts(after cursor: Int64, rows: Int, each part: Int, on connection: any DatabaseConnection) throws
    -> [BatchBound]
  {
    let rest: [DatabaseValue] = [.integer(cursor), .integer(last)]
    guard let first = try connection.first(firstStatement.text, rest + firstStatement.values)?[0].integer else {
      return []
    }
    var parts: [BatchBound] = []
    var from = first - 1
    let end = from.stepped(by: Int64(rows), upTo: last)
    while from < end {
      let to = from.stepped(by: Int64(max(1, part)), upTo: end)
      let values: [DatabaseValue] = [.integer(from), .integer(to)]
      let found = BatchBound(try connection.first(partStatement.text, values + partStatement.values))
      if let found, found.rows > 0 { parts.append(found) }
      from = to
    }
    return parts
  }

  func delete(after cursor: Int64, through last: Int64, on connection: any DatabaseConnection) throws -> BatchOutcome {
    var outcome = BatchOutcome(tallies: deletions.map(\.tally))
    if let ranges, let doomed = try doomedRanges(ranges, after: cursor, through: last, on: connection) {
      for range in doomed {
        for (index, sql) in ranges.deletions.enumerated() {
          outcome.tallies[index].rows += try connection.execute(
            sql, [.integer(range.lowerBound), .integer(range.upperBound)])
        }
      }
      return outcome
    }
    for (index, deletion) in deletions.enumerated() {
      outcome.tallies[index].rows = try connection.execute(
        deletion.sql.text, [.integer(cursor), .integer(last)] + deletion.sql.values)
    }
    return outcome
  }

  /// The numbers between the rows that stay; nothing where so many stay that ranges don't pay.
  private func doomedRanges(
    _ ranges: Ranges, after cursor: Int64, through last: Int64, on connection: any DatabaseConnection
  ) throws -> [ClosedRange<Int64>]? {
    let most = 16
    let values: [DatabaseValue] = [.integer(cursor), .integer(last), .integer(Int64(most + 1))]
    let kept = try connection.map(ranges.kept.text, values + ranges.kept.values) { $0[0].integer ?? 0 }
    guard kept.count <= most else { return nil }
    var doomed: [ClosedRange<Int64>] = []
    var first = cursor + 1
    for row in kept {
      if row > first { doomed.append(first...(row - 1)) }
      first = row + 1
    }
    if last >= first { doomed.append(first...last) }
    return doomed
  }
}

extension DeletionEdge {
  /// The beginning of the statement that does to the referring rows what the edge says.
  var change: SQL {
    let table = SQL.quoted(child)
    guard action == .unlink else { return SQL("DELETE FROM \(table) WHERE ", reserved: 2) }
    let assignments = columns.map { "\(SQL.quoted($0)) = NULL" }.joined(separator: ", ")
    return SQL("UPDATE \(table) SET \(assignments) WHERE ", reserved: 2)
  }
}

extension RowCondition {
  /// An upper bound of a time column that all selected rows lie under.
  var timeBound: (column: String, value: DatabaseValue)? {
    switch self {
    case .older(let column, let cutoff, let form): (column, form.bound(before: cutoff))
    case .all(let conditions): conditions.lazy.compactMap(\.timeBound).first
    case .always, .isNull, .isOneOf, .matching, .outranked, .server, .any: nil
    }
  }
}
