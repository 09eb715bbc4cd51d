public import UpkeepCore
import UpkeepDatabase
public import UpkeepRuns

extension SQLStateStore {
  /// Asks for the right to run, dead holders put aside.
  public func request(_ request: LeaseRequest) async throws -> LeaseAnswer {
    let (clock, inspector, owners) = (clock, inspector, owners)
    let (answer, dead) = try await write(.normal) { connection in
      try LeaseTable(connection: connection, owners: owners)
        .answer(request, at: clock.now(on: connection), by: inspector)
    }
    found(dead)
    return answer
  }

  /// Says that a run (a holder, one in the queue, or a preview, which holds nothing) still lives.
  public func renew(_ runID: String, owner: ProcessIdentity) async throws -> LeaseRenewal {
    let (clock, owners) = (clock, owners)
    return try await write(.normal) {
      try LeaseTable(connection: $0, owners: owners).renew(runID, owner: owner, at: clock.now(on: $0))
    }
  }

  /// Gives a lease, or a place in the queue, back.
  public func release(_ runID: String) async throws {
    let owners = owners
    try await write(.normal) { try LeaseTable(connection: $0, owners: owners).end(runID) }
  }

  /// On a server the lease's row is locked against being deleted, which renewals don't mind.
  public nonisolated func fence(of lease: Lease) -> LeaseFence? {
    guard isShared else { return nil }
    return LeaseFence(
      database: database.name,
      statement:
        "SELECT 1 FROM \(StoreSchema.name).leases WHERE run_id = ?1 AND fencing = ?2::bigint FOR KEY SHARE",
      values: [lease.runID, "\(lease.fencing)"])
  }

  /// Notes a process of a server that works for a run, as long as that holds its lease.
  public func note(_ process: ServerProcess, of runID: String) async throws {
    guard isShared else { return }
    try await write(.normal) { connection in
      _ = try connection.execute(
        """
        INSERT INTO backends (run_id, database, pid, started_at)
        SELECT run_id, ?2, ?3, ?4 FROM leases WHERE run_id = ?1
        ON CONFLICT (run_id, database, pid, started_at) DO NOTHING
        """, [.text(runID), .text(process.database), .integer(process.number), .text(process.startedAt)])
    }
  }

  /// Forgets processes that have ended.
  public func forget(_ processes: [ServerProcess]) async throws {
    try await write(.normal) { connection in
      for process in processes {
        try connection.execute(
          "DELETE FROM backends WHERE database = ?1 AND pid = ?2 AND started_at = ?3",
          [.text(process.database), .integer(process.number), .text(process.startedAt)])
      }
    }
  }

  /// Asks that a run stop.
  public func requestCancel(_ runID: String, by: String) async throws -> Bool {
    let clock = clock
    return try await write { connection in
      let lives = try connection.integer(
        """
        SELECT (SELECT count(*) FROM leases WHERE run_id = ?1)
          + (SELECT count(*) FROM runs WHERE run_id = ?1 AND is_final = 0)
        """, [.text(runID)])
      guard lives > 0 else { return false }
      try connection.execute(
        """
        INSERT INTO cancel_requests (run_id, requested_by, requested_at) VALUES (?1, ?2, ?3)
        ON CONFLICT (run_id) DO NOTHING
        """, [.text(runID), .text(by), .integer(try clock.now(on: connection).microseconds)])
      return true
    }
  }

  /// Ends the runs of dead processes.
  public func reap() async throws -> [String] {
    let (clock, inspector, owners) = (clock, inspector, owners)
    // What isn't kept of it is found again.
    found(
      try await write(.normal) {
        try LeaseTable(connection: $0, owners: owners).reap(at: clock.now(on: $0), by: inspector)
      })
    defer { unreported = [] }
    return unreported
  }

  /// Remembers runs that were ended for their dead processes, until somebody is told of them.
  func found(_ dead: [String]) {
    unreported += dead
  }

  /// Who runs or waits now, in the order of asking.
  public func holders() async throws -> [LeaseHolder] {
    let owners = owners
    return try await read { try LeaseTable(connection: $0, owners: owners).entries().map(\.holder) }
  }
}

/// The leases, and the places in the queue, within a transaction.
struct LeaseTable {
  let connection: any DatabaseConnection
  let owners: OwnerTexts

  func entries() throws -> [LeaseEntry] {
    try connection.map(
      "SELECT ticket, run_id, task, owner, exclusive_with, fencing, renewed_at FROM leases ORDER BY ticket"
    ) { row in
      LeaseEntry(
        ticket: row[0].integer ?? 0, runID: row[1].text ?? "", task: row[2].text ?? "",
        owner: try owners.identity(row[3].text ?? ""), exclusiveWith: try Self.names(row[4]), fencing: row[5].integer,
        renewedAt: StoreRows.instant(row[6]) ?? Timestamp(microseconds: 0))
    }
  }

  /// Answers a request. Where somebody is in its way the dead are put aside first: that looks at every process, and a
  /// request that can be granted has no need of it.
  /// - Returns: The answer, and the runs that were ended for it.
  func answer(
    _ request: LeaseRequest, at now: Timestamp, by inspector: any ProcessInspector
  ) throws -> (answer: LeaseAnswer, dead: [String]) {
    let entries = try entries()
    if LeaseQueue.obstacle(to: request, in: entries) == nil {
      return (try answer(request, among: entries, at: now), [])
    }
    let dead = try reap(at: now, by: inspector)
    return (try answer(request, among: self.entries(), at: now), dead)
  }

  private func answer(
    _ request: LeaseRequest, among entries: [LeaseEntry], at now: Timestamp
  ) throws -> LeaseAnswer {
    let own = entries.first { $0.runID == request.runID }
    if let fencing = own?.fencing {
      return .granted(Lease(runID: request.runID, task: request.task, fencing: fencing))
    }
    let obstacle = LeaseQueue.obstacle(to: request, in: entries)
    if own == nil, obstacle == nil || request.waits {
      try connection.execute(
        """
        INSERT INTO leases (run_id, ticket, task, owner, exclusive_with, renewed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        """,
        [
          .text(request.runID), .integer(try next("ticket")), .text(request.task), try owners.column(request.owner),
          try StoreRows.text(request.exclusiveWith), .integer(now.microseconds),
        ])
    }
    if let obstacle { return obstacle }
    let fencing = try next("fencing")
    try connection.execute(
      "UPDATE leases SET fencing = ?2, renewed_at = ?3 WHERE run_id = ?1",
      [.text(request.runID), .integer(fencing), .integer(now.microseconds)])
    return .granted(Lease(runID: request.runID, task: request.task, fencing: fencing))
  }

  func renew(_ runID: String, owner: ProcessIdentity, at now: Timestamp) throws -> LeaseRenewal {
    let values: [DatabaseValue] = [.text(runID), try owners.column(owner), .integer(now.microseconds)]
    let leases = try connection.execute(
      "UPDATE leases SET renewed_at = ?3 WHERE run_id = ?1 AND owner = ?2", values)
    let runs = try connection.execute(
      "UPDATE runs SET renewed_at = ?3 WHERE run_id = ?1 AND owner = ?2 AND is_final = 0", values)
    guard leases + runs > 0 else { return .lost }
    let request = try connection.first("SELECT requested_by FROM cancel_requests WHERE run_id = ?1", [.text(runID)])
    return request.map { .cancelRequested(by: $0[0].text ?? "somebody") } ?? .held
  }

  /// Processes of servers that work for runs which have no lease any more, though they never gave it back.
  func orphans() throws -> [ServerProcess] {
    try connection.map(
      """
      SELECT database, pid, started_at FROM backends b WHERE NOT EXISTS (SELECT 1 FROM leases l WHERE l.run_id = b.run_id)
      """
    ) { row in
      ServerProcess(database: row[0].text ?? "", number: row[1].integer ?? 0, startedAt: row[2].text ?? "")
    }
  }

  /// Gives back what a run holds, which works no more.
  func end(_ runID: String) throws {
    try remove(runID)
    try connection.execute("DELETE FROM backends WHERE run_id = ?1", [.text(runID)])
  }

  /// Takes away what a run holds. What works for it on servers stays noted, until whoever takes over has ended that.
  private func remove(_ runID: String) throws {
    try connection.execute("DELETE FROM leases WHERE run_id = ?1", [.text(runID)])
    try connection.execute("DELETE FROM cancel_requests WHERE run_id = ?1", [.text(runID)])
  }

  /// Ends what dead processes left behind.
  /// - Returns: The runs that held or waited, or were recorded as going on.
  func reap(at now: Timestamp, by inspector: any ProcessInspector) throws -> [String] {
    var dead: Set<String> = []
    let runs = RunTable(connection: connection, owners: owners)
    for entry in try entries() {
      guard let reason = LeaseQueue.death(of: entry.owner, renewedAt: entry.renewedAt, now: now, by: inspector)
      else { continue }
      try runs.interrupt(entry.runID, because: reason, at: now)
      dead.insert(entry.runID)
    }
    dead.formUnion(try runs.interruptDead(at: now, by: inspector))
    for runID in dead { try remove(runID) }
    return dead.sorted()
  }

  /// Most tasks exclude no other, and an empty list needs no decoder.
  private static func names(_ column: DatabaseValue) throws -> [String] {
    column == .text("[]") ? [] : try StoreRows.value([String].self, column)
  }

  /// The next number of a row that only grows.
  private func next(_ name: String) throws -> Int64 {
    try connection.execute(
      """
      INSERT INTO numbers (name, value) VALUES (?1, 1) ON CONFLICT (name) DO UPDATE SET value = numbers.value + 1
      """, [.text(name)])
    return try connection.integer("SELECT value FROM numbers WHERE name = ?1", [.text(name)])
  }
}
