import Testing
import UpkeepCore

@testable import TusExpiryPlugin

/// What is read out of sidecars.
@Suite struct SidecarTests {
  private func read(
    _ text: String, stem: String = "a", layouts: [TusLayout] = TusLayout.allCases
  ) -> Sidecar.Reading {
    Array(text.utf8).withUnsafeBufferPointer { Sidecar.read($0, stem: EntryName(stem), layouts: layouts) }
  }

  private func date(_ json: String) -> SidecarDate {
    let text = """
      {"size": 5, "offset": 0, "metadata": {}, "created_at": null, "expires": \(json)}
      """
    guard case .upload(let sidecar) = read(text) else { return .unreadable }
    return sidecar.expires
  }

  private static let noon = Timestamp(CivilTime(year: 2026, month: 11, day: 21, hour: 22, minute: 50, second: 9))

  @Test(arguments: [
    ("\"2026-11-21T22:50:09\"", SidecarDate.local(noon.microseconds)),
    ("\"2026-11-21 22:50:09\"", .local(noon.microseconds)),
    ("\"2026-11-21T22:50:09.25\"", .local(noon.microseconds + 250_000)),
    ("\"2026-11-21T22:50:09.123456\"", .local(noon.microseconds + 123_456)),
    ("\"2026-11-21T22:50:09Z\"", .instant(noon)), ("\"2026-11-21T23:50:09.000+01:00\"", .instant(noon)),
    ("\"2026-11-21T21:50:09-01:00\"", .instant(noon)), ("\"Sat, 21 Nov 2026 22:50:09 GMT\"", .instant(noon)),
    ("\"Sat, 21 Nov 2026 22:50:09 +0000\"", .instant(noon)), ("1795301409", .instant(noon)),
    ("1795301409.5", .instant(Timestamp(microseconds: noon.microseconds + 500_000))), ("null", .none),
    ("0", .unreadable), ("-5", .unreadable), ("1e300", .unreadable), ("\"\"", .unreadable), ("\"soon\"", .unreadable),
    ("\"Sat, 31 Nov 2026 22:50:09 GMT\"", .unreadable), ("\"Sat, 21 Nov 2026 22:50:09 CET\"", .unreadable),
    ("\"Sat, 21 Nov 2026 24:50:09 GMT\"", .unreadable), ("\"2026-02-30T00:00:00\"", .unreadable),
    ("true", .unreadable), ("[]", .unreadable), ("{}", .unreadable),
  ])
  func readsDatesInEveryForm(json: String, expected: SidecarDate) {
    #expect(date(json) == expected)
  }

  @Test(arguments: TusLayout.allCases)
  func knowsTheSidecarsOfEachServer(layout: TusLayout) throws {
    let text = try UploadFolder().sidecar(layout, "a", UploadFolder.Upload())
    guard case .upload(let sidecar) = read(text) else {
      Issue.record("\(read(text))")
      return
    }
    #expect(sidecar.layout == layout)
    #expect(sidecar.size == 1000)
    #expect(sidecar.offset == ([.tusd, .node].contains(layout) ? nil : 10))
    #expect(sidecar.parts == nil)
    for other in TusLayout.allCases where other != layout {
      guard case .foreign = read(text, layouts: [other]) else {
        Issue.record("\(layout) taken for \(other)")
        continue
      }
    }
  }

  @Test func knowsOlderTuspyserver() {
    let text = """
      {"uid": "a", "size": null, "offset": 0, "metadata": null, "created_at": "2026-11-20 10:00:00.5", "expires": null,
       "defer_length": true}
      """
    #expect(read(text) == .upload(Sidecar(layout: .tuspyserver, offset: 0, created: .local(1_795_168_800_500_000))))
    #expect(read(text, stem: "b") == .foreign("it is about a, which isn't the file beside it"))
  }

  @Test(arguments: [
    ("", "it is empty"), ("{", "it isn't whole JSON; half-written?"),
    ("{\"ID\":\"a\"", "it isn't whole JSON; half-written?"),
    ("{\"a\": \"b", "it isn't whole JSON; half-written?"), ("{\"a\": \"b\\", "it isn't whole JSON; half-written?"),
    ("{} {}", "it isn't whole JSON; half-written?"), ("{\"a\" 1}", "it isn't whole JSON; half-written?"),
    ("{\"a\": 1,}", "it isn't whole JSON; half-written?"), ("[1,]", "it isn't whole JSON; half-written?"),
    ("nul", "it isn't whole JSON; half-written?"), ("hello", "it isn't whole JSON; half-written?"),
    ("\0\0\0", "it isn't whole JSON; half-written?"), ("{\"a\": \"\u{1}\"}", "it isn't whole JSON; half-written?"),
  ])
  func cantReadWhatIsNoWholeJSON(text: String, reason: String) {
    #expect(read(text) == .unreadable(reason))
  }

  @Test func survivesDeepNesting() {
    #expect(read(String(repeating: "[", count: 100_000)) == .unreadable("it isn't whole JSON; half-written?"))
  }

  @Test(arguments: ["[]", "3", "\"a\"", "{}", "{\"size\": 3}", "null"])
  func leavesOtherJSONAlone(text: String) {
    guard case .foreign = read(text) else {
      Issue.record("\(read(text))")
      return
    }
  }

  @Test(arguments: ["-1", "1.5", "\"5\"", "99999999999999999999", "true"])
  func refusesSizesThatAreNone(size: String) {
    let text = "{\"ID\":\"a\",\"Size\":\(size),\"MetaData\":{}}"
    #expect(read(text) == .foreign("it is JSON, but no sidecar of tuspyserver, tusd, node, rustus"))
  }

  @Test(arguments: [
    ("/srv/x/a", true), ("a", true), ("deep/a", true), ("/etc/passwd", false), ("../../b", false), ("", false),
  ])
  func takesAnUploadOnlyWhereItsDataIsBesideIt(path: String, isOurs: Bool) {
    let text = "{\"ID\":\"x/a\",\"Size\":5,\"MetaData\":{},\"Storage\":{\"Type\":\"filestore\",\"Path\":\"\(path)\"}}"
    guard case .upload = read(text) else {
      #expect(!isOurs)
      return
    }
    #expect(isOurs)
  }

  @Test func readsEscapesInNames() {
    let text = "{\"ID\":\"\\u00e9\\ud83d\\ude00\\/\\u0061\",\"Size\":5,\"MetaData\":{}}"
    #expect(read(text) == .upload(Sidecar(layout: .tusd, size: 5)))
    #expect(
      read("{\"ID\":\"\\u00e9\",\"Size\":5,\"MetaData\":{}}", stem: "é") == .upload(Sidecar(layout: .tusd, size: 5)))
  }
}
