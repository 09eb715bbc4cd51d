import UpkeepCore
import UpkeepDatabase

/// Looks at the plans of a batch's statements before the first batch: a statement that reads a whole large table would
/// do so for every batch, under the write lock.
enum Preflight {
  /// Rows from which a table is large.
  private static let large = 10_000

  /// Has the engine explain every statement afresh.
  ///
  /// The engine's own look-ups for foreign keys stand in the plan as well.
  /// - Throws: ``UpkeepCore/TaskError`` with code `full_scan` that names the table and the statement.
  static func check(_ statements: [String], on connection: any DatabaseConnection) throws {
    for statement in statements {
      let plan = try connection.map("EXPLAIN QUERY PLAN \(statement)") { $0[3].text ?? "" }
      for line in plan where line.hasPrefix("SCAN ") {
        let name = line.dropFirst(5).prefix { $0 != " " }
        guard !name.hasPrefix("("), !name.hasPrefix("temp."), name != "CONSTANT" else { continue }
        var table = table(called: String(name), in: statement)
        guard !table.hasPrefix("temp.") else { continue }
        func isLarge() throws -> Bool {
          try connection.integer("SELECT count(*) FROM (SELECT 1 FROM \(table) LIMIT \(large))") >= large
        }
        if (try? isLarge()) == nil, let whole = try self.table(in: line, on: connection) { table = whole }
        guard try isLarge() else { continue }
        throw TaskError(
          code: "full_scan", place: "table \(table)",
          problem: "SQLite would read all of it for each batch (\(line)) in: \(statement.prefix(300))",
          fix: "create an index that fits the statement, or run ANALYZE if there is one")
      }
    }
  }

  /// The table that a line of a plan names, where the statement has a name that isn't one word.
  private static func table(in line: String, on connection: any DatabaseConnection) throws -> String? {
    let names = try connection.map("SELECT name FROM main.sqlite_master WHERE type = 'table'") { $0[0].text ?? "" }
    let found = names.filter { line == "SCAN \($0)" || line.hasPrefix("SCAN \($0) ") }
    return found.max { $0.count < $1.count }.map(SQL.quoted)
  }

  /// The table behind an alias, as the statement has it: `FROM table alias` or `FROM table AS alias`.
  private static func table(called name: String, in statement: String) -> String {
    let words = statement.split { " (),".contains($0) }.map(String.init)
    guard let index = words.dropFirst().firstIndex(of: name) else { return SQL.quoted(name) }
    let before = words[index - 1] == "AS" && index >= 2 ? words[index - 2] : words[index - 1]
    let isAlias = !["FROM", "INTO", "UPDATE", "JOIN", "SELECT", "WHERE"].contains(before)
    return isAlias ? before : SQL.quoted(name)
  }
}
