public import UpkeepCore
import UpkeepDatabase

extension Purge {
  /// Deletes what the plan selects, in small transactions; counts each batch after its commit.
  ///
  /// A step that fails is recorded and the others go on, but where the disk or the file is at fault, which they would
  /// only meet again. A cancelled purge ends between two batches; what it committed stays committed and is counted, and
  /// the next run goes on from there. So it is where a limit of the run is reached: the steps left are for the next run.
  public func run(_ plan: DeletionPlan, in context: TaskContext) async throws {
    try await check(plan, in: context)
    var walk = BatchWalk(purge: self, context: context)
    walk.triggered = try await triggeredRows(plan, in: context)
    for step in plan.steps { declare(step, in: context) }
    for step in plan.steps {
      walk.begin(step)
      let before = walk
      let after = try await context.step(step.rule.name) {
        var copy = before
        do {
          try await copy.delete(step, graph: plan.graph)
        } catch {
          // Even when the run is cancelled: its bookkeeping comes after this.
          if catalogue.engine == .sqlite {
            try? await Task { [copy] in
              var walk = copy
              try await walk.enforceForeignKeys(true)
            }.value
          }
          if let error = error as? TaskError, error.isOfWholeDatabase {
            return Result<BatchWalk, TaskError>.failure(error)
          }
          throw error
        }
        return .success(copy)
      }
      if let after { walk = try after.get() }
      if let reason = walk.stop { return context.stop(for: reason) }
    }
  }

  /// What triggers delete, counted by the connection from now on.
  private func triggeredRows(_ plan: DeletionPlan, in context: TaskContext) async throws -> TriggeredRows? {
    guard catalogue.engine == .sqlite else { return nil }
    let exceptions = try ExceptedRows(plan.exceptions, catalogue: catalogue)
    let catalogue = catalogue
    let found = try await session.perform { connection -> TriggeredRows? in
      guard let found = try TriggeredRows(plan, on: connection) else { return nil }
      try found.count(exceptions, catalogue, on: connection)
      return found
    }
    if let found { declare(found, in: context) }
    return found
  }

  func declare(_ triggered: TriggeredRows, in context: TaskContext) {
    for target in triggered.targets {
      context.add(names.deleted(target.table), 0)
      context.update(table: target.table) { _ in }
    }
  }

  /// Names every table and count of a step, so that a run and its preview speak of the same ones.
  func declare(_ step: DeletionPlan.Step, in context: TaskContext) {
    for pass in step.passes {
      for table in [pass.table.name] + pass.leaves.map(\.child) {
        context.add(names.deleted(table), 0)
        context.update(table: table) { _ in }
      }
      for edge in pass.unlinks { context.add(names.unlinked(edge.child), 0) }
    }
  }
}

extension TaskError {
  /// Whether every further statement would meet it too, or could do harm.
  fileprivate var isOfWholeDatabase: Bool {
    ["disk_full", "disk_error", "database_damaged", "database_readonly", "database_cannot_open"].contains(code)
  }
}
