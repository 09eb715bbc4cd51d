import Foundation
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo

/// Sample data is only worth something if it holds the cases that make retention hard.
@Suite struct OddsSampleTests {
  static let now = Timestamp(microseconds: 1_790_000_000_000_000)

  /// Makes a small sample and reads from it.
  private func withSample<Value: Sendable>(
    snapshots: Int = 3000, seed: UInt64 = 7, _ body: @escaping @Sendable (any DatabaseConnection) throws -> Value
  ) async throws -> Value {
    let folder = FileManager.default.temporaryDirectory.appending(path: "sample-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "odds.sqlite").path
    try await OddsSample.make(at: path, now: Self.now, snapshots: snapshots, seed: seed)
    let session = try await SQLiteDatabase(name: "odds", path: path).open(.read, purpose: "test")
    let value = try await session.perform(body)
    await session.close()
    return value
  }

  private func dump(_ connection: any DatabaseConnection) throws -> [[DatabaseValue]] {
    try OddsSchema.tableNames.flatMap { try connection.rows("SELECT '\($0)', * FROM \($0) ORDER BY id") }
  }

  @Test func givesTheSameRowsForTheSameSeed() async throws {
    let first = try await withSample(snapshots: 400) { try dump($0) }
    let second = try await withSample(snapshots: 400) { try dump($0) }
    #expect(first == second)
  }

  @Test func givesOtherRowsForAnotherSeed() async throws {
    let first = try await withSample(snapshots: 400) { try dump($0) }
    let second = try await withSample(snapshots: 400, seed: 8) { try dump($0) }
    #expect(first != second)
  }

  @Test(arguments: [1, 45, 3000]) func makesAsManySnapshotsAsAskedFor(snapshots: Int) async throws {
    let count = try await withSample(snapshots: snapshots) { try $0.integer("SELECT count(*) FROM odds_snapshots") }
    #expect(count == Int64(snapshots))
  }

  @Test func givesEachSnapshotTwoOrThreeMarkets() async throws {
    let counts = try await withSample { connection in
      try connection.map(
        """
        SELECT DISTINCT (SELECT count(*) FROM market_odds m WHERE m.snapshot_id = s.id) AS markets
        FROM odds_snapshots s ORDER BY markets
        """
      ) { $0[0].integer }
    }
    #expect(counts == [2, 3])
  }

  @Test func breaksNoForeignKey() async throws {
    let violations = try await withSample { try $0.rows("PRAGMA foreign_key_check") }
    #expect(violations.isEmpty)
  }

  @Test func takesSnapshotsBeforeTheKickoffOfTheirEvent() async throws {
    let late = try await withSample { connection in
      try connection.integer(
        """
        SELECT count(*) FROM odds_snapshots s JOIN events e ON e.id = s.event_id
        WHERE upkeep_instant(s.captured_at) >= upkeep_instant(e.kickoff)
        """)
    }
    #expect(late == 0)
  }

  @Test(arguments: [7, 14, 30]) func hasARunThatStraddlesACutoffOfWholeDays(days: Int) async throws {
    let cutoff = (Self.now - .seconds(days * 86_400)).microseconds
    let straddling = try await withSample { connection in
      try connection.integer(
        """
        SELECT count(DISTINCT r.id) FROM scrape_runs r JOIN odds_snapshots s ON s.scrape_run_id = r.id
        WHERE upkeep_instant(r.started_at) < ?1 AND upkeep_instant(s.captured_at) >= ?1
        """, [.integer(cutoff)])
    }
    #expect(straddling == 1)
  }

  @Test(arguments: [
    "SELECT count(*) FROM odds_snapshots WHERE upkeep_instant(captured_at) < ?1 AND last_confirmed_at IS NOT NULL AND "
      + "upkeep_instant(last_confirmed_at) >= ?1",
    "SELECT count(*) FROM tournaments t WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.tournament_id = t.id AND "
      + "upkeep_instant(e.kickoff) >= ?1)",
    "SELECT count(*) FROM scrape_batches b WHERE NOT EXISTS (SELECT 1 FROM scrape_runs r WHERE r.batch_id = b.id) AND "
      + "upkeep_instant(started_at) < ?1",
    "SELECT count(*) FROM competitor_events c JOIN events e ON e.id = c.betpawa_event_id "
      + "WHERE upkeep_instant(e.kickoff) < ?1 AND upkeep_instant(c.kickoff) >= ?1",
    "SELECT count(*) FROM scrape_errors x JOIN events e ON e.id = x.event_id "
      + "WHERE upkeep_instant(e.kickoff) < ?1 AND upkeep_instant(x.occurred_at) >= ?1",
    "SELECT count(*) FROM market_odds_current m JOIN events e ON e.id = m.event_id WHERE upkeep_instant(e.kickoff) < ?1",
    "SELECT count(*) FROM market_odds_history WHERE upkeep_instant(captured_at) < ?1",
    "SELECT count(*) FROM odds_snapshots WHERE scrape_run_id IS NULL AND upkeep_instant(captured_at) < ?1",
    "SELECT count(*) FROM odds_snapshots WHERE captured_at LIKE '%T%Z' AND upkeep_instant(captured_at) < ?1",
  ]) func holdsTheHardCases(query: String) async throws {
    let cutoff = (Self.now - .seconds(30 * 86_400)).microseconds
    let count = try await withSample(snapshots: 12_000) { try $0.integer(query, [.integer(cutoff)]) }
    #expect(count > 0)
  }

  @Test(arguments: ["scrape_run_id", "tournament_id"]) func hasNoIndexWhereTheApplicationHasNone(column: String) {
    #expect(!OddsSchema.indexes.contains { $0.contains(column) })
  }

  @Test(arguments: [
    "SELECT upkeep_instant(captured_at) FROM odds_snapshots", "SELECT upkeep_instant(kickoff) FROM events",
    "SELECT upkeep_instant(captured_at) FROM competitor_odds_snapshots",
    "SELECT upkeep_instant(kickoff) FROM competitor_events",
    "SELECT upkeep_instant(last_confirmed_at) FROM odds_snapshots WHERE last_confirmed_at < datetime(?1, 'unixepoch')",
  ]) func leavesTheMinutesAfterEachCutoffFree(query: String) async throws {
    let twoDaysAgo = Self.now.seconds - 2 * 86_400
    let instants = try await withSample(snapshots: 12_000) { connection in
      try connection.map(query, query.contains("?1") ? [.integer(twoDaysAgo)] : []) { $0[0].integer ?? 0 }
    }
    let day: Int64 = 86_400_000_000
    let late = instants.filter { ((($0 - Self.now.microseconds) % day) + day) % day < 20 * 60_000_000 }
    #expect(late.filter { $0 < Self.now.microseconds } == [])
  }

  @Test func isInWALMode() async throws {
    let mode = try await withSample(snapshots: 1) { try $0.first("PRAGMA journal_mode")?.first?.text }
    #expect(mode == "wal")
  }
}
