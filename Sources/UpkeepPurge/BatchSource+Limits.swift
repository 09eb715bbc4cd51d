import UpkeepCore
import UpkeepDatabase

extension BatchSource {
  /// Parts of a batch, each found from the end of the one before.
  func parts(
    after cursor: Int64, rows: Int, each part: Int, _ find: (_ from: Int64, _ rows: Int) throws -> BatchBound?
  ) throws -> [BatchBound] {
    var parts: [BatchBound] = []
    var (from, rest) = (cursor, rows)
    while rest > 0, let next = try find(from, min(rest, max(1, part))), next.rows > 0 {
      parts.append(next)
      from = next.last
      rest -= next.rows
    }
    return parts
  }

  /// Deletes a batch, or as much of it as goes with at most so many rows, those included that go with others; one row of
  /// the driving table with all that goes with it is deleted in any case, so that every run gets on.
  ///
  /// What a batch takes is known only when it is done: one that took too much is undone within its transaction and
  /// done again with fewer rows.
  /// - Returns: What was deleted, and where it ended.
  func delete(
    after cursor: Int64, _ bound: BatchBound, within limit: Int?, on connection: any DatabaseConnection
  ) throws -> (bound: BatchBound, outcome: BatchOutcome) {
    guard let limit else { return (bound, try delete(after: cursor, through: bound.last, on: connection)) }
    var bound = bound
    while true {
      try connection.execute("SAVEPOINT upkeep_batch")
      let outcome = try delete(after: cursor, through: bound.last, on: connection)
      let rows = outcome.deleted
      if rows <= limit || bound.rows <= 1 {
        try connection.execute("RELEASE upkeep_batch")
        return (bound, outcome)
      }
      try connection.execute("ROLLBACK TO upkeep_batch")
      try connection.execute("RELEASE upkeep_batch")
      let fewer = max(1, min(bound.rows - 1, bound.rows * limit / rows))
      guard let smaller = try parts(after: cursor, rows: fewer, each: fewer, on: connection).first else {
        return (bound, BatchOutcome(tallies: []))
      }
      bound = smaller
    }
  }
}

extension BatchOutcome {
  /// Rows deleted from all tables.
  var deleted: Int {
    tallies.reduce(0) { $0 + ($1.isUnlink ? 0 : $1.rows) }
  }
}
