import UpkeepCore
import UpkeepDatabase
public import UpkeepRuns

extension SQLStateStore {
  /// How far the slots of each task are recorded.
  public func grids() async throws -> [TaskGrid] {
    try await read { try SlotTable(connection: $0).grids() }
  }

  /// Sets grids without a record.
  public func place(_ grids: [TaskGrid]) async throws {
    try await write { connection in
      let table = SlotTable(connection: connection)
      for grid in grids { try table.place(grid) }
    }
  }

  /// Makes the records of slots and moves their grids.
  public func record(_ entries: [SlotEntry]) async throws -> [SlotOutcome] {
    let (clock, owners) = (clock, owners)
    return try await write { connection in
      let now = try clock.now(on: connection)
      let table = SlotTable(connection: connection)
      let runs = RunTable(connection: connection, owners: owners)
      return try entries.map { try table.record($0, runs, at: now) }
    }
  }
}

/// The grids within a transaction.
struct SlotTable {
  let connection: any DatabaseConnection

  func grids() throws -> [TaskGrid] {
    try connection.map("SELECT task, schedule, last_slot FROM grids ORDER BY task") { Self.grid($0) }
  }

  func place(_ grid: TaskGrid) throws {
    try connection.execute(
      """
      INSERT INTO grids (task, schedule, last_slot) VALUES (?1, ?2, ?3)
      ON CONFLICT (task) DO UPDATE SET schedule = excluded.schedule, last_slot = excluded.last_slot
      """, [.text(grid.task), .text(grid.schedule), .integer(grid.last.microseconds)])
  }

  func record(_ entry: SlotEntry, _ runs: RunTable, at now: Timestamp) throws -> SlotOutcome {
    let moved = try connection.execute(
      "UPDATE grids SET last_slot = ?3 WHERE task = ?1 AND schedule = ?2 AND last_slot = ?4",
      [
        .text(entry.grid.task), .text(entry.grid.schedule), .integer(entry.grid.last.microseconds),
        .integer(entry.previous.microseconds),
      ])
    guard moved > 0 else {
      let present = try connection.map(
        "SELECT task, schedule, last_slot FROM grids WHERE task = ?1", [.text(entry.grid.task)]
      ) { Self.grid($0) }
      // Where the connection was lost while it committed, this process asks again for what it has.
      if present.first == entry.grid, let own = entry.records.first,
        try connection.first("SELECT 1 FROM runs WHERE run_id = ?1", [.text(own.result.runID)]) != nil
      {
        return .recorded
      }
      return .taken(present.first)
    }
    if let runID = entry.joins, let slots = entry.slots, try join(runID, slots) { return .joined }
    for record in entry.records { try runs.save(record, at: now) }
    return .recorded
  }

  /// Adds slots to the record of a run that still waits.
  private func join(_ runID: String, _ slots: SlotRange) throws -> Bool {
    try connection.execute(
      """
      UPDATE runs SET first_slot = coalesce(first_slot, ?2), last_slot = ?3, slots = coalesce(slots, 0) + ?4
      WHERE run_id = ?1 AND status = 'queued'
      """,
      [
        .text(runID), .integer(slots.first.microseconds), .integer(slots.last.microseconds),
        .integer(Int64(slots.count)),
      ]) > 0
  }

  private static func grid(_ row: [DatabaseValue]) -> TaskGrid {
    TaskGrid(
      task: row[0].text ?? "", schedule: row[1].text ?? "",
      last: StoreRows.instant(row[2]) ?? Timestamp(microseconds: 0))
  }
}
