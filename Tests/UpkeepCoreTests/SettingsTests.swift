import Testing
import UpkeepCore

private enum Mode: String, SettingEnumeration {
  case purge, keep
}

private struct Limits: SettingGroup {
  var rows = 10
  var share = 0.5

  static let fields: [SettingField<Self>] = [
    SettingField("rows", \.rows, in: 1...100, "Rows"), SettingField("share", \.share, in: 0...1, "Share"),
  ]
}

private struct SampleSettings: TaskSettings {
  var database = DatabaseName("")
  var keep = Duration.seconds(60)
  var grace: Duration?
  var folder = SettingPath("")
  var mode = Mode.purge
  var tags = ["a"]
  var limits = Limits()
  var waits: [String: Duration] = [:]
  var password = "default"

  static let fields: [SettingField<Self>] = [
    SettingField("database", \.database, required: true, "The database"),
    SettingField("keep", \.keep, atLeast: .seconds(1), "How long"),
    SettingField("grace", \.grace, atLeast: .seconds(1), "How long yet"),
    SettingField("folder", \.folder, "Where"), SettingField("mode", \.mode, "What"),
    SettingField("tags", \.tags, "Which"), SettingField("limits", \.limits, "How much"),
    SettingField("waits", \.waits, "How long by name"),
    SettingField("password", \.password, secret: true, "A password"),
  ]

  func problems() -> [(key: String, message: String)] {
    keep == .seconds(13) ? [("keep", "13 brings bad luck")] : []
  }
}

/// A node as a configuration file would give it.
private func node(_ content: ConfigurationNode.Content, _ text: String = "", line: Int = 1) -> ConfigurationNode {
  let place = SourcePosition(line: line, column: 1)
  return ConfigurationNode(content, text: text, origin: .file(path: "f", range: SourceRange(start: place, end: place)))
}

private func string(_ text: String, line: Int = 1) -> ConfigurationNode {
  node(.string(text), text, line: line)
}

private func map(_ entries: [(String, ConfigurationNode)]) -> ConfigurationNode {
  node(.map(entries.map { ConfigurationEntry(key: $0, keyOrigin: $1.origin, value: $1) }))
}

private func read(_ entries: [(String, ConfigurationNode)]) -> (settings: SampleSettings, problems: [Diagnostic]) {
  SampleSettings.read(map(entries), owner: .standard, in: SettingScope(folder: "/srv", databases: ["odds"]))
}

@Suite struct SettingsTests {
  private let database = ("database", string("odds"))

  @Test func takesWhatIsGivenAndDefaultsForTheRest() {
    let (settings, problems) = read([
      database, ("keep", string("2h")), ("grace", string("5s")), ("folder", string("a/b")), ("mode", string("keep")),
      ("tags", node(.list([string("x"), node(.integer(5), "5")]))),
      ("limits", map([("rows", node(.integer(7), "7"))])), ("waits", map([("x", string("1m"))])),
    ])
    #expect(problems == [])
    #expect(settings.database.text == "odds")
    #expect(settings.keep == .seconds(7200))
    #expect(settings.grace == .seconds(5))
    #expect(settings.folder.text == "/srv/a/b")
    #expect(settings.mode == .keep)
    #expect(settings.tags == ["x", "5"])
    #expect(settings.limits.rows == 7)
    #expect(settings.limits.share == 0.5)
    #expect(settings.waits == ["x": .seconds(60)])
  }

  @Test func countsNullAsAbsent() {
    let (settings, problems) = read([database, ("keep", node(.null)), ("grace", node(.null)), ("limits", node(.null))])
    #expect(problems == [])
    #expect(settings.keep == .seconds(60))
  }

  @Test func reportsEverythingAtOnce() {
    let (_, problems) = read([
      ("database", string("ods", line: 1)), ("keep", string("0s", line: 2)), ("grace", string("0s", line: 3)),
      ("mode", string("purg", line: 4)), ("tags", node(.list([map([]), node(.list([]), line: 6)]), line: 5)),
      ("limits", map([("rows", node(.integer(0), "0", line: 7)), ("bogus", node(.integer(0), "0", line: 8))])),
      ("waits", map([("x", string("1", line: 9)), ("y", string("z", line: 10))])), ("kep", string("1s", line: 11)),
      ("folder", string("", line: 12)),
    ])
    #expect(
      Set(problems.map(\.message)) == [
        "unknown setting kep; did you mean keep?", "database: unknown database ods; did you mean odds?",
        "keep: expected at least 1s, found 0s", "grace: expected at least 1s, found 0s",
        "folder: expected a path, found an empty text",
        "mode: expected one of purge, keep, found \"purg\"; did you mean purge?",
        "tags.0: expected a text, found a map", "tags.1: expected a text, found a list",
        "limits: unknown setting bogus; expected one of rows, share",
        "limits: rows: expected 1 to 100, found 0", "waits: x: 1 has no unit; write 1s, 1m, 1h or 1d",
        "waits: y: z isn't a duration; write whole numbers with ms, s, m, h, d or w, such as 1h30m or 14d",
      ])
    #expect(problems.allSatisfy { $0.origin != nil })
  }

  @Test func namesWhatIsMissing() {
    let (_, problems) = read([])
    #expect(problems.map(\.message) == ["settings.database is missing; the database"])
    #expect(problems.map(\.code) == ["missing_setting"])
  }

  @Test func refusesAnythingButAMap() {
    let scope = SettingScope(folder: "/", databases: nil)
    let (_, problems) = SampleSettings.read(string("x"), owner: .standard, in: scope)
    #expect(problems.map(\.message) == ["settings: expected a map of settings, found \"x\""])
  }

  @Test func checksSettingsTogetherOnceEachIsRight() {
    #expect(read([database, ("keep", string("13s"))]).problems.map(\.message) == ["keep: 13 brings bad luck"])
    #expect(read([("keep", string("13s"))]).problems.map(\.code) == ["missing_setting"])
  }

  @Test func describesItself() {
    let descriptions = Dictionary(uniqueKeysWithValues: SampleSettings.descriptions.map { ($0.key, $0) })
    #expect(descriptions["keep"]?.standard == "1m")
    #expect(descriptions["keep"]?.range == "at least 1s")
    #expect(descriptions["database"]?.isRequired == true)
    #expect(descriptions["database"]?.standard == .null)
    #expect(descriptions["limits"]?.kind == .group(Limits.descriptions))
    #expect(descriptions["waits"]?.kind.name == "map of name to duration")
    #expect(descriptions["password"]?.standard == .string(Secret.mask))
    #expect(SampleSettings().values["password"] == .string(Secret.mask))
  }

  @Test func onlyHarmlessKindsAreTunable() {
    let tunable = SampleSettings.descriptions.filter(\.kind.isTunable).map(\.key)
    #expect(tunable == ["keep", "grace", "mode", "waits"])
  }
}
