import UpkeepCore
import UpkeepDatabase
public import UpkeepRuns

extension SQLStateStore {
  /// Takes the place of the one that serves.
  public func claimServe(_ holder: ServeHolder) async throws -> ServeHolder? {
    let (clock, inspector, owners, isShared) = (clock, inspector, owners, isShared)
    return try await write { connection in
      let now = try clock.now(on: connection)
      let table = ServeTable(connection: connection, owners: owners)
      try table.removeDead(at: now, by: inspector)
      if !isShared, let present = try table.living(at: now, by: inspector), present.owner != holder.owner {
        return present
      }
      try table.take(holder, at: now)
      return nil
    }
  }

  /// Says that a process lives which serves, and with it all its runs.
  public func renewServe(_ owner: ProcessIdentity) async throws {
    let (clock, owners) = (clock, owners)
    try await write(.normal) { try ServeTable(connection: $0, owners: owners).renew(owner, at: clock.now(on: $0)) }
  }

  /// Gives the place back.
  public func releaseServe(_ owner: ProcessIdentity) async throws {
    let owners = owners
    _ = try await write {
      try $0.execute("DELETE FROM serves WHERE owner = ?1", [try owners.column(owner)])
    }
  }

  /// Who serves now.
  public func servingNow() async throws -> ServeHolder? {
    let (clock, inspector, owners) = (clock, inspector, owners)
    return try await read {
      try ServeTable(connection: $0, owners: owners).living(at: clock.now(on: $0), by: inspector)
    }
  }
}

/// Who serves, within a transaction.
struct ServeTable {
  let connection: any DatabaseConnection
  let owners: OwnerTexts

  /// The newest one whose process lives.
  func living(at now: Timestamp, by inspector: any ProcessInspector) throws -> ServeHolder? {
    try all(at: now).first { !isDead($0, at: now, by: inspector) }?.holder
  }

  /// Forgets those whose process is gone.
  func removeDead(at now: Timestamp, by inspector: any ProcessInspector) throws {
    for entry in try all(at: now) where isDead(entry, at: now, by: inspector) {
      try connection.execute("DELETE FROM serves WHERE owner = ?1", [try owners.column(entry.holder.owner)])
    }
  }

  private typealias Entry = (holder: ServeHolder, renewedAt: Timestamp)

  private func isDead(_ entry: Entry, at now: Timestamp, by inspector: any ProcessInspector) -> Bool {
    LeaseQueue.death(of: entry.holder.owner, renewedAt: entry.renewedAt, now: now, by: inspector) != nil
  }

  /// All of them, the newest first.
  private func all(at now: Timestamp) throws -> [Entry] {
    try connection.map("SELECT owner, address, since, renewed_at FROM serves ORDER BY since DESC") { row in
      (
        holder: ServeHolder(
          owner: try owners.identity(row[0].text ?? ""), address: row[1].text ?? "",
          since: StoreRows.instant(row[2]) ?? now), renewedAt: StoreRows.instant(row[3]) ?? now
      )
    }
  }

  func take(_ holder: ServeHolder, at now: Timestamp) throws {
    try connection.execute("DELETE FROM serves WHERE owner = ?1", [try owners.column(holder.owner)])
    try connection.execute(
      "INSERT INTO serves (owner, address, since, renewed_at) VALUES (?1, ?2, ?3, ?4)",
      [
        try owners.column(holder.owner), .text(holder.address), .integer(holder.since.microseconds),
        .integer(now.microseconds),
      ])
  }

  func renew(_ owner: ProcessIdentity, at now: Timestamp) throws {
    let values: [DatabaseValue] = [try owners.column(owner), .integer(now.microseconds)]
    try connection.execute("UPDATE serves SET renewed_at = ?2 WHERE owner = ?1", values)
    try connection.execute("UPDATE runs SET renewed_at = ?2 WHERE owner = ?1 AND is_final = 0", values)
    try connection.execute("UPDATE leases SET renewed_at = ?2 WHERE owner = ?1", values)
  }
}
