public import UpkeepCore
import UpkeepDatabase

extension DeletionRule {
  /// Rows with something in the rule's time column that isn't a time in its form; only those are looked for that the
  /// cutoff doesn't keep anyway.
  ///
  /// An index on the column is enough to count them.
  ///
  /// - Parameter old: How many of them lie among the texts before the cutoff's bound, where that is known.
  func countUnreadable(
    of description: TableDescription, on connection: any DatabaseConnection, amongOld old: Int? = nil
  ) throws -> Int {
    guard let timeColumn else { return 0 }
    if let server = try TimeColumn(timeColumn, timeForm, of: description).server {
      // A column of a type for times holds nothing else.
      guard case .number = server else { return 0 }
      let column = "t.\(SQL.quoted(timeColumn))"
      let isStray = "\(column) IS NOT NULL AND \(server.instant(column)) IS NULL"
      return Int(try connection.integer("SELECT count(*) FROM \(SQL.quoted(table)) t WHERE \(isStray)"))
    }
    let (name, column) = (SQL.quoted(table), SQL.quoted(timeColumn))
    guard let range = timeForm.plausibleValues else {
      guard let bound = condition.timeBound, bound.column == timeColumn else {
        return Int(
          try connection.integer(
            "SELECT count(*) FROM \(name) WHERE \(column) IS NOT NULL AND upkeep_instant(\(column)) IS NULL"))
      }
      // What no date can begin with, and what lies among the old dates without being one. A text among the young ones
      // is kept anyway.
      let others = try connection.integer(
        """
        SELECT (SELECT count(*) FROM \(name) WHERE \(column) < '') + (SELECT count(*) FROM \(name) WHERE \(column) >= ':')
        """)
      let condition = "\(column) >= '' AND \(column) < ?1 AND upkeep_instant(\(column)) IS NULL"
      let among =
        try old ?? Int(connection.integer("SELECT count(*) FROM \(name) WHERE \(condition)", [bound.value]))
      return Int(others) + among
    }
    // Texts and blobs sort behind every number. In a column that turns numbers into texts all that is there is text.
    let isText =
      try connection.first(
        "SELECT typeof(\(column)) = 'text' FROM \(name) WHERE \(column) IS NOT NULL LIMIT 1")?[0].integer == 1
    if isText {
      let instant = TimeColumn(timeColumn, timeForm).instant(of: name)
      return Int(
        try connection.integer("SELECT count(*) FROM \(name) WHERE \(column) IS NOT NULL AND \(instant) IS NULL"))
    }
    return Int(
      try connection.integer(
        """
        SELECT (SELECT count(*) FROM \(name) WHERE \(column) < ?1) + (SELECT count(*) FROM \(name) WHERE \(column) > ?2)
        """, [range.first, range.last]))
  }

  /// Says how many rows are kept since their time can't be read.
  func warn(ofUnreadable rows: Int, in context: TaskContext) {
    guard rows > 0, let timeColumn else { return }
    let (what, how) =
      timeForm == .text
      ? ("date and time", "write it as \(timeForm.example)")
      : ("time", "as \(timeForm.rawValue) it is a number such as \(timeForm.example)")
    context.warn("\(table): \(rows) rows have no \(what) in \(timeColumn) that can be read; they are kept: \(how)")
  }
}

extension Purge {
  /// Warns of the rows that a plan's rules keep since their time can't be read: a run says so as its preview does.
  public func warnOfUnreadableTimes(_ plan: DeletionPlan, in context: TaskContext) async throws {
    for step in plan.steps {
      let rows = try await read { try step.rule.countUnreadable(of: step.root.table, on: $0) }
      step.rule.warn(ofUnreadable: rows, in: context)
    }
  }
}
