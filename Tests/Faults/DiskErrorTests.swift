import Synchronization
import Testing
import UpkeepCore
import UpkeepTestKit

/// The disk refuses an operation, once or from then on, or is full.
@Suite struct DiskErrorTests {
  private enum Kind: CaseIterable {
    case write, sync, truncation, full
  }

  @Test(arguments: ["wal", "delete"])
  func endsWithOneErrorAndTrueCounts(journal: String) async throws {
    let scene = try await OddsScene(snapshots: 600)
    let rehearsal = try await scene.copy(journal: journal)
    let disk = try FaultyDisk(rehearsal)
    disk.plan(.none)
    #expect(await scene.purge(rehearsal).isComplete)
    let counts: [Kind: Int] = [
      .write: disk.writes, .sync: disk.syncs, .truncation: disk.truncations, .full: disk.growth,
    ]
    var faults: [(fault: Fault, kind: Kind)] = []
    for kind in Kind.allCases {
      for at in spread(Soak.isOn ? 120 : 6, through: counts[kind] ?? 0) {
        for lasting in kind == .full ? [true] : [false, true] {
          let fault: Fault =
            switch kind {
            case .write: .write(at: at, lasting: lasting)
            case .sync: .sync(at: at, lasting: lasting)
            case .truncation: .truncation(at: at, lasting: lasting)
            case .full: .full(after: at)
            }
          faults.append((fault, kind))
        }
      }
    }
    let struck = Mutex<Set<Kind>>([])
    try await inParallel(4, faults) { fault, kind in
      let code = kind == .full ? "disk_full" : "disk_error"
      if try await Self.check(fault, code: code, scene, journal: journal) { struck.withLock { _ = $0.insert(kind) } }
    }
    #expect(struck.withLock { $0.isSuperset(of: [.write, .sync, .full]) })
  }

  /// - Returns: Whether the fault happened.
  private static func check(_ fault: Fault, code: String, _ scene: OddsScene, journal: String) async throws -> Bool {
    let copy = try await scene.copy(journal: journal)
    let disk = try FaultyDisk(copy)
    disk.plan(fault)
    let run = await scene.purge(copy)
    let wasStruck = disk.wasStruck
    disk.plan(.none)
    let place: Comment = "\(fault), \(journal)"
    let faults = try await scene.faults(in: copy, complete: run.isComplete)
    #expect(faults == [], place)
    if !run.isComplete { #expect(run.errors.map(\.code) == [code], place) }
    let gone = try await OddsTables(copy.file(OddsScene.file)).gone(since: scene.start)
    for (table, deleted) in run.deleted { #expect(deleted == gone[table], "\(table): \(fault), \(journal)") }
    let next = await scene.purge(copy)
    #expect(next.errors == [], place)
    let rest = try await scene.faults(in: copy, complete: true)
    #expect(rest == [], place)
    return wasStruck
  }
}
