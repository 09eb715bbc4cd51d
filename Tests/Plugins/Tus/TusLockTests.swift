import Foundation
import Testing
import UpkeepCore
import UpkeepTestKit

@testable import TusExpiryPlugin

/// The locks of the servers.
@Suite struct TusLockTests {
  /// Somebody who holds an flock, as tuspyserver does.
  private final class Flock {
    let descriptor: Int32

    init(_ path: String) throws {
      descriptor = open(path, O_RDWR | O_CREAT, 0o644)
      guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw SystemError.last }
    }

    deinit {
      close(descriptor)
    }
  }

  @Test func keepsWhatTuspyserverHasLocked() async throws {
    let folder = try UploadFolder()
    try folder.folder(".locks")
    try folder.folder("sub/.locks")
    for name in ["held", "stale", "free", "sub/held", "sub/above"] { try folder.add(.tuspyserver, name) }
    try folder.write("123", to: ".locks/stale.lock")
    let locks = try [".locks/held.lock", "sub/.locks/held.lock", ".locks/above.lock"].map { try Flock(folder.path($0)) }
    let expected = ["uploads_removed": 2, "kept_active": 3]
    for mode in [RunMode.preview, .run] {
      let run = try await TusRun.make(folder, mode: mode)
      #expect(run.counts.filter { $0.key != "bytes_freed" } == expected)
      #expect(run.contents.warnings.isEmpty)
    }
    #expect(locks.count == 3)
    #expect(
      folder.names == [
        ".locks", ".locks/above.lock", ".locks/held.lock", "held", "held.info", "sub", "sub/.locks",
        "sub/.locks/held.lock", "sub/above", "sub/above.info", "sub/held", "sub/held.info",
      ])
  }

  /// While an upload is removed its server can neither lock it nor think that it has.
  @Test func holdsTheLockWhileItRemoves() async throws {
    let folder = try UploadFolder()
    try folder.folder(".locks")
    try folder.add(.tuspyserver, "a")
    var looks: [Bool] = []
    let run = try await TusRun.make(
      folder,
      interrupt: { moment in
        switch moment {
        case .tookLock, .removedData, .removedSidecar: looks.append((try? Flock(folder.path(".locks/a.lock"))) != nil)
        default: break
        }
      })
    #expect(looks == [false, false, false])
    #expect(run.counts["uploads_removed"] == 1)
    #expect(folder.names == [".locks"])
  }

  /// Somebody got the lock before, wrote, and gave it back between the first look and ours.
  @Test(arguments: TusLayout.allCases)
  func looksAgainUnderTheLock(layout: TusLayout) async throws {
    let folder = try UploadFolder()
    try folder.folder(".locks")
    for name in ["grown", "whole", "later"] { try folder.add(layout, name) }
    let run = try await TusRun.make(
      folder,
      interrupt: { moment in
        switch moment {
        case .tookLock("grown"): try folder.write(size: 20, to: "grown", age: .zero)
        case .tookLock("whole"):
          try folder.write(
            folder.sidecar(layout, "whole", .init(size: 10)), to: layout == .node ? "whole.json" : "whole.info")
        case .tookLock("later"):
          try folder.write(
            folder.sidecar(layout, "later", .init(age: .hours(1))), to: layout == .node ? "later.json" : "later.info",
            age: .hours(1))
        default: break
        }
      })
    #expect(run.counts["kept_active"] == 3)
    #expect(folder.names.count == 7)
  }

  /// Somebody removes the lock's file, as tuspyserver does when it gives it back: ours is none then.
  @Test func takesALockOnARemovedFileForNone() async throws {
    let folder = try UploadFolder()
    try folder.folder(".locks")
    try folder.write("123", to: ".locks/a.lock")
    try folder.add(.tuspyserver, "a")
    let run = try await TusRun.make(
      folder,
      interrupt: { moment in
        if case .tookLock = moment { try FileManager.default.removeItem(atPath: folder.path(".locks/a.lock")) }
      })
    #expect(run.counts == ["kept_active": 1])
    #expect(folder.has("a") && folder.has("a.info"))
  }

  @Test func keepsWhatTusdHasLocked() async throws {
    let folder = try UploadFolder()
    for name in ["alive", "dead", "empty", "waited", "patient", "free"] { try folder.add(.tusd, name) }
    try folder.write("\(getpid())\n", to: "alive.lock")
    try folder.write("\(try Self.deadProcess())\n", to: "dead.lock")
    try folder.write("", to: "empty.lock")
    try folder.write("", to: "waited.stop", age: .minutes(1))
    try folder.write("", to: "patient.stop", age: .hours(1))
    for mode in [RunMode.preview, .run] {
      let run = try await TusRun.make(folder, mode: mode)
      #expect(run.counts.filter { $0.key != "bytes_freed" } == ["uploads_removed": 4, "kept_active": 2])
    }
    #expect(folder.names == ["alive", "alive.info", "alive.lock", "waited", "waited.info", "waited.stop"])
  }

  /// The lock that stands while an upload is removed names this process, as tusd wants it.
  @Test func makesALockThatTusdUnderstands() async throws {
    let folder = try UploadFolder()
    try folder.add(.tusd, "a")
    var text: String?
    let run = try await TusRun.make(
      folder,
      interrupt: { moment in
        if case .removedData = moment { text = try String(contentsOfFile: folder.path("a.lock"), encoding: .utf8) }
      })
    #expect(text == "\(getpid())\n")
    #expect(run.counts["uploads_removed"] == 1)
    #expect(folder.names.isEmpty)
  }

  @Test func removesTheTokensOfProcessesThatAreGone() async throws {
    let folder = try UploadFolder()
    try folder.write("1", to: ".upkeep-4000000-1.lock")
    try folder.write("1", to: ".upkeep-4000000-2.lock")
    let held = try Flock(folder.path(".upkeep-4000000-2.lock"))
    let preview = try await TusRun.make(folder, mode: .preview)
    #expect(folder.names.count == 2)
    let run = try await TusRun.make(folder)
    #expect(preview.counts == [:] && run.counts == [:])
    #expect(folder.names == [".upkeep-4000000-2.lock"])
    #expect(held.descriptor >= 0)
  }

  private static func deadProcess() throws -> Int32 {
    let process = try ChildProcess("true")
    process.wait()
    return process.pid
  }
}
