import Foundation
import Testing
import UpkeepRuns
import UpkeepRuntime

@Suite struct ProcProcessInspectorTests {
  let inspector = ProcProcessInspector()

  @Test func thisProcessLives() {
    let me = inspector.current
    #expect(me.pid == ProcessInfo.processInfo.processIdentifier)
    #expect(!me.host.isEmpty)
    #expect(me.bootID.count == 36)
    #expect(me.namespace.hasPrefix("pid:["))
    #expect(me.startTime > 0)
    #expect(inspector.liveness(of: me) == .alive)
  }

  @Test func anotherProcessWithTheSamePIDIsNotThisOne() {
    var other = inspector.current
    other.startTime += 1
    #expect(inspector.liveness(of: other) == .gone)
  }

  @Test func aPIDThatNobodyHasIsGone() {
    var other = inspector.current
    other.pid = Int32.max
    #expect(inspector.liveness(of: other) == .gone)
  }

  @Test func aProcessOfAnEarlierBootIsGone() {
    var other = inspector.current
    other.bootID = "11111111-2222-3333-4444-555555555555"
    #expect(inspector.liveness(of: other) == .gone)
  }

  @Test func aProcessOfAnotherHostOrNamespaceCanNotBeTold() {
    var far = inspector.current
    far.host += "-other"
    #expect(inspector.liveness(of: far) == .unknown)
    var contained = inspector.current
    contained.namespace = "pid:[1]"
    #expect(inspector.liveness(of: contained) == .unknown)
  }

  @Test(arguments: [
    ("S", Liveness.alive), ("R", .alive), ("T", .alive), ("Z", .gone), ("X", .gone),
  ])
  func aZombieIsGone(_ state: String, _ liveness: Liveness) throws {
    let proc = NSTemporaryDirectory() + "upkeep-proc-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: proc) }
    let fields = Array(repeating: "0", count: 18).joined(separator: " ")
    for (path, text) in [
      ("self/stat", "7 (a) b)) R \(fields) 4711 0 0\n"), ("12/stat", "12 (a) Z 1 (b)) \(state) \(fields) 99 0 0\n"),
      ("sys/kernel/hostname", "box-1\n"), ("sys/kernel/random/boot_id", "boot\n"),
    ] {
      let url = URL(filePath: "\(proc)/\(path)")
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
    let inspector = ProcProcessInspector(folder: proc)
    #expect(inspector.current.host == "box-1")
    #expect(inspector.current.startTime == 4711)
    let process = ProcessIdentity(
      host: "box-1", bootID: "boot", namespace: inspector.current.namespace, pid: 12, startTime: 99)
    #expect(inspector.liveness(of: process) == liveness)
  }
}
