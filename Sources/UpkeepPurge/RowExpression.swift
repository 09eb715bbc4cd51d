public import UpkeepCore
public import UpkeepDatabase

/// A boolean SQL expression over the columns of one table, as in a WHERE.
///
/// It is checked for being one expression and nothing more when it is made; whether it means something in the table,
/// ``Purge/check(_:place:in:)`` asks the database.
public struct RowExpression: Hashable, Sendable {
  /// The expression.
  public let text: String
  let table: String
  /// The columns that tell a row.
  private let identity: [String]
  /// How the row's keys are called in the scope of the expression: as none of the table's columns is.
  private let keyName: String

  /// Makes an expression over the columns of a table.
  ///
  /// - Parameter place: What it is called in messages, such as `rule 1: where`.
  /// - Throws: ``UpkeepCore/TaskError`` with code `bad_expression` where the text isn't one expression.
  public init(_ text: String, of table: TableDescription, place: String) throws(TaskError) {
    if let problem = SQLExpression.problem(in: text) {
      throw TaskError(
        code: "bad_expression", place: place, problem: problem, fix: "write one SQL expression, as in WHERE")
    }
    self.text = text
    self.table = table.name
    identity = table.identity ?? table.primaryKey
    keyName = table.freeName("upkeep_key")
  }

  /// The expression as a condition on the rows of `alias`.
  ///
  /// The row is looked up again in a scope in which the table stands alone and by its own name, since an expression may
  /// name it, and since no other column could then be mistaken for one of its own. The keys go into that scope by names
  /// that nobody else has: the alias could be the table's name.
  func sql(of alias: String) -> String {
    let name = SQL.quoted(table)
    let keys = identity.enumerated().map { "\(alias).\(SQL.quoted($1)) AS \(keyName)_\($0)" }
    let match = identity.enumerated().map { "\(name).\(SQL.quoted($1)) = \(keyName)_\($0)" }
    let isTrue = "EXISTS (SELECT 1 FROM \(name) WHERE \(match.joined(separator: " AND ")) AND (\(text)))"
    return "EXISTS (SELECT 1 FROM (SELECT \(keys.joined(separator: ", "))) AS \(keyName) WHERE \(isTrue))"
  }
}

extension TableDescription {
  /// A name that neither the table nor any of its columns has, nor begins with.
  func freeName(_ wanted: String) -> String {
    let taken = ([name] + columns.map(\.name)).map { $0.lowercased() }
    var free = wanted
    while taken.contains(where: { $0.hasPrefix(free) }) { free += "_" }
    return free
  }
}

extension Purge {
  /// Has the database prepare expressions, each alone, on a connection that can't write.
  ///
  /// - Parameter places: What each is called in messages.
  /// - Throws: ``UpkeepCore/TaskError`` with code `bad_expression` for the first that means nothing in its table, or that
  ///   doesn't look at the row: one that is true for every row would take the whole table.
  public func check(_ expression: RowExpression, place: String, in context: TaskContext) async throws {
    let session = try await database.open(.read, purpose: "upkeep/\(context.task)")
    do {
      try await Self.check(expression.text, of: expression.table, place: place, code: "bad_expression", session)
      let isConstant = try await session.perform { connection in
        (try? connection.rows("SELECT (\(expression.text))")) != nil
      }
      if isConstant {
        throw TaskError(
          code: "bad_expression", place: place,
          problem: "\(expression.text): it names no column, so it says the same of every row",
          fix: "write a condition on the columns of the table")
      }
    } catch {
      await session.close()
      throw error
    }
    await session.close()
  }

  /// Prepares an expression alone.
  static func check(
    _ text: String, of table: String, place: String, code: String, _ session: any DatabaseSession
  ) async throws {
    let table = SQL.quoted(table)
    do {
      try await session.perform { connection in
        _ = try connection.rows("SELECT (\(text)) FROM \(table) LIMIT 0")
        _ = try connection.rows("SELECT 1 FROM \(table) WHERE (\(text)) LIMIT 0")
      }
    } catch let error as TaskError {
      // The statement that the message names isn't one that anybody wrote.
      let found = error.problem.firstRange(of: " in SELECT").map { error.problem[..<$0.lowerBound] }
      throw TaskError(
        code: code, place: place, problem: "\(text): \(found ?? error.problem[...])",
        fix: "write one SQL expression over the columns of the table")
    }
  }
}
