import Foundation
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepTestKit

/// The power is cut while a purge works: what was synced survives, and any part of the rest.
@Suite struct PowerCutTests {
  private static let journals = ["wal", "delete", "wal", "truncate", "wal", "persist"]

  @Test func losesNothingWhereverThePowerIsCut() async throws {
    let scene = try await OddsScene(snapshots: 600)
    var operations: [String: Int] = [:]
    for journal in Set(Self.journals).sorted() {
      let copy = try await scene.copy(journal: journal)
      let disk = try FaultyDisk(copy)
      disk.plan(.none)
      #expect(await scene.purge(copy).isComplete)
      operations[journal] = disk.operations
      let faults = try await scene.faults(in: copy, complete: true)
      #expect(faults == [], "\(journal)")
    }
    let rehearsed = operations
    // A purge mostly pauses, so several at a time.
    try await inParallel(4, Array(Soak.seeds(50, soak: 1000))) { seed in
      try await Self.cut(scene, seed: seed, operations: rehearsed)
    }
  }

  private static func cut(_ scene: OddsScene, seed: UInt64, operations: [String: Int]) async throws {
    let random = SeededRandom(seed: seed)
    let journal = journals[Int(seed) % journals.count]
    let copy = try await scene.copy(journal: journal)
    let disk = try FaultyDisk(copy)
    // A few cuts come when the run is over: it must have made durable what it reports.
    let cut = 1 + random.below((operations[journal] ?? 0) * 21 / 20)
    disk.plan(.power(at: cut))
    let run = await scene.purge(copy)
    let survivors = try disk.survivors(seed: seed % 5 == 0 ? 0 : seed)
    let place: Comment = "seed \(seed), \(journal), cut at \(cut) of \(operations[journal] ?? 0)"
    let faults = try await scene.faults(in: survivors, complete: run.isComplete)
    #expect(faults == [], place)
    let next = await scene.purge(survivors)
    #expect(next.errors == [], place)
    let rest = try await scene.faults(in: survivors, complete: true)
    #expect(rest == [], place)
  }

  /// A reader keeps checkpoints from bringing the log into the file, and so from syncing it.
  @Test(arguments: ["wal", "delete", "truncate", "persist"], [false, true])
  func keepsWhatACompletedRunReported(journal: String, withReader: Bool) async throws {
    let scene = try await OddsScene(snapshots: 300)
    let copy = try await scene.copy(journal: journal)
    let disk = try FaultyDisk(copy)
    disk.plan(.none)
    // Outside WAL mode a reader keeps writers out altogether.
    let reader = withReader && journal == "wal" ? try await HeldReader(copy.file(OddsScene.file)) : nil
    let run = await scene.purge(copy)
    #expect(run.errors == [])
    let survivors = try disk.survivors(seed: 0)
    try await reader?.end()
    let faults = try await scene.faults(in: survivors, complete: true)
    #expect(faults == [])
  }
}

/// A connection that holds a snapshot until it is told to end.
final class HeldReader: Sendable {
  private let release = DispatchSemaphore(value: 0)
  private let held: Task<Void, any Error>

  init(_ path: String) async throws {
    let session = try await SQLiteDatabase(name: "odds", path: path).open(.read, purpose: "reader")
    let (began, begin) = AsyncStream.makeStream(of: Void.self)
    held = Task { [release] in
      defer { begin.finish() }
      try await session.transaction(.read) { connection in
        _ = try connection.integer("SELECT count(*) FROM events")
        begin.yield()
        release.wait()
      }
      await session.close()
    }
    for await _ in began { break }
  }

  /// Gives the snapshot back.
  func end() async throws {
    release.signal()
    // The power may be cut: then ending the snapshot fails, and nothing hangs on it.
    _ = await held.result
  }
}
