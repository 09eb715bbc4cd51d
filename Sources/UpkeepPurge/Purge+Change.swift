public import UpkeepCore
public import UpkeepDatabase

extension Purge {
  /// What a task does with the rows that a change selects: each as ``RowChange/reads`` says, some at a time.
  public typealias RowObserver = @Sendable ([[DatabaseValue]]) -> Void

  private static let previewed: Int64 = 1000

  /// Tells of the rows that ``run(_:in:observe:)`` would change now, and changes nothing.
  public func preview(_ change: RowChange, in context: TaskContext, observe: @escaping RowObserver) async throws {
    let batches = try await list(change, in: context)
    var cursor = batches.start
    while true {
      try Task.checkCancellation()
      let from = cursor
      let part = try await read { connection -> (last: Int64, rows: [[DatabaseValue]])? in
        guard let bound = try batches.bound(after: from, rows: Int(Self.previewed), on: connection) else { return nil }
        return (bound.last, try batches.rows(after: from, through: bound.last, on: connection))
      }
      guard let part else { return }
      observe(part.rows.map { Array($0.dropFirst()) })
      cursor = part.last
    }
  }

  /// Changes the rows in small transactions, and tells of each batch's rows after its commit.
  ///
  /// A row is changed where the whole condition holds at that moment. A cancelled run, or one that reaches a limit, ends
  /// between two batches.
  public func run(_ change: RowChange, in context: TaskContext, observe: @escaping RowObserver) async throws {
    var walk = BatchWalk(purge: self, context: context)
    while true {
      let batches = try await list(change, in: context)
      do {
        try await walk.change(batches, step: change.name, observe: observe)
        break
      } catch let lost as LostBatch {
        try await walk.recover(from: lost)
      } catch let error as TaskError where error.code == "connection_lost" {
        try await walk.recover(from: LostBatch(error: error, doubtful: nil))
      }
    }
    if let reason = walk.stop { context.stop(for: reason) }
  }

  private func list(_ change: RowChange, in context: TaskContext) async throws -> ChangeBatches {
    let exceptions = context.exceptions(in: database.name)
    let rows = try ExceptedRows(exceptions, catalogue: catalogue)
    try await check(exceptions, in: context)
    let batches = try await session.transaction(.scratch) { try ChangeBatches(change, except: rows, on: $0) }
    if batches.excepted > 0 {
      context.update(table: change.table.name) { $0.keptExcepted += batches.excepted }
    }
    return batches
  }
}
