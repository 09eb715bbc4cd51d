import UpkeepCore
import UpkeepDatabase

/// Batches of rows that nothing holds, in ranges of the first column of their key, the condition repeated in each.
///
/// A server reads a range of the key and the range of the references to it side by side, in the order of both: that is a
/// third of what it costs to list all rows first and to look for each one's references by itself.
///
/// The rows that refer to others go first, as foreign keys want it. All statements of a batch see the same rows: where the
/// application has changed one of them meanwhile, so that it may have to stay, the batch fails and is done again.
struct ServerRanges: BatchSource {
  let start: Int64
  /// Whether nothing is selected.
  let isEmpty: Bool
  private let last: Int64
  private let firstStatement: SQL
  private let deletions: [(tally: TableTally, sql: SQL)]
  private let own: SQL
  private let table: String

  var needsSnapshot: Bool { true }

  /// Prepares the batches; nothing where the rows must be listed: their numbers lie far apart, or something may keep a row
  /// without a word.
  init?(_ pass: DeletionPass, on connection: any DatabaseConnection) throws {
    guard pass.isDirect, case .condition(let condition) = pass.selection else { return nil }
    let edges = pass.leaves + pass.unlinks
    guard try !Self.mayKeepRows([pass.table.name] + edges.map(\.child), on: connection) else { return nil }
    table = pass.table.name
    let (name, number) = (SQL.quoted(table), SQL.quoted(pass.identity[0]))
    var extent = SQL("SELECT min(t.\(number)), max(t.\(number)), count(*) FROM \(name) t WHERE ")
    extent.add(condition, of: "t")
    let found = try connection.first(extent.text, extent.values) ?? []
    let rows = found[2].integer ?? 0
    isEmpty = rows == 0
    let (first, last) = (found[0].integer ?? 1, found[1].integer ?? 1)
    let (span, isTooLarge) = last.subtractingReportingOverflow(first)
    guard isEmpty || !isTooLarge && first > .min && span / Self.sparseness <= rows else { return nil }
    (start, self.last) = (first - 1, last)
    func range(of alias: String, _ column: String) -> String {
      "\(alias).\(column) > ?1 AND \(alias).\(column) <= ?2"
    }
    var next = SQL("SELECT t.\(number) FROM \(name) t WHERE \(range(of: "t", number)) AND ", reserved: 2)
    next.add(condition, of: "t")
    next += " ORDER BY t.\(number) LIMIT 1"
    firstStatement = next
    deletions = edges.map { edge in
      let (child, column) = (SQL.quoted(edge.child), SQL.quoted(edge.columns[0]))
      let isUnlink = edge.action == .unlink
      var sql = SQL(
        isUnlink ? "UPDATE \(child) c SET \(column) = NULL FROM " : "DELETE FROM \(child) c USING ", reserved: 2)
      // Both ranges are named: then neither table is searched once for each row of the other.
      sql +=
        "\(name) t WHERE c.\(column) = t.\(number) AND \(range(of: "c", column)) AND \(range(of: "t", number)) AND "
      sql.add(condition, of: "t")
      return (TableTally(table: edge.child, rows: 0, isUnlink: isUnlink), sql)
    }
    let instants = pass.timeColumn?.extremes(of: "t") ?? Self.noInstants
    var own = SQL("WITH gone AS (DELETE FROM \(name) t WHERE \(range(of: "t", number)) AND ", reserved: 2)
    own.add(condition, of: "t")
    own += " RETURNING \(instants.row) AS at) SELECT count(*), \(instants.all) FROM gone"
    self.own = own
  }

  /// What is selected where rows have no time.
  static let noInstants = (row: "CAST(NULL AS bigint)", all: "min(at), max(at)")

  /// Numbers for each row, beyond which most of what a walk reads would stay.
  private static let sparseness: Int64 = 8

  /// Whether a trigger, a rule or a policy of the tables or their partitions may keep rows without a word: what belongs to
  /// them would be gone by then.
  private static func mayKeepRows(_ tables: [String], on connection: any DatabaseConnection) throws -> Bool {
    let names = tables.map { "'\(SQL.quoted($0).replacing("'", with: "''"))'" }.joined(separator: ", ")
    return try connection.integer(
      """
      SELECT count(*) FROM unnest(CAST(ARRAY[\(names)] AS text[])) AS n(name)
      CROSS JOIN LATERAL (SELECT to_regclass(n.name)::oid AS id
        UNION SELECT p.relid::oid FROM pg_partition_tree(to_regclass(n.name)) p) AS tables
      JOIN pg_class c ON c.oid = tables.id
      WHERE c.relhasrules OR c.relrowsecurity OR EXISTS (
        SELECT 1 FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgenabled <> 'D')
      """) > 0
  }

  var statements: [String] { [firstStatement.text] + deletions.map(\.sql.text) + [own.text] }

  /// The statements of a batch with the values that their plans are to be made for.
  var explained: [SQL] { deletions.map(\.sql) + [own] }

  /// One range, from the next row that goes.
  func parts(after cursor: Int64, rows: Int, each part: Int, on connection: any DatabaseConnection) throws
    -> [BatchBound]
  {
    let rest: [DatabaseValue] = [.integer(cursor), .integer(last)]
    guard let first = try connection.first(firstStatement.text, rest + firstStatement.values)?[0].integer else {
      return []
    }
    return [BatchBound(last: (first - 1).stepped(by: Int64(max(1, rows)), upTo: last), rows: max(1, rows))]
  }

  func delete(after cursor: Int64, through last: Int64, on connection: any DatabaseConnection) throws -> BatchOutcome {
    let range: [DatabaseValue] = [.integer(cursor), .integer(last)]
    var outcome = BatchOutcome(tallies: [])
    for (tally, sql) in deletions {
      var tally = tally
      tally.rows = try connection.execute(sql.text, range + sql.values)
      outcome.tallies.append(tally)
    }
    let gone = try connection.first(own.text, range + own.values) ?? []
    outcome.tallies.append(TableTally(table: table, count: gone, at: 0))
    return outcome
  }
}

extension TableDescription {
  /// Whether rows of a server's table can be walked over by the first column of their key, and what refers to them by its
  /// references: all of them are whole numbers.
  func isNumberedOnServer(
    _ catalogue: Catalogue, by edges: [DeletionEdge], _ selection: DeletionPass.Selection
  ) -> Bool {
    guard engine == .postgres, case .condition(let condition) = selection, !condition.ranks,
      let key = identity?.first, isWholeNumber(key)
    else { return false }
    return edges.allSatisfy { edge in
      edge.parentColumns.map(\.schemaKey) == [key.schemaKey]
        && catalogue[edge.child]?.isWholeNumber(edge.columns[0]) ?? false
    }
  }

  private func isWholeNumber(_ column: String) -> Bool {
    ["smallint", "integer", "bigint"].contains(self.column(column)?.type ?? "")
  }
}
