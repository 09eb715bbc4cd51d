import Foundation
import OddsOracle
import UpkeepCore
import UpkeepDatabase
import UpkeepDemo
import UpkeepTestKit

/// A folder with a configuration and an odds database, in which the program is run and killed while somebody else
/// writes.
final class KillSite {
  private struct History: Decodable {
    var runs: [RunResult]
  }

  private static let days = 14

  /// How many runs the history called interrupted.
  private(set) var interrupted = 0
  /// How long the last run took that nobody killed.
  private(set) var duration = Duration.zero
  private let folder: TemporaryFolder
  private let start: OddsTables
  /// The rows that stay even where a run begins an hour from now.
  private let least: OddsTables
  private let event: Int64
  /// Runs on earlier databases.
  private var past: Set<String> = []
  private var written: [Int64] = []
  private var nextID: Int64 = 10_000_000

  private var template: String { folder.file("template.sqlite") }
  private var database: String { folder.file("odds.sqlite") }

  init(snapshots: Int) async throws {
    folder = try TemporaryFolder()
    let now = SystemWallClock().now()
    let template = folder.file("template.sqlite")
    try await OddsSample.make(at: template, now: now, snapshots: snapshots)
    let least = folder.file("least.sqlite")
    try FileManager.default.copyItem(atPath: template, toPath: least)
    try await OddsOracle.purge(least, odds: Self.days, matches: Self.days, now: now + .seconds(3600))
    start = try await OddsTables(template)
    self.least = try await OddsTables(least)
    event = try await OddsTables.query(template) {
      try $0.integer("SELECT id FROM events ORDER BY kickoff DESC LIMIT 1")
    }
    try """
    version: 1
    host: { state: state.sqlite }
    databases:
      odds: { sqlite: odds.sqlite }
    tasks:
      odds_retention:
        settings: { database: odds, odds_keep: \(Self.days)d, match_keep: \(Self.days)d }
    """.write(toFile: folder.file("upkeep.yaml"), atomically: true, encoding: .utf8)
  }

  /// Begins again with the first rows; the state store stays.
  func renew() async throws {
    for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: database + suffix) }
    try FileManager.default.copyItem(atPath: template, toPath: database)
    written = []
    past.formUnion(try history().map(\.runID))
  }

  /// Starts a run, writes a row whenever it was given two milliseconds more, and kills it.
  /// - Returns: Whether the kill came before the run's end.
  func runAndKill(after limit: Duration) async throws -> Bool {
    let writer = try await SQLiteDatabase(name: "odds", path: database).open(.write(.normal), purpose: "writer")
    let clock = ContinuousClock()
    let end = clock.now + limit
    let child = try Program.start(arguments("run", "odds_retention", "--yes", "--override-guard"))
    var hasEnded = false
    while !hasEnded, clock.now < end {
      hasEnded = child.waitForEnd(min(.milliseconds(2), max(.zero, end - clock.now)))
      try await write(writer)
    }
    child.kill()
    let ending = try child.end()
    // Now and then the writer goes as well, so that the next to come has to recover the log.
    await writer.close()
    return ending.status == 128 + SIGKILL
  }

  /// What is wrong after a kill.
  func faults() async throws -> [String] {
    var faults = try await OddsTables.damage(in: database)
    var tables = try await OddsTables(database)
    faults += takeWritten(from: &tables)
    faults += tables.strays(from: start, to: least)
    let gone = tables.gone(since: start)
    let runs = try history().filter { !past.contains($0.runID) }
    for run in runs where !run.status.isFinal { faults.append("\(run.runID) is \(run.status.rawValue)") }
    var claimed: [String: Int] = [:]
    for run in runs {
      for table in run.tables { claimed[table.table, default: 0] += table.deleted }
    }
    for (table, count) in claimed where count > gone[table] ?? 0 {
      faults.append("the history claims \(count) rows of \(table), and \(gone[table] ?? 0) are gone")
    }
    return faults
  }

  /// Runs to the end, and compares with the rules in plain SQL.
  /// - Returns: What is wrong.
  func finish() async throws -> [String] {
    let clock = ContinuousClock()
    let begin = clock.now
    let ending = try Program.run(arguments("run", "odds_retention", "--json", "--quiet", "--override-guard"))
    duration = clock.now - begin
    guard ending.status == 0 else { return ["exit \(ending.status): \(ending.errors)"] }
    let result = try JSONDecoder().decode(RunResult.self, from: Data(ending.output.utf8))
    guard let startedAt = result.startedAt, result.status == .completed else { return ["\(result)"] }
    interrupted += try history().filter { $0.status == .interrupted && !past.contains($0.runID) }.count
    let expected = folder.file("expected.sqlite")
    try? FileManager.default.removeItem(atPath: expected)
    try FileManager.default.copyItem(atPath: template, toPath: expected)
    try await OddsOracle.purge(expected, odds: Self.days, matches: Self.days, now: startedAt)
    var tables = try await OddsTables(database)
    let end = try await OddsTables(expected)
    let faults = takeWritten(from: &tables)
    return try await faults + OddsTables.damage(in: database) + tables.strays(from: end, to: end)
  }

  private func history() throws -> [RunResult] {
    let ending = try Program.run(arguments("history", "--limit", "500", "--json"))
    guard ending.status == 0 else { throw DiskFailure(message: ending.errors) }
    return try JSONDecoder().decode(History.self, from: Data(ending.output.utf8)).runs
  }

  private func arguments(_ words: String...) -> [String] {
    words + ["--config", folder.file("upkeep.yaml")]
  }

  private func write(_ writer: any DatabaseSession) async throws {
    let (id, event, time) = (nextID, event, SystemWallClock().now().sqlText)
    try await writer.transaction(.write) { connection in
      try connection.execute(
        "INSERT INTO odds_snapshots (id, event_id, bookmaker_id, captured_at) VALUES (?1, ?2, 1, ?3)",
        [.integer(id), .integer(event), .text(time)])
      try connection.execute(
        """
        INSERT INTO market_odds (id, snapshot_id, betpawa_market_id, betpawa_market_name, outcomes)
        VALUES (?1, ?1, '1', 'one', '[]')
        """, [.integer(id)])
    }
    written.append(id)
    nextID += 1
  }

  /// Takes the writer's rows out of what was read.
  private func takeWritten(from tables: inout OddsTables) -> [String] {
    var lost = 0
    for id in written {
      for name in ["odds_snapshots", "market_odds"] where tables[name].removeValue(forKey: id) == nil { lost += 1 }
    }
    return lost == 0 ? [] : ["\(lost) rows of the writer are lost"]
  }
}
