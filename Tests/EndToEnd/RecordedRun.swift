import UpkeepDatabase

/// A run as the state store has it.
struct RecordedRun {
  var id: String
  var task: String
  var status: String
  var firstSlot: Int64
  var lastSlot: Int64
  var slots: Int64
  var started: String
  var finished: String
  var reason: String
  /// What went wrong, as JSON.
  var errors: String
  /// The setting `duration`.
  var duration: String
}

extension RecordedRun {
  /// The runs in a state store, in the order of their ids.
  static func all(in database: any Database) async throws -> [RecordedRun] {
    let isFile = database.engine == .sqlite
    let (table, document) = isFile ? ("runs", "document") : ("upkeep.runs", "CAST(document AS json)")
    let session = try await database.open(.read, purpose: "test")
    let runs = try await session.perform { connection in
      try connection.map(
        """
        SELECT run_id, task, status, first_slot, last_slot, slots, \(document) ->> 'started_at',
          \(document) ->> 'finished_at', \(document) ->> 'reason', \(document) ->> 'errors',
          \(document) -> 'settings' ->> 'duration'
        FROM \(table) ORDER BY run_id
        """
      ) { row in
        RecordedRun(
          id: row[0].text ?? "", task: row[1].text ?? "", status: row[2].text ?? "", firstSlot: row[3].integer ?? 0,
          lastSlot: row[4].integer ?? 0, slots: row[5].integer ?? 0, started: row[6].text ?? "",
          finished: row[7].text ?? "", reason: row[8].text ?? "", errors: row[9].text ?? "",
          duration: row[10].text ?? "")
      }
    }
    await session.close()
    return runs
  }
}

extension Workplace {
  /// The runs in the state store, in the order of their ids.
  func recordedRuns() async throws -> [RecordedRun] {
    try await RecordedRun.all(in: SQLiteDatabase(name: "state", path: path("upkeep.sqlite")))
  }
}
