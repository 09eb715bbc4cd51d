import UpkeepCore
import UpkeepDatabase

extension BatchWalk {
  /// Deletes the rows of one step in a database of a server.
  ///
  /// Where the connection is lost meanwhile, the step begins anew with the rows that are left.
  mutating func deleteOnServer(_ step: DeletionPlan.Step, graph: DeletionGraph) async throws {
    let table = step.root.table.name
    let before = context.journal.current.tables.first { $0.table == table }
    while true {
      do {
        return try await deleteLists(of: step, graph: graph)
      } catch let lost as LostBatch {
        try await recover(from: lost)
      } catch let error as TaskError where error.code == "connection_lost" {
        try await recover(from: LostBatch(error: error, doubtful: nil))
      }
      // What stays is counted anew.
      context.update(table: table) { found in
        found.keptReferenced = before?.keptReferenced ?? 0
        found.referencedBy = before?.referencedBy ?? []
        found.keptExcepted = before?.keptExcepted ?? 0
      }
    }
  }

  private mutating func deleteLists(of step: DeletionPlan.Step, graph: DeletionGraph) async throws {
    try await dropPartitions(of: step)
    guard stop == nil else { return }
    let root = step.root
    if try await deleteRanges(root, of: step, graph: graph) { return }
    let (listing, isEmpty) = try await purge.session.transaction(.scratch) { connection in
      var none = DoomedRows()
      try step.rule.condition.makeRankings(without: none, on: connection)
      let listing = try root.makeLists(on: connection, graph: graph, doomed: &none)
      return (listing, try connection.integer("SELECT EXISTS (SELECT 1 FROM \(root.list))") == 0)
    }
    let keeps = !step.rule.selectsUnreferenced
    if !isEmpty || keeps && listing.held > 0 {
      try await purge.warnOfMissingIndexes(step, graph: graph, in: context)
    }
    if keeps { count(held: listing.held, by: listing.holders, of: root.table.name) }
    count(excepted: listing.excepted)
    try await walkServerLists(root, ancestors: [], graph: graph, keeps: keeps)
  }

  /// Deletes rows in ranges of their number.
  ///
  /// - Returns: False where they must be listed.
  private mutating func deleteRanges(
    _ pass: DeletionPass, of step: DeletionPlan.Step, graph: DeletionGraph
  ) async throws -> Bool {
    let batches = try await purge.session.transaction(.scratch) { try ServerRanges(pass, on: $0) }
    guard let batches else { return false }
    if batches.isEmpty { return true }
    try await purge.warnOfMissingIndexes(step, graph: graph, in: context)
    let warnings = try await purge.session.transaction(.scratch) { connection in
      try connection.execute("SET LOCAL enable_seqscan = off")
      return try ServerPreflight.warnings(batches.explained, graph: graph, on: connection)
    }
    warnings.forEach(context.warn)
    _ = try await walkOnServer(batches)
    return true
  }

  private mutating func walkServerLists(
    _ pass: DeletionPass, ancestors: [DeletionPass], graph: DeletionGraph, keeps: Bool
  ) async throws {
    for child in pass.children {
      try await walkServerLists(child, ancestors: [pass] + ancestors, graph: graph, keeps: keeps)
    }
    guard stop == nil else { return }
    let (batches, warnings) = try await purge.session.transaction(.scratch) { connection in
      try connection.execute("SET LOCAL enable_seqscan = off")
      let batches = try ServerBatches(pass, ancestors: ancestors, graph: graph, on: connection)
      let warnings = try batches.map { try ServerPreflight.warnings($0.explained, graph: graph, on: connection) }
      return (batches, warnings ?? [])
    }
    warnings.forEach(context.warn)
    guard let batches else { return }
    let held = try await walkOnServer(batches)
    if keeps, ancestors.isEmpty { count(held: held, of: pass.table.name) }
  }
}
