import UpkeepCore
import UpkeepDatabase

/// The rows that a plan must not touch, as conditions on their tables.
struct ExceptedRows: Sendable {
  private var conditions: [String: [String]] = [:]

  /// Turns exceptions into SQL.
  /// - Throws: ``UpkeepCore/TaskError`` where a table is missing or its rows can't be told by a key: an exception that
  ///   means nothing would protect nothing.
  init(_ exceptions: [RowException], catalogue: Catalogue) throws {
    for exception in exceptions {
      guard let table = catalogue[exception.table] else {
        let suggestion = NameSuggestion.nearest(to: exception.table, among: catalogue.tables.map(\.name))
        throw TaskError(
          code: "bad_exception", place: exception.place, problem: "there is no such table in the database",
          fix: suggestion.map { "did you mean \($0)?" } ?? "check the name, or remove the exception")
      }
      conditions[table.name.schemaKey, default: []].append(try Self.condition(exception, table))
    }
  }

  private static func condition(_ exception: RowException, _ table: TableDescription) throws -> String {
    switch exception.rows {
    case .matching(let text):
      if let problem = SQLExpression.problem(in: text) {
        throw TaskError(
          code: "bad_exception", place: exception.place, problem: problem, fix: "write one SQL expression, as in WHERE")
      }
      return "(\(text))"
    case .keys(let keys):
      guard let column = table.primaryKey.first, table.primaryKey.count == 1 else {
        let found = table.primaryKey.isEmpty ? "no primary key" : "a primary key of several columns"
        throw TaskError(
          code: "bad_exception", place: exception.place, problem: "the table has \(found)",
          fix: "say with where: which rows are meant")
      }
      return "\(SQL.quoted(table.name)).\(SQL.quoted(column)) IN (\(keys.map(\.literal).joined(separator: ", ")))"
    }
  }

  /// Whether rows of a table are excepted.
  func concern(_ table: String) -> Bool {
    conditions[table.schemaKey] != nil
  }

  /// ` FROM table WHERE (…)`: the excepted rows of a table that meet a condition, too.
  ///
  /// The table has no alias, since an expression may name it, and nothing beside it in its FROM, whose columns could be
  /// mistaken for its own. Conditions of the program put the table's name before its columns.
  func from(_ table: String, where condition: String? = nil) -> String? {
    guard let excepted = conditions[table.schemaKey] else { return nil }
    let further = condition.map { "\($0) AND " } ?? ""
    return " FROM \(SQL.quoted(table)) WHERE \(further)(\(excepted.joined(separator: " OR ")))"
  }
}

extension RowException {
  /// `except: table events`
  fileprivate var place: String {
    "except: table \(table)"
  }
}

extension RowKey {
  /// The key as SQL. It doesn't go into a parameter: the numbers of those are taken.
  fileprivate var literal: String {
    switch self {
    case .integer(let number): "\(number)"
    case .text(let text): "'\(text.replacing("'", with: "''"))'"
    }
  }
}

extension Purge {
  /// Sees to it that a plan honours what the host excepts, and that every expression means something.
  ///
  /// Each is prepared alone on a connection that can't write, so that nothing but a condition on the table's own rows
  /// ever gets into a statement that deletes.
  func check(_ plan: DeletionPlan, in context: TaskContext) async throws {
    let exceptions = context.exceptions(in: database.name)
    guard plan.exceptions == exceptions else {
      throw TaskError(
        code: "exceptions_ignored", place: "database \(database.name)",
        problem: "the plan doesn't honour the exceptions that are configured",
        fix: "this is a fault of the task's plugin, please report it; nothing was deleted")
    }
    try await check(exceptions, in: context)
  }

  /// Sees to it that every expression means something.
  func check(_ exceptions: [RowException], in context: TaskContext) async throws {
    let expressions = exceptions.compactMap { exception -> (RowException, String)? in
      if case .matching(let text) = exception.rows { (exception, text) } else { nil }
    }
    guard !expressions.isEmpty else { return }
    let session = try await database.open(.read, purpose: "upkeep/\(context.task)")
    do {
      for (exception, text) in expressions {
        try await Self.check(text, of: exception.table, place: exception.place, code: "bad_exception", session)
      }
    } catch {
      await session.close()
      throw error
    }
    await session.close()
  }
}
