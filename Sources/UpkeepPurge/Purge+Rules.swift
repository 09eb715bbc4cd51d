public import UpkeepCore
public import UpkeepDatabase

extension Purge {
  /// Opens a database and deletes what rules select there, or counts it for a preview. What belongs to the rows follows
  /// the foreign keys of the live schema.
  ///
  /// - Parameters:
  ///   - database: The database.
  ///   - purpose: Whether to delete or to count.
  ///   - names: How the counts are called.
  ///   - context: The run.
  ///   - rules: Makes the rules from the live schema.
  public static func carryOut(
    on database: any Database, for purpose: Purpose, names: CountNames = CountNames(), in context: TaskContext,
    rules: (Catalogue) throws -> [DeletionRule]
  ) async throws {
    try await Purge.with(database, for: purpose, names: names, in: context) { purge in
      let graph = DeletionGraph(purge.catalogue, declared: [])
      let plan = try DeletionPlan(
        rules(purge.catalogue), graph: graph, exceptions: context.exceptions(in: database.name))
      switch purpose {
      case .preview: try await purge.preview(plan, in: context)
      case .deletion: try await purge.run(plan, in: context)
      }
    }
  }
}
