import UpkeepCore
import UpkeepDatabase
import UpkeepPurge

/// Turns the settings' rules into a plan on a live database.
struct RetentionRules {
  let purge: Purge
  let context: TaskContext

  /// The plan. A rule that can't be carried out is recorded as a step that failed, and the others go on.
  func plan(_ rules: [RetentionRule]) async throws -> DeletionPlan {
    var built: [DeletionRule] = []
    let graph = DeletionGraph(purge.catalogue, declared: [])
    let exceptions = context.exceptions(in: purge.databaseName)
    for (index, rule) in rules.enumerated() {
      let name = Self.name(of: rule, at: index, in: rules)
      let result = try await context.step(name) {
        let result = try await self.rule(rule, name: name, number: index)
        _ = try DeletionPlan([result], graph: graph, exceptions: exceptions)
        return result
      }
      if let result { built.append(result) }
    }
    return try DeletionPlan(built, graph: graph, exceptions: exceptions)
  }

  /// The table's name, with the rule's number where there are more rules for the table.
  static func name(of rule: RetentionRule, at index: Int, in rules: [RetentionRule]) -> String {
    let isAlone = rules.count { $0.table.lowercased() == rule.table.lowercased() } == 1
    return isAlone ? rule.table : "\(rule.table) (rules.\(index))"
  }

  private func rule(_ rule: RetentionRule, name: String, number: Int) async throws -> DeletionRule {
    let place = "rules.\(number) (table \(rule.table))"
    let table = try Self.table(rule, in: purge.catalogue, place: place)
    let time = try await Self.time(of: rule, in: table, place: place) { body in try await purge.read(body) }
    var conditions: [RowCondition] = []
    if let keep = rule.keep, let time {
      conditions.append(.older(column: time.name, than: context.now - keep, as: time.form))
    }
    var expression: RowExpression?
    if let text = rule.condition?.text {
      let made = try RowExpression(text, of: table, place: "\(place): where")
      try await purge.check(made, place: "\(place): where", in: context)
      conditions.append(.matching(made))
      expression = made
    }
    if let count = rule.keepLast {
      let groups = try rule.per.values.map { try Self.column($0, of: table, key: "per", place: place) }
      conditions.append(
        .outranked(
          try RowRanking(2 * number, newest: count, of: table, per: groups, timeColumn: time, among: expression)))
    }
    if let count = rule.keepRows {
      conditions.append(.outranked(try RowRanking(2 * number + 1, newest: count, of: table, timeColumn: time)))
    }
    return DeletionRule(
      name: name, table: table.name, condition: .all(conditions), timeColumn: time?.name, timeForm: time?.form ?? .text)
  }

  /// The table of a rule.
  /// - Throws: ``UpkeepCore/TaskError`` with code `missing_table` and the nearest name.
  static func table(_ rule: RetentionRule, in catalogue: Catalogue, place: String) throws(TaskError) -> TableDescription
  {
    if let table = catalogue[rule.table] { return table }
    let known = catalogue.tables.map(\.name)
    let hint = NameSuggestion.nearest(to: rule.table, among: known).map { "did you mean \($0)?" }
    throw TaskError(
      code: "missing_table", place: place, problem: "there is no such table in the database",
      fix: hint ?? "check the name, and that the task's database is the right one")
  }

  /// The name of a column as the schema spells it.
  /// - Throws: ``UpkeepCore/TaskError`` with code `missing_column` and the nearest name.
  static func column(
    _ name: String, of table: TableDescription, key: String, place: String
  ) throws(TaskError) -> String {
    if let column = table.column(name) { return column.name }
    let hint = NameSuggestion.nearest(to: name, among: table.columns.map(\.name)).map { "did you mean \($0)?" }
    throw TaskError(
      code: "missing_column", place: "\(place): \(key)", problem: "the table has no column \(name)",
      fix: hint ?? "name one of \(table.columns.map(\.name).joined(separator: ", "))")
  }

  /// The time column of a rule, and how it holds times.
  static func time(
    of rule: RetentionRule, in table: TableDescription, place: String,
    read: (@escaping @Sendable (any DatabaseConnection) throws -> TimeForm?) async throws -> TimeForm?
  ) async throws -> (name: String, form: TimeForm)? {
    guard let wanted = rule.timeColumn else { return nil }
    let name = try column(wanted, of: table, key: "time_column", place: place)
    if let form = rule.timeFormat.form { return (name, form) }
    let found = try await read { connection in
      try TimeSample(of: name, in: table, on: connection).form(place: "\(place): time_column", column: name)
    }
    // A column without a value selects no row, whatever its form.
    return (name, found ?? .text)
  }
}
