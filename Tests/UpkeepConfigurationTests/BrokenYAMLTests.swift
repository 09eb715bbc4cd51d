import Foundation
import Testing
import UpkeepConfiguration
import UpkeepCore

/// A text with mistakes, and what is said of them: `LINE:COLUMN [code] message`.
struct BrokenYAML: CustomTestStringConvertible, Sendable {
  let name: String
  let yaml: String
  let expected: [String]

  init(_ name: String, _ yaml: String, _ expected: String...) {
    self.name = name
    self.yaml = yaml
    self.expected = expected
  }

  var testDescription: String { name }
}

@Suite struct BrokenYAMLTests {
  @Test(arguments: brokenSyntax + brokenHost + brokenTasks)
  func isReportedWhereItStands(_ broken: BrokenYAML) {
    #expect(problems(load(broken.yaml)) == broken.expected)
  }

  @Test(arguments: brokenSyntax + brokenHost + brokenTasks)
  func isReportedAlikeWithOtherLineEnds(_ broken: BrokenYAML) {
    let yaml = broken.yaml.replacingOccurrences(of: "\n", with: "\r\n")
    #expect(problems(load(yaml)) == broken.expected)
  }

  @Test func isReportedAlikeBehindAByteOrderMark() {
    #expect(problems(load("\u{FEFF}verson: 1\n")) == ["1:1 [unknown_key] unknown key verson; did you mean version?"])
  }

  @Test func hasNoConfigurationWhereThereIsAnError() {
    let loaded = load("version: 2\n")
    #expect(loaded.hasErrors)
    #expect(loaded.configuration == nil)
  }

  @Test func refusesBytesThatAreNotUTF8AtTheirPlace() {
    let loader = ConfigurationLoader(plugins: plugins, environment: [:])
    let bytes = Array("host:\n  state: é".utf8) + [0xFF, 0x0A]
    #expect(
      problems(loader.load(bytes, path: "u.yaml", folder: "/")) == [
        "2:11 [not_utf8] the file isn't UTF-8 from here on; save it as UTF-8"
      ])
    let wide: [UInt8] = [0xFF, 0xFE, 0x61, 0x00]
    #expect(
      problems(loader.load(wide, path: "u.yaml", folder: "/")) == [
        "1:1 [not_utf8] the file isn't UTF-8 from here on; save it as UTF-8"
      ])
  }

  @Test func refusesAnAliasBombAtOnce() {
    var yaml = "a: &a [x,x,x,x,x,x,x,x,x]\n"
    for (name, next) in zip("bcdefghi", "abcdefgh") {
      yaml += "\(name): &\(name) [\(Array(repeating: "*\(next)", count: 9).joined(separator: ","))]\n"
    }
    let start = ContinuousClock().now
    #expect(
      problems(load(yaml)) == [
        "5:8 [too_many_aliases] the aliases stand for more than 10000 values; write fewer"
      ])
    #expect(ContinuousClock().now - start < .milliseconds(500))
  }

  @Test func refusesMoreThanAHundredAliases() {
    let yaml =
      "host: {allowed_hosts: &a [x], allowed_origins: [\(Array(repeating: "*a", count: 101).joined(separator: ", "))]}"
    #expect(
      problems(load(yaml)) == ["1:449 [too_many_aliases] the file has more than 100 aliases; write the values out"])
  }

  @Test func refusesWhatIsNestedTooDeep() {
    let yaml = "host: " + String(repeating: "[", count: 5000)
    #expect(problems(load(yaml)) == ["1:38 [too_deep] lists and maps are nested more than 32 deep here"])
    #expect(problems(load(String(repeating: "- ", count: 40))).first?.contains("[too_deep]") == true)
  }

  @Test func refusesWhatIsTooLong() {
    let yaml = "# " + String(repeating: "x", count: 1 << 20)
    #expect(
      problems(load(yaml)) == ["1:1 [too_large] the file has 1048578 bytes; at most 1048576 (1 MiB) are read"])
  }

  @Test func readsAVeryLongLineWithoutDelay() {
    let yaml = "host: {allowed_hosts: [" + String(repeating: "é,", count: 60_000) + "]}"
    let start = ContinuousClock().now
    #expect(!load(yaml).hasErrors)
    #expect(ContinuousClock().now - start < .seconds(20))
  }

  @Test func reportsWhatADocumentBeforeAnotherHasToo() {
    #expect(
      problems(load("vesion: 1\n---\nx: 1\n")) == [
        "1:1 [unknown_key] unknown key vesion; did you mean version?",
        "2:1 [multiple_documents] a second document begins here; write one document",
      ])
  }
}
