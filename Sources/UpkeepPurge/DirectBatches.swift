import UpkeepCore
import UpkeepDatabase

/// Between which row numbers the selected rows lie.
struct RowExtent: Sendable {
  var first: Int64
  var last: Int64
  /// How many rows may be selected, at the most.
  var rows: Int64
  /// Whether so many of the rows between are selected that walking over all of them is right.
  var isDense: Bool

  /// Looks them up in the index of the condition's time column, or takes the whole table where there is none.
  init?(_ pass: DeletionPass, _ condition: RowCondition, on connection: any DatabaseConnection) throws {
    let table = SQL.quoted(pass.table.name)
    var sql = SQL("SELECT min(t.\(pass.rowNumber)), max(t.\(pass.rowNumber)), count(*) FROM \(table) t")
    let bound = condition.timeBound.flatMap { pass.table.hasIndex(on: [$0.column]) ? $0 : nil }
    if let bound {
      sql += " WHERE t.\(SQL.quoted(bound.column)) < "
      sql.bind(bound.value)
    } else {
      sql = SQL("SELECT min(\(pass.rowNumber)), max(\(pass.rowNumber)), 0 FROM \(table)")
    }
    guard let row = try connection.first(sql.text, sql.values), let first = row[0].integer, let last = row[1].integer
    else { return nil }
    self.first = first
    self.last = last
    rows = bound == nil ? last - first + 1 : row[2].integer ?? 0
    isDense = bound == nil || (last - first) / 8 <= rows
  }
}

/// Batches of a pass that nothing holds: ranges of the row number, the condition repeated in each statement.
struct DirectBatches: BatchSource {
  let start: Int64
  private let last: Int64
  private let boundStatement: SQL
  private let deletions: [(tally: TableTally, sql: SQL)]

  init(_ pass: DeletionPass, _ condition: RowCondition, extent: RowExtent) {
    start = extent.first - 1
    last = extent.last
    let (table, number) = (SQL.quoted(pass.table.name), pass.rowNumber)
    // The order of the table is forced: any other would visit its pages, and those of its indexes, again and again.
    var bound = SQL("SELECT max(rid), count(*), min(at), max(at) FROM (SELECT t.\(number) AS rid, ", reserved: 3)
    bound += pass.timeColumn?.instant(of: "t") ?? "NULL"
    bound += " AS at FROM \(table) t NOT INDEXED WHERE t.\(number) > ?1 AND t.\(number) <= ?2 AND "
    bound.add(condition, of: "t")
    bound += " ORDER BY t.\(number) LIMIT ?3)"
    boundStatement = bound
    func range(_ sql: inout SQL) {
      sql += "t.\(number) > ?1 AND t.\(number) <= ?2 AND "
      sql.add(condition, of: "t")
    }
    var deletions: [(tally: TableTally, sql: SQL)] = []
    for edge in pass.leaves + pass.unlinks {
      var sql = edge.change
      sql +=
        "\(SQL.tuple(edge.columns)) IN (SELECT \(SQL.list(edge.parentColumns, of: "t")) FROM \(table) t NOT INDEXED WHERE "
      range(&sql)
      sql += ")"
      deletions.append((TableTally(table: edge.child, rows: 0, isUnlink: edge.action == .unlink), sql))
    }
    var own = SQL("DELETE FROM \(table) AS t NOT INDEXED WHERE ", reserved: 2)
    range(&own)
    deletions.append((TableTally(table: pass.table.name, rows: 0), own))
    self.deletions = deletions
  }

  var statements: [String] {
    [boundStatement.text] + deletions.map(\.sql.text)
  }

  func bound(after cursor: Int64, rows: Int, on connection: any DatabaseConnection) throws -> BatchBound? {
    let values: [DatabaseValue] = [.integer(cursor), .integer(last), .integer(Int64(rows))]
    return BatchBound(try connection.first(boundStatement.text, values + boundStatement.values))
  }

  func delete(after cursor: Int64, through last: Int64, on connection: any DatabaseConnection) throws -> BatchOutcome {
    var outcome = BatchOutcome(tallies: [])
    for (tally, sql) in deletions {
      var tally = tally
      tally.rows = try connection.execute(sql.text, [.integer(cursor), .integer(last)] + sql.values)
      outcome.tallies.append(tally)
    }
    return outcome
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
    case .always, .isNull, .isOneOf, .matching, .outranked, .any: nil
    }
  }
}
