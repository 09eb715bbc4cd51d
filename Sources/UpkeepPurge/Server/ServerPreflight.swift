import UpkeepCore
import UpkeepDatabase

/// Looks at the plans of a batch's statements before the first batch, and says which index would spare each of them
/// reading a whole large table.
enum ServerPreflight {
  /// Has the server explain each statement, as it would plan it within a batch.
  /// - Returns: A warning for each large table that is read whole.
  static func warnings(
    _ statements: [SQL], graph: DeletionGraph, on connection: any DatabaseConnection
  ) throws -> [String] {
    var warnings: [String] = []
    for statement in statements {
      let plan = try connection.map("EXPLAIN \(statement.text)", [0, 1000] + statement.values) { $0[0].text ?? "" }
      for line in plan {
        guard let read = line.firstMatch(of: #/Seq Scan on "?([^" ]+)/#)?.1 else { continue }
        let owner = graph.catalogue.tables.first { table in
          table.name == read || table.partitions.contains { $0.split(separator: ".").last == read }
        }
        guard let owner, try isLarge(owner.name, on: connection) else { continue }
        let missing = graph.missingIndexes(of: owner.name)
        let fix = missing.isEmpty ? "an index that fits is missing" : missing.joined(separator: "; ")
        warnings.append("each batch reads all of \(owner.name), since it has no index for what is looked for: \(fix)")
      }
    }
    return warnings
  }

  private static func isLarge(_ table: String, on connection: any DatabaseConnection) throws -> Bool {
    try Preflight.isLarge(table, on: connection)
  }
}
