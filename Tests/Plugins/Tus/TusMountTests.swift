import Foundation
import Testing
import UpkeepCore

@testable import TusExpiryPlugin

/// Other file systems in the folder, or in its place. They need the right to mount; where it is missing, the values are
/// held by `noticesThatAFolderLiesElsewhere` alone.
@Suite(.enabled(if: Mounting.isAllowed)) struct TusMountTests {
  @Test func leavesAloneWhatIsMountedInTheFolder() async throws {
    let folder = try UploadFolder()
    try folder.folder("disk")
    #expect(mount("tmpfs", folder.path("disk"), "tmpfs", 0, nil) == 0)
    defer { umount2(folder.path("disk"), 2) }
    try folder.add(.node, "disk/a")
    try folder.add(.node, "b")
    let run = try await TusRun.make(folder)
    #expect(run.counts["uploads_removed"] == 1)
    #expect(run.counts["foreign"] == 1)
    #expect(run.contents.warnings == ["disk: something else is mounted there; left alone"])
    #expect(folder.has("disk/a") && folder.has("disk/a.json") && !folder.has("b"))
  }

  /// A folder of the same file system, mounted a second time: its device is the same.
  @Test func leavesABoundFolderAlone() async throws {
    let folder = try UploadFolder()
    let other = try UploadFolder()
    try other.add(.node, "a")
    try folder.folder("bound")
    #expect(mount(other.path, folder.path("bound"), nil, UInt(4096), nil) == 0)
    defer { umount2(folder.path("bound"), 2) }
    let run = try await TusRun.make(folder)
    #expect(run.counts == ["foreign": 1])
    #expect(other.names == ["a", "a.json"])
  }

  @Test func refusesAFolderWhoseMountIsMissing() async throws {
    let folder = try UploadFolder()
    #expect(mount("tmpfs", folder.path, "tmpfs", 0, nil) == 0)
    let first = try await TusRun.make(folder)
    umount2(folder.path, 2)
    try folder.add(.node, "a")
    var last = RunResult(
      runID: "1", task: "tus_expiry", plugin: "tus_expiry", mode: .run, trigger: .manual, status: .completed,
      host: "a")
    last.details = first.contents.details
    let result = last
    for mode in [RunMode.preview, .run] {
      let error = await #expect(throws: TaskError.self) { _ = try await TusRun.make(folder, mode: mode, last: result) }
      #expect(error?.code == "device_changed")
    }
    #expect(folder.has("a"))
    let accepted = try await TusRun.make(folder, last: result) { $0.deviceChange = .accept }
    #expect(accepted.counts["uploads_removed"] == 1)
  }
}

/// Whether this process may mount.
private enum Mounting {
  static let isAllowed: Bool = {
    let place = NSTemporaryDirectory() + "upkeep-mount-\(getpid())"
    try? FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: place) }
    guard mount("tmpfs", place, "tmpfs", 0, nil) == 0 else { return false }
    return umount(place) == 0
  }()
}
