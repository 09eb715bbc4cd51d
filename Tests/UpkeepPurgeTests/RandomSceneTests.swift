import DatabaseFixture
import Foundation
import Testing
import UpkeepCore
import UpkeepDatabase

@testable import UpkeepPurge

/// Random schemas with random rows: a purge must leave exactly what a reading of the rules by sets leaves.
struct RandomSceneTests {
  /// `UPKEEP_SOAK=1` goes through many more.
  static let seeds: [Range<UInt64>] = {
    let isSoak = ProcessInfo.processInfo.environment["UPKEEP_SOAK"] == "1"
    return stride(from: UInt64(1), to: isSoak ? 20_001 : 301, by: 50).map { $0..<($0 + 50) }
  }()

  private func fixture(_ scene: RandomScene) async throws -> PurgeFixture {
    let fixture = try await PurgeFixture()
    try await fixture.execute(scene.statements)
    try #require(try await fixture.rows("PRAGMA foreign_key_check").isEmpty)
    return fixture
  }

  private func expectSound(_ fixture: PurgeFixture, _ seed: UInt64) async throws {
    #expect(try await fixture.rows("PRAGMA foreign_key_check").isEmpty, "seed \(seed)")
    #expect(try await fixture.text("PRAGMA integrity_check") == "ok", "seed \(seed)")
  }

  @Test(arguments: seeds)
  func leavesExactlyWhatTheRulesLeave(seeds: Range<UInt64>) async throws {
    for seed in seeds {
      let scene = RandomScene(seed: seed)
      let fixture = try await fixture(scene)
      let before = try await scene.read(fixture)
      #expect(before == scene.rows.map(RandomScene.sorted), "seed \(seed)")
      let preview = try await fixture.preview(scene.deletionRules, edges: scene.edges, except: scene.exceptions)
      #expect(try await scene.read(fixture) == before, "seed \(seed)")
      var oracle = SceneOracle(scene, before)
      let run = try await fixture.run(scene.deletionRules, edges: scene.edges, except: scene.exceptions)
      #expect(run.errors.map(\.message) == [], "seed \(seed)")
      #expect(try await scene.read(fixture) == oracle.rows.map(RandomScene.sorted), "seed \(seed)")
      #expect(run.counts.filter { $0.value > 0 } == oracle.counts, "seed \(seed)")
      #expect(preview.counts == run.counts, "seed \(seed)")
      #expect(preview.tables.map(\.table) == run.tables.map(\.table), "seed \(seed)")
      #expect(preview.tables.map(\.deleted) == run.tables.map(\.deleted), "seed \(seed)")
      #expect(preview.tables.map(\.keptReferenced) == run.tables.map(\.keptReferenced), "seed \(seed)")
      #expect(preview.tables.map(\.keptExcepted) == run.tables.map(\.keptExcepted), "seed \(seed)")
      #expect(preview.tables.map(\.oldest) == run.tables.map(\.oldest), "seed \(seed)")
      for (index, table) in scene.tables.enumerated() {
        let entry = run.tables.first { $0.table.schemaKey == table.name.schemaKey }
        #expect(entry?.keptReferenced ?? 0 == oracle.held[index], "seed \(seed)")
        #expect(entry?.keptExcepted ?? 0 == oracle.excepted[index], "seed \(seed)")
      }
      try await expectSound(fixture, seed)
      // One rule may free rows for another that came before it: then the next run takes them.
      oracle = SceneOracle(scene, oracle.rows)
      let again = try await fixture.run(scene.deletionRules, edges: scene.edges, except: scene.exceptions)
      #expect(again.counts.filter { $0.value > 0 } == oracle.counts, "seed \(seed)")
      if scene.rules.count == 1 { #expect(oracle.counts.isEmpty, "seed \(seed)") }
    }
  }

  /// Runs that end after a few rows each come to where one run comes, and no reference leads nowhere in between.
  @Test(arguments: seeds)
  func endsTheSameAfterManyStops(seeds: Range<UInt64>) async throws {
    for seed in seeds where seed % 2 == 0 {
      let scene = RandomScene(seed: seed)
      let fixture = try await fixture(scene)
      var oracle = SceneOracle(scene, try await scene.read(fixture))
      while !oracle.counts.isEmpty { oracle = SceneOracle(scene, oracle.rows) }
      var deleted = 1
      var runs = 0
      while deleted > 0, runs < 200 {
        let context = fixture.context(.run, limits: RunLimits(maxRows: 1 + Int(seed % 3)), exceptions: scene.exceptions)
        try await Purge.with(fixture.database, for: .deletion, in: context) { purge in
          let graph = DeletionGraph(purge.catalogue, declared: scene.edges)
          try await purge.run(
            DeletionPlan(scene.deletionRules, graph: graph, exceptions: scene.exceptions), in: context)
        }
        deleted = context.journal.current.counts.values.reduce(0, +)
        runs += 1
        #expect(context.journal.current.errors.isEmpty, "seed \(seed)")
        #expect(try await fixture.rows("PRAGMA foreign_key_check").isEmpty, "seed \(seed)")
      }
      #expect(try await scene.read(fixture) == oracle.rows.map(RandomScene.sorted), "seed \(seed)")
    }
  }
}
