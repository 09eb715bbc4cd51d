public import UpkeepCore
import UpkeepDatabase
public import UpkeepRuns

extension SQLStateStore {
  /// Adds a record, or replaces one that isn't final.
  public func save(_ record: RunRecord) async throws {
    let (clock, owners) = (clock, owners)
    // A live result that is lost with the power was going to be interrupted anyway.
    let durability: Durability = record.result.status == .running ? .normal : .full
    try await write(durability) { try RunTable(connection: $0, owners: owners).save(record, at: clock.now(on: $0)) }
  }

  /// The record of a run.
  public func record(_ runID: String) async throws -> RunRecord? {
    let owners = owners
    return try await read {
      try RunTable(connection: $0, owners: owners).records("WHERE run_id = ?1", [.text(runID)]).first
    }
  }

  /// Records, newest first.
  public func records(_ query: RunQuery) async throws -> [RunRecord] {
    let ((suffix, arguments), owners) = (Self.page(query), owners)
    return try await read { try RunTable(connection: $0, owners: owners).records(suffix, arguments) }
  }

  /// The same runs at a glance.
  public func glances(_ query: RunQuery) async throws -> [RunGlance] {
    let ((suffix, arguments), owners) = (Self.page(query), owners)
    return try await read { try RunTable(connection: $0, owners: owners).glances(suffix, arguments) }
  }

  /// The end of a statement that reads a page, and its values.
  private static func page(_ query: RunQuery) -> (text: String, values: [DatabaseValue]) {
    let (filter, values) = filter(query)
    return (
      "\(filter)ORDER BY run_id DESC LIMIT ?\(values.count + 1)", values + [.integer(Int64(max(0, query.limit)))]
    )
  }

  /// How many records there are.
  public func count(_ query: RunQuery) async throws -> Int {
    let (filter, values) = Self.filter(query)
    return try await read { Int(try $0.integer("SELECT count(*) FROM runs \(filter)", values)) }
  }

  private static func filter(_ query: RunQuery) -> (text: String, values: [DatabaseValue]) {
    var conditions: [String] = []
    var values: [DatabaseValue] = []
    func require(_ condition: String, _ value: String?) {
      guard let value else { return }
      values.append(.text(value))
      conditions.append("\(condition) ?\(values.count)")
    }
    require("task =", query.task)
    require("status =", query.status?.rawValue)
    require("mode =", query.mode?.rawValue)
    require("group_run_id =", query.groupRunID)
    // Members begin in the millisecond of their group or later: the first ten digits of an id are its time.
    require("run_id >=", query.groupRunID.map { String($0.prefix(10)) })
    require("run_id <", query.before)
    return (conditions.isEmpty ? "" : "WHERE \(conditions.joined(separator: " AND ")) ", values)
  }

  /// The newest final run of each task.
  public func lastRuns() async throws -> [String: RunResult] {
    let (owners, known) = (owners, finalResults)
    let results = try await read { try RunTable(connection: $0, owners: owners).lastResults(known) }
    finalResults = results
    return results
  }
}

/// The table of runs within a transaction.
struct RunTable {
  let connection: any DatabaseConnection
  let owners: OwnerTexts

  func save(_ record: RunRecord, at now: Timestamp) throws {
    let (result, slots) = (record.result, record.slots)
    try connection.execute(
      """
      INSERT INTO runs (run_id, task, mode, status, is_final, group_run_id, owner, created_at, finished_at, renewed_at,
        document, first_slot, last_slot, slots)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
      ON CONFLICT (run_id) DO UPDATE SET status = excluded.status, is_final = excluded.is_final,
        group_run_id = excluded.group_run_id, owner = excluded.owner, finished_at = excluded.finished_at,
        renewed_at = excluded.renewed_at, document = excluded.document
      WHERE runs.is_final = 0
      """,
      [
        .text(result.runID), .text(result.task), .text(result.mode.rawValue), .text(result.status.rawValue),
        .integer(result.status.isFinal ? 1 : 0), record.groupRunID.map { .text($0) } ?? .null,
        try owners.column(record.owner), .integer(record.createdAt.microseconds),
        StoreRows.instant(result.finishedAt ?? (result.status.isFinal ? now : nil)), .integer(now.microseconds),
        .text(String(decoding: try result.json, as: UTF8.self)), StoreRows.instant(slots?.first),
        StoreRows.instant(slots?.last),
        slots.map { .integer(Int64($0.count)) } ?? .null,
      ])
    if result.status.isFinal {
      try connection.execute("DELETE FROM cancel_requests WHERE run_id = ?1", [.text(result.runID)])
    }
  }

  /// The newest final run of each task. A final record never changes, so that one which is known isn't read again.
  func lastResults(_ known: [String: RunResult]) throws -> [String: RunResult] {
    var results: [String: RunResult] = [:]
    let newest = try connection.map(
      "SELECT task, max(run_id) FROM runs WHERE mode = 'run' AND is_final = 1 GROUP BY task"
    ) { (task: $0[0].text ?? "", runID: $0[1].text ?? "") }
    for (task, runID) in newest {
      if let result = known[task], result.runID == runID {
        results[task] = result
      } else {
        results[task] = try records("WHERE run_id = ?1", [.text(runID)]).first?.result
      }
    }
    return results
  }

  func records(_ suffix: String, _ values: [DatabaseValue]) throws -> [RunRecord] {
    try connection.map(
      "SELECT document, owner, group_run_id, created_at, first_slot, last_slot, slots FROM runs \(suffix)", values
    ) { row in
      var record = RunRecord(
        result: try StoreRows.value(RunResult.self, row[0]), owner: try owners.identity(row[1]),
        groupRunID: row[2].text, createdAt: StoreRows.instant(row[3]) ?? Timestamp(microseconds: 0))
      // Slots may have joined the record since its document was written.
      if let first = StoreRows.instant(row[4]), let last = StoreRows.instant(row[5]), let count = row[6].integer {
        record.cover(SlotRange(first: first, last: last, count: Int(count)))
      }
      return record
    }
  }

  /// What a glance needs of the records; the engine takes it out of the documents.
  func glances(_ suffix: String, _ values: [DatabaseValue]) throws -> [RunGlance] {
    let isServer = connection.engine == .postgres
    let inside = ["scheduled_at", "started_at", "finished_at", "duration_ms"].map {
      isServer ? "(document::json)->>'\($0)'" : "json_extract(document, '$.\($0)')"
    }
    return try connection.map(
      "SELECT run_id, task, status, created_at, \(inside.joined(separator: ", ")) FROM runs \(suffix)", values
    ) { row in
      func instant(_ column: DatabaseValue) -> Timestamp? { column.text.flatMap { Timestamp(text: $0) } }
      return RunGlance(
        runID: row[0].text ?? "", task: row[1].text ?? "",
        status: row[2].text.flatMap { RunStatus(rawValue: $0) } ?? .failed,
        createdAt: StoreRows.instant(row[3]) ?? Timestamp(microseconds: 0), scheduledAt: instant(row[4]),
        startedAt: instant(row[5]), finishedAt: instant(row[6]),
        durationMilliseconds: row[7].integer.map { Int($0) } ?? row[7].text.flatMap { Int($0) })
    }
  }

  /// Ends the runs that aren't final although their process is dead.
  func interruptDead(at now: Timestamp, by inspector: any ProcessInspector) throws -> [String] {
    var dead: [String] = []
    // Runs that wait may be many: they are looked at only where their process may be dead.
    for owner in try liveOwners() where inspector.liveness(of: owner) != .alive {
      let runs = try connection.map(
        "SELECT run_id, renewed_at FROM runs WHERE is_final = 0 AND owner = ?1", [.text(try owners.text(owner))]
      ) { row in (runID: row[0].text ?? "", renewedAt: StoreRows.instant(row[1]) ?? now) }
      for run in runs {
        guard let reason = LeaseQueue.death(of: owner, renewedAt: run.renewedAt, now: now, by: inspector)
        else { continue }
        try interrupt(run.runID, because: reason, at: now)
        dead.append(run.runID)
      }
    }
    return dead
  }

  /// The processes of runs that aren't final: one step through the index each, however many runs there are.
  private func liveOwners() throws -> [ProcessIdentity] {
    var found: [ProcessIdentity] = []
    var text = ""
    while let next = try connection.first(
      "SELECT min(owner) FROM runs WHERE is_final = 0 AND owner > ?1", [.text(text)])?.first?.text
    {
      found.append(try owners.identity(next))
      text = next
    }
    return found
  }

  func interrupt(_ runID: String, because reason: String, at now: Timestamp) throws {
    guard var record = try records("WHERE run_id = ?1 AND is_final = 0", [.text(runID)]).first else { return }
    record.result = LeaseQueue.interrupt(record.result, because: reason, at: now)
    try save(record, at: now)
  }
}
