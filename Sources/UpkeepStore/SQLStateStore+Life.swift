public import UpkeepCore
import UpkeepDatabase
public import UpkeepRuns

extension SQLStateStore {
  /// Asks for the right to run, and saves the record of the start together with it.
  public func begin(
    _ request: LeaseRequest, started: @escaping @Sendable (Timestamp) -> RunRecord
  ) async throws -> RunBeginning {
    let (clock, inspector, owners) = (clock, inspector, owners)
    let isShared = isShared
    let (beginning, dead) = try await write(.normal) { connection -> (RunBeginning, [String]) in
      // The instant is that of the start, however long this had to wait for its turn.
      let now = try clock.now(on: connection)
      let table = LeaseTable(connection: connection, owners: owners)
      let (answer, dead) = try table.answer(request, at: now, by: inspector)
      guard case .granted = answer else { return (RunBeginning(answer), dead) }
      let record = started(now)
      try RunTable(connection: connection, owners: owners).save(record, at: now)
      return (RunBeginning(answer, record: record, orphans: isShared ? try table.orphans() : []), dead)
    }
    found(dead)
    return beginning
  }

  /// Saves the last record of a run and gives back what it held. The next run need not wait for the disk; who is told of
  /// this one's end does.
  public func end(_ record: RunRecord, released: @escaping @Sendable () -> Void) async throws {
    let (clock, owners) = (clock, owners)
    try await write(.normal) { connection in
      try RunTable(connection: connection, owners: owners).save(record, at: clock.now(on: connection))
      try LeaseTable(connection: connection, owners: owners).end(record.result.runID)
    }
    released()
    try await untilDurable()
  }
}
