import UpkeepDatabase

extension BatchWalk {
  /// Deletes the rows of a step whose tables are no tree.
  mutating func delete(_ mesh: DeletionMesh, of step: DeletionPlan.Step, graph: DeletionGraph) async throws {
    let enforces = triggered?.needForeignKeys ?? false
    let (listing, batches) = try await purge.session.transaction(.scratch) { connection in
      var none = DoomedRows()
      let listing = try mesh.makeLists(on: connection, graph: graph, doomed: &none)
      return (listing, try MeshBatches(mesh, graph: graph, enforces: enforces, on: connection))
    }
    let keeps = !step.rule.selectsUnreferenced
    if keeps { count(held: listing.held, by: listing.holders, of: step.root.table.name) }
    count(excepted: listing.excepted)
    try await enforceForeignKeys(enforces)
    let held = try await walk(batches)
    if keeps { count(held: held, of: step.root.table.name) }
  }
}
