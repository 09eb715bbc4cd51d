public import UpkeepCore
import UpkeepDatabase

extension Purge {
  /// Counts what a run of this plan would delete now, by the same names, and changes nothing.
  public func preview(_ plan: DeletionPlan, in context: TaskContext) async throws {
    try await check(plan, in: context)
    var doomed = DoomedRows()
    for (index, step) in plan.steps.enumerated() {
      try Task.checkCancellation()
      context.report(Double(index) / Double(plan.steps.count), "counting \(step.rule.name)")
      let before = doomed
      let result = try await context.step(step.rule.name) {
        try await session.transaction(.scratch) { connection in
          try StepCount(
            step, graph: plan.graph, doomed: before, droppingPartitions: database.dropsPartitions,
            clock: context.clock, on: connection)
        }
      }
      guard let result else { continue }
      doomed = result.doomed
      if result.found > 0 || result.held > 0 {
        try await warnOfMissingIndexes(step, graph: plan.graph, in: context)
      }
      report(result, of: step, in: context)
    }
    guard catalogue.engine == .sqlite else { return }
    if let triggered = try await session.perform({ try TriggeredRows(plan, on: $0) }) {
      declare(triggered, in: context)
      let deletes = context.journal.current.counts.values.contains { $0 > 0 }
      if deletes { triggered.warnings.forEach(context.warn) }
    }
  }

  private func report(_ result: StepCount, of step: DeletionPlan.Step, in context: TaskContext) {
    for tally in result.tallies {
      context.add(tally.isUnlink ? names.unlinked(tally.table) : names.deleted(tally.table), tally.rows)
      guard !tally.isUnlink else { continue }
      context.update(table: tally.table) { table in
        table.deleted += tally.rows
        table.keep(tally.held, referencedBy: tally.holders)
        table.keptExcepted += tally.excepted
        table.total = tally.total ?? table.total
        table.widen(from: tally.oldest, to: tally.newest)
      }
    }
    for partition in result.partitions { partition.tell(context) }
    result.warnings.forEach(context.warn)
    step.rule.warn(ofUnreadable: result.unreadable, in: context)
  }
}
