import Glibc
import Testing
import UpkeepCore

@testable import TusExpiryPlugin

/// What a sweep does in real folders.
@Suite struct TusSweepTests {
  @Test(arguments: TusLayout.allCases)
  func removesExpiredUploadsOfEachServer(layout: TusLayout) async throws {
    let folder = try UploadFolder()
    try folder.add(layout, "expired")
    try folder.add(layout, "young", .init(age: .hours(3)))
    try folder.add(layout, "busy", .init(dataAge: .minutes(1)))
    try folder.add(layout, "whole", .init(size: 10))
    try folder.folder("2026/11")
    try folder.add(layout, "2026/11/deep")
    try folder.write("hello", to: "notes.txt")
    let freed = ["expired", "2026/11/deep"].reduce(20) {
      $0 + folder.sidecar(layout, $1, .init()).utf8.count
    }
    let expected = [
      "uploads_removed": 2, "bytes_freed": freed, "kept_unexpired": 1, "kept_active": 1, "kept_complete": 1,
      "foreign": 1,
    ]
    let before = folder.digest
    let preview = try await TusRun.make(folder, mode: .preview)
    #expect(preview.counts == expected)
    #expect(folder.digest == before)
    let run = try await TusRun.make(folder)
    #expect(run.counts == expected)
    let suffix = layout == .node ? ".json" : ".info"
    #expect(
      folder.names
        == [
          "2026", "2026/11", "notes.txt", "young", "busy", "whole", "young\(suffix)", "busy\(suffix)", "whole\(suffix)",
        ]
        .sorted())
    let again = try await TusRun.make(folder)
    #expect(again.counts == ["kept_unexpired": 1, "kept_active": 1, "kept_complete": 1, "foreign": 1])
    let table = try #require(run.contents.tables.first)
    #expect(run.contents.tables.count == 1)
    #expect((table.table, table.deleted, table.total) == ("uploads", 2, 5))
    let created = UploadFolder.now - .days(3)
    #expect((table.oldest, table.newest) == (created, created))
    #expect(run.details("removed").first?["oldest"] == .string(created.rfc3339))
    #expect(run.contents.errors.isEmpty)
  }

  @Test(arguments: TusLayout.allCases)
  func readsOnlyTheLayoutThatIsNamed(layout: TusLayout) async throws {
    let folder = try UploadFolder()
    for other in TusLayout.allCases { try folder.add(other, other.rawValue) }
    let run = try await TusRun.make(folder) { $0.layout = LayoutChoice(rawValue: layout.rawValue) ?? .auto }
    #expect(run.counts["uploads_removed"] == 1)
    #expect(!folder.has(layout.rawValue))
    #expect(folder.names.count == 6)
  }

  @Test func findsNothingToDoWhereThereIsNoFolder() async throws {
    let folder = try UploadFolder()
    let run = try await TusRun.make(folder) { $0.folder = SettingPath(folder.outside("nowhere")) }
    #expect(run.counts == [:])
    #expect(run.contents.counts.count == 8)
    #expect(run.contents.errors.isEmpty)
    #expect(run.contents.warnings.isEmpty)
    #expect(run.contents.progress.message.hasSuffix("nowhere: nothing to do"))
  }

  @Test func neverStopsAtAnOddFile() async throws {
    let folder = try UploadFolder()
    try folder.write("{\"ID\":\"half", to: "half.info")
    try folder.write(size: 5, to: "half")
    try folder.write("", to: "empty.info")
    try folder.write(String(repeating: " ", count: SidecarReader.largest + 1), to: "large.info")
    try folder.write("{}", to: "other.json")
    try folder.write("{}", to: ".info")
    try folder.folder("folder.info")
    try folder.folder("data")
    try folder.write(folder.sidecar(.tusd, "data", .init()), to: "data.info")
    try folder.link("link.info", to: "half.info")
    mkfifo(folder.path("pipe.info"), 0o644)
    try folder.add(.tuspyserver, "undated", .init(expires: "\"next week\""))
    try folder.add(.tuspyserver, "good")
    let run = try await TusRun.make(folder)
    #expect(run.counts["uploads_removed"] == 2)
    #expect(run.counts["unreadable"] == 2)
    #expect(run.counts["foreign"] == 6)
    #expect(!folder.has("good") && !folder.has("good.info") && !folder.has("undated"))
    for name in ["half", "half.info", "empty.info", "large.info", "other.json", ".info", "data.info", "link.info"] {
      #expect(folder.has(name), "\(name)")
    }
    #expect(
      run.odd == [
        ".info: it is no sidecar of anything", "data.info: its data is no regular file", "empty.info: it is empty",
        "half.info: it isn't whole JSON; half-written?", "large.info: it is too large for a sidecar",
        "link.info: it is a symbolic link", "other.json: it is JSON, but no sidecar of node",
        "pipe.info: it is no regular file",
        "undated.info: its date can't be read; the time of its last change has to do",
      ])
    #expect(
      run.contents.warnings.sorted() == [
        "data.info: its data is no regular file", "empty.info: it is empty",
        "half.info: it isn't whole JSON; half-written?",
        "undated.info: its date can't be read; the time of its last change has to do",
      ])
    #expect(run.contents.errors.isEmpty)
  }

  @Test func namesAndWarnsOfSomeOddFilesOnly() async throws {
    let folder = try UploadFolder()
    for number in 0..<130 { try folder.write("{", to: "odd\(number).info") }
    let run = try await TusRun.make(folder)
    #expect(run.counts == ["unreadable": 130])
    #expect(run.odd.count == SweepReport.namedFiles)
    #expect(run.details("odd_files_left_out").first?["count"] == .integer(30))
    #expect(run.contents.warnings.count == SweepReport.warnedFiles + 1)
    #expect(run.contents.warnings.last == "110 more files that should be looked at: see the details")
  }

  @Test(arguments: [OrphanData.keep, .purge])
  func removesDataWithoutASidecarOnlyWhereItIsToldTo(choice: OrphanData) async throws {
    let folder = try UploadFolder()
    let (old, young, uuid) = (UploadFolder.id(1), UploadFolder.id(2), "0f8fad5b-d9cb-469f-a165-70867728950e")
    try folder.write(size: 7, to: old, age: .hours(24) + .minutes(6))
    try folder.write(size: 7, to: uuid)
    try folder.write(size: 7, to: young, age: .hours(24) + .minutes(4))
    try folder.write(size: 7, to: "report.pdf")
    let preview = try await TusRun.make(folder, mode: .preview) { $0.orphanData = choice }
    let run = try await TusRun.make(folder) { $0.orphanData = choice }
    #expect(run.counts == preview.counts)
    #expect(
      run.counts
        == (choice == .keep ? ["foreign": 4] : ["foreign": 2, "orphans_removed": 2, "bytes_freed": 14]))
    #expect(folder.names == (choice == .keep ? [old, uuid, young, "report.pdf"] : [young, "report.pdf"]).sorted())
  }

  @Test(arguments: TusLayout.allCases)
  func removesASidecarWhoseDataIsGone(layout: TusLayout) async throws {
    let folder = try UploadFolder()
    try folder.add(layout, "old", .init(size: 10, bytes: nil))
    try folder.add(layout, "young", .init(bytes: nil, age: .hours(3)))
    let run = try await TusRun.make(folder)
    #expect(run.counts["orphans_removed"] == 1)
    #expect(run.counts["kept_unexpired"] == 1)
    #expect(
      run.counts["bytes_freed"] == folder.sidecar(layout, "old", .init(size: 10)).utf8.count
        - (layout == .tuspyserver ? 1 : layout == .rustus ? 1 : 0))
    #expect(folder.names.count == 1)
  }

  @Test(arguments: [TusLayout.tuspyserver, .tusd, .rustus])
  func keepsThePartsOfAnUnfinishedUpload(layout: TusLayout) async throws {
    let folder = try UploadFolder()
    try folder.add(layout, "listed", .init(size: 10, isPartial: true))
    try folder.add(layout, "url", .init(size: 10, isPartial: true))
    try folder.add(layout, "used", .init(size: 10, isPartial: true))
    try folder.add(layout, "alone", .init(size: 10, isPartial: true))
    try folder.add(layout, "half", .init(isPartial: true))
    try folder.add(layout, "open", .init(age: .hours(1), parts: ["listed", "https://example.org/files/url"]))
    try folder.add(layout, "done", .init(size: 10, parts: ["used"]))
    let preview = try await TusRun.make(folder, mode: .preview)
    let run = try await TusRun.make(folder)
    #expect(run.counts == preview.counts)
    #expect(run.counts["uploads_removed"] == 3)
    #expect(run.counts["kept_complete"] == 3)
    #expect(run.counts["kept_unexpired"] == 1)
    #expect(run.contents.tables.first?.total == 7)
    #expect(["listed", "url", "open", "done"].allSatisfy { folder.has($0) && folder.has("\($0).info") })
    #expect(["used", "alone", "half"].allSatisfy { !folder.has($0) && !folder.has("\($0).info") })
  }

  @Test func endsWithItsBudgetUsedUp() async throws {
    let folder = try UploadFolder()
    for number in 0..<10 { try folder.add(.node, "u\(number)") }
    let run = try await TusRun.make(folder, limits: RunLimits(maxRows: 4))
    #expect(run.counts["uploads_removed"] == 4)
    #expect(run.contents.reason == "budget")
    #expect(folder.names.count == 12)
    let rest = try await TusRun.make(folder, limits: RunLimits(maxRows: 6))
    #expect(rest.counts["uploads_removed"] == 6)
    #expect(rest.contents.reason == nil)
  }

  @Test func dealsWithNamesThatAreNoUTF8() async throws {
    let folder = try UploadFolder()
    let base = Array(folder.path.utf8) + [UInt8(ascii: "/")]
    let name: [UInt8] = [0xFF, 0xFE, UInt8(ascii: "\n"), UInt8(ascii: "a")]
    let sidecar = Array(folder.sidecar(.tuspyserver, "x", .init()).utf8)
    try folder.write([1, 2, 3], to: base + name, age: .days(3))
    try folder.write(sidecar, to: base + name + Array(".info".utf8), age: .days(3))
    try folder.write([1], to: base + [0xC3, 0x28], age: .days(3))
    try folder.write([1], to: base + [0x80] + Array(".info".utf8), age: .days(3))
    let run = try await TusRun.make(folder)
    #expect(run.counts == ["uploads_removed": 1, "bytes_freed": sidecar.count + 3, "foreign": 1, "unreadable": 1])
    #expect(run.odd == ["\\x80.info: it isn't whole JSON; half-written?", "\\xC3(: it is no part of an upload"])
  }

  /// As many as a test may take; by hand it was a million.
  @Test func readsALargeFolderAsAStream() async throws {
    let folder = try UploadFolder()
    let text = Array(folder.sidecar(.node, "a", .init(size: 10)).utf8)
    for number in 0..<20_000 {
      let name = Array(folder.path("f\(number)").utf8)
      try folder.write(
        number % 2 == 0 ? text : [], to: number % 2 == 0 ? name + Array(".json".utf8) : name, age: .days(3))
    }
    let run = try await TusRun.make(folder)
    #expect(run.counts == ["foreign": 20_000])
    #expect(run.contents.details.count < 110)
    #expect(run.contents.warnings.isEmpty)
  }
}
