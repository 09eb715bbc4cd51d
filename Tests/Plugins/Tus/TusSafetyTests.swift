import Foundation
import Testing
import UpkeepCore

@testable import TusExpiryPlugin

/// Never a byte outside of the folder, and nothing in it that is no upload.
@Suite struct TusSafetyTests {
  private struct Crash: Error {}

  @Test func followsNoLinkOutOfTheFolder() async throws {
    let folder = try UploadFolder()
    try FileManager.default.createDirectory(atPath: folder.outside("other"), withIntermediateDirectories: true)
    let inside = try UploadFolder()
    try inside.add(.tusd, "victim")
    let before = inside.digest
    try folder.link("away", to: inside.path)
    try folder.link("data", to: inside.path("victim"))
    try folder.write(folder.sidecar(.tusd, "data", .init()), to: "data.info")
    try folder.write(size: 10, to: "named")
    try folder.link("named.info", to: inside.path("victim.info"))
    let run = try await TusRun.make(folder)
    #expect(run.counts == ["foreign": 4])
    #expect(inside.digest == before)
    #expect(folder.names.count == 5)
  }

  @Test(arguments: ["/etc/passwd", "../victim", "/VICTIM", "x/../../victim"])
  func opensNoPathOutOfASidecar(path: String) async throws {
    let folder = try UploadFolder()
    let victim = folder.outside("victim")
    try Data("precious".utf8).write(to: URL(fileURLWithPath: victim))
    let named = path == "/VICTIM" ? victim : path
    try folder.write(size: 10, to: "a")
    try folder.write(
      """
      {"ID":"a","Size":1000,"SizeIsDeferred":false,"Offset":0,"MetaData":{},
       "Storage":{"Type":"filestore","Path":"\(named)","InfoPath":"\(named)"}}
      """, to: "a.info")
    try folder.write(
      """
      {"id":"\(named)","offset":0,"length":1000,"path":"\(named)","created_at":1700000000,"deferred_size":false}
      """, to: "b.info")
    try folder.write(size: 10, to: "b")
    let run = try await TusRun.make(folder)
    #expect(run.counts == ["foreign": 2])
    #expect(try Data(contentsOf: URL(fileURLWithPath: victim)) == Data("precious".utf8))
    #expect(folder.names == ["a", "a.info", "b", "b.info"])
  }

  @Test func removesANameOfAHardLinkAndNotItsBytes() async throws {
    let folder = try UploadFolder()
    let kept = folder.outside("kept")
    try folder.add(.node, "a")
    try FileManager.default.linkItem(atPath: folder.path("a"), toPath: kept)
    let run = try await TusRun.make(folder)
    #expect(
      run.counts == ["uploads_removed": 1, "bytes_freed": folder.sidecar(.node, "a", .init()).utf8.count])
    #expect(try Data(contentsOf: URL(fileURLWithPath: kept)).count == 10)
    #expect(folder.names.isEmpty)
  }

  /// Between the moment in which a folder is found and that in which it is opened, somebody puts a link in its place.
  @Test func followsNoLinkThatTakesAFoldersPlace() async throws {
    let folder = try UploadFolder()
    let other = try UploadFolder()
    try other.add(.node, "victim")
    let before = other.digest
    try folder.folder("sub")
    try folder.add(.node, "sub/a")
    let run = try await TusRun.make(
      folder,
      interrupt: { moment in
        guard case .foundFolder("sub") = moment else { return }
        try FileManager.default.moveItem(atPath: folder.path("sub"), toPath: folder.outside("moved"))
        try folder.link("sub", to: other.path)
      })
    #expect(run.counts == [:])
    #expect(run.contents.warnings == ["sub: it is no folder any more; left alone"])
    #expect(other.digest == before)
  }

  /// The folder is moved away, and a link put in its place, while its uploads are removed.
  @Test func staysInTheFolderThatItOpened() async throws {
    let folder = try UploadFolder()
    let other = try UploadFolder()
    try other.add(.tusd, "a")
    try other.add(.tusd, "b")
    let before = other.digest
    try folder.add(.tusd, "a")
    try folder.add(.tusd, "b")
    let run = try await TusRun.make(
      folder,
      interrupt: { moment in
        guard case .tookLock = moment, !FileManager.default.fileExists(atPath: folder.outside("moved")) else { return }
        try FileManager.default.moveItem(atPath: folder.path, toPath: folder.outside("moved"))
        try FileManager.default.createSymbolicLink(atPath: folder.path, withDestinationPath: other.path)
      })
    #expect(run.counts["uploads_removed"] == 2)
    #expect(other.digest == before)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.outside("moved")) == [])
  }

  @Test(arguments: TusLayout.allCases)
  func leavesWhatTheNextRunKnowsWhereItIsStoppedInTheMiddle(layout: TusLayout) async throws {
    let folder = try UploadFolder()
    try folder.folder(".locks")
    try folder.add(layout, "a")
    await #expect(throws: Crash.self) {
      _ = try await TusRun.make(
        folder,
        interrupt: { moment in
          if case .removedData("a") = moment { throw Crash() }
        })
    }
    let suffix = layout == .node ? ".json" : ".info"
    #expect(folder.names == [".locks", "a\(suffix)"])
    let rest = try await TusRun.make(folder)
    #expect(
      rest.counts == ["orphans_removed": 1, "bytes_freed": folder.sidecar(layout, "a", .init()).utf8.count])
    #expect(folder.names == [".locks"])
  }

  @Test func refusesFoldersThatAreNoUploadFolder() async throws {
    let folder = try UploadFolder()
    try folder.write("x", to: "file")
    try folder.link("link", to: folder.path)
    try FileManager.default.createDirectory(atPath: folder.path("sub"), withIntermediateDirectories: true)
    for (path, problem) in [
      ("/", "it is the root of the file system; name the upload folder"),
      ("//", "it is the root of the file system; name the upload folder"),
      ("/tmp/..", "it is the root of the file system; name the upload folder"),
      ("/proc/self/root", "it is a symbolic link; name the folder that it leads to"),
      ("/proc/self/root/.", "it is a symbolic link; name the folder that it leads to"),
      (folder.path("file"), "it is no folder; name the upload folder"),
      (folder.path("file/x"), "it is no folder; name the upload folder"),
      (folder.path("link"), "it is a symbolic link; name the folder that it leads to"),
      (folder.path("link/"), "it is a symbolic link; name the folder that it leads to"),
      (folder.path("link/./"), "it is a symbolic link; name the folder that it leads to"),
      (folder.path("sub/.."), "its path ends in ..; name the folder itself"),
    ] {
      let error = await #expect(throws: TaskError.self, "\(path)") {
        _ = try await TusRun.make(folder) { $0.folder = SettingPath(path) }
      }
      #expect(error?.description.hasSuffix(": \(problem)") == true, "\(path): \(String(describing: error))")
    }
  }

  /// The same places, told apart by where they lie.
  @Test func noticesThatAFolderLiesElsewhere() throws {
    let last = FolderPlace(path: "/srv/up", device: 0x801, mount: "/srv/up", boot: "a")
    func refusal(_ change: (inout FolderPlace) -> Void) -> String? {
      var place = last
      change(&place)
      do throws(TaskError) {
        try place.check(since: last)
        return nil
      } catch {
        return error.description
      }
    }
    #expect(refusal { _ in } == nil)
    #expect(
      refusal { ($0.device, $0.mount) = (0x802, "/") }
        == "folder /srv/up: it lay on device 8:1 (mounted at /srv/up) in the last completed run, and lies on device 8:2 "
        + "(mounted at /) now: a mount may be missing; mount it again; if it is meant to lie there, run once with --set "
        + "device_change=accept")
    #expect(refusal { $0.device = 0x802 } != nil)
    // After another start of the machine the numbers may be others.
    #expect(refusal { ($0.device, $0.boot) = (0x802, "b") } == nil)
    #expect(refusal { ($0.mount, $0.boot) = ("/", "b") } != nil)
    #expect(refusal { ($0.path, $0.device) = ("/srv/other", 0x802) } == nil)
    var result = RunResult(
      runID: "1", task: "a", plugin: "b", mode: .run, trigger: .manual, status: .completed, host: "c")
    var detail = last.detail
    detail["kind"] = .string("folder")
    result.details = [.object(["kind": .string("removed")]), .object(detail)]
    #expect(FolderPlace(result) == last)
  }
}
