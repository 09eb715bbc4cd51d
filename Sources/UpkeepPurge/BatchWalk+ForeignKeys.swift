import UpkeepDatabase

extension BatchWalk {
  /// Spares SQLite what foreign keys make of each deleted row, a tenth of its time, where none has anything to say: no
  /// foreign key of the schema refers to a table that the step changes, and no trigger changes others.
  ///
  /// A foreign key that is made while the step goes on is noticed by the schema's version, in each batch.
  mutating func relaxForeignKeys(for step: DeletionPlan.Step) async throws {
    let changed = Set(step.passes.flatMap(\.tables).map(\.schemaKey))
    guard !purge.catalogue.foreignKeys.contains(where: { changed.contains($0.parent.schemaKey) }) else { return }
    if try await hasTriggers(step.passes) { return }
    try await enforceForeignKeys(false)
  }

  /// Lets SQLite enforce foreign keys row by row, or not.
  mutating func enforceForeignKeys(_ on: Bool) async throws {
    guard on != enforcesForeignKeys else { return }
    try await purge.session.perform { _ = try $0.execute("PRAGMA foreign_keys = \(on ? "ON" : "OFF")") }
    enforcesForeignKeys = on
  }

  /// Whether triggers of the schema run when these passes change rows.
  func hasTriggers(_ passes: [DeletionPass]) async throws -> Bool {
    let tables = Set(passes.flatMap(\.tables).map(\.schemaKey)).sorted()
    let names = tables.indices.map { "?\($0 + 1)" }.joined(separator: ", ")
    let statement = "SELECT count(*) FROM main.sqlite_master WHERE type = 'trigger' AND lower(tbl_name) IN (\(names))"
    return try await purge.session.perform { try $0.integer(statement, tables.map { .text($0) }) > 0 }
  }
}

extension DeletionPass {
  /// The tables whose rows it changes.
  fileprivate var tables: [String] {
    [table.name] + (leaves + unlinks).map(\.child)
  }
}
