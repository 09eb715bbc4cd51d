import UpkeepCore
import UpkeepDatabase

/// Ends the connections of runs that have lost their leases, at the servers' end: their hosts were stopped, or can't be
/// reached, and what they have begun holds locks until the server's own limits end it.
struct LostConnections {
  let resources: any DatabaseResources
  let clock: any Clock<Duration>

  /// How long the server gets to undo what they have begun, and how often it is asked.
  private static let (patience, interval) = (Duration.seconds(5), Duration.milliseconds(50))
  private static let statement = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid = ?1 AND backend_start = ?2::timestamptz
    """

  /// Ends connections, and waits until they are gone.
  /// - Throws: ``UpkeepCore/TaskError`` where a server can't be reached, doesn't let this user end one, or hasn't done so
  ///   in time.
  func end(_ processes: [ServerProcess]) async throws {
    for (name, processes) in Dictionary(grouping: processes, by: \.database) {
      let database = try resources.database(named: name)
      let session = try await database.open(.read, purpose: "upkeep/takeover")
      do {
        try await end(processes, of: database, on: session)
      } catch {
        await session.close()
        throw error
      }
      await session.close()
    }
  }

  private func end(
    _ processes: [ServerProcess], of database: any Database, on session: any DatabaseSession
  ) async throws {
    let elapsed = clock.stopwatch()
    while true {
      // It is told again each time: who is gone isn't found any more.
      let left = try await session.perform { connection in
        try processes.reduce(0) { left, process in
          try left + connection.integer(Self.statement, [.integer(process.number), .text(process.startedAt)])
        }
      }
      guard left > 0 else { return }
      guard elapsed() < Self.patience else {
        throw TaskError(
          code: "connection_stays", place: "database \(database.name) (\(database.place))",
          problem: "a connection that was told to end is still there after \(Self.patience.durationText)",
          fix: "see pg_stat_activity for what it waits for")
      }
      try await clock.sleep(for: Self.interval)
    }
  }
}
