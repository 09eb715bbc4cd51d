import Foundation
import PostgresCluster
import UpkeepCore
import UpkeepDatabase
import UpkeepRuns
import UpkeepStore
import UpkeepTestKit

/// The stores that the same tests hold for.
enum StoreKind: String, CaseIterable, Sendable {
  case memory
  case sqlite
  case postgres
}

struct StoreFixture {
  let clock = ManualClock()
  let wallClock: ManualWallClock
  let inspector = StubProcessInspector()
  let folder: TemporaryFolder

  init() throws {
    wallClock = ManualWallClock(clock)
    folder = try TemporaryFolder()
  }

  var path: String { folder.file("upkeep.sqlite") }
  var me: ProcessIdentity { inspector.current }

  func make(_ kind: StoreKind) async throws -> any StateStore {
    switch kind {
    case .memory: InMemoryStateStore(inspector: inspector, wallClock: wallClock)
    case .sqlite: sqlite()
    case .postgres: server(try await PostgresCluster.shared().makeDatabase("state"))
    }
  }

  /// A store on a server, where the time is the fixture's.
  func server(_ database: any Database) -> SQLStateStore {
    SQLStateStore(database: database, inspector: inspector, wallClock: wallClock, usesServersTime: false)
  }

  func sqlite(_ path: String? = nil) -> SQLStateStore {
    SQLStateStore(
      database: SQLiteDatabase(name: "state", path: path ?? self.path, mayCreate: true), inspector: inspector,
      wallClock: wallClock)
  }

  func record(
    _ runID: String, task: String = "tidy", mode: RunMode = .run, status: RunStatus = .running,
    owner: ProcessIdentity? = nil, finishedAt: Timestamp? = nil
  ) -> RunRecord {
    var result = RunResult(
      runID: runID, task: task, plugin: "fake", mode: mode, trigger: .scheduled, status: status,
      settings: ["keep": .string("14d")], host: "box-1")
    result.startedAt = wallClock.now()
    result.finishedAt = status.isFinal ? finishedAt ?? wallClock.now() : nil
    return RunRecord(result: result, owner: owner ?? me, groupRunID: nil, createdAt: wallClock.now())
  }

  func request(
    _ runID: String, task: String = "tidy", owner: ProcessIdentity? = nil, overlap: OverlapRule = .skip,
    exclusiveWith: [String] = [], waits: Bool = false, limit: Int? = nil
  ) -> LeaseRequest {
    LeaseRequest(
      runID: runID, task: task, owner: owner ?? me, overlap: overlap, exclusiveWith: exclusiveWith, waits: waits,
      limit: limit)
  }

  func holder(_ runID: String, task: String = "tidy", owner: ProcessIdentity? = nil, waits: Bool = false)
    -> LeaseHolder
  {
    LeaseHolder(runID: runID, task: task, owner: owner ?? me, isWaiting: waits)
  }
}

extension LeaseAnswer {
  var lease: Lease? {
    if case .granted(let lease) = self { lease } else { nil }
  }

  var blockers: [String] {
    if case .blocked(let holders) = self { holders.map(\.runID) } else { [] }
  }
}
