import Testing
import UpkeepCore

@Suite struct NameSuggestionTests {
  @Test(
    arguments: [
      ("intervall", ["interval", "cron"], "interval"), ("inter", ["interval"], nil), ("crno", ["cron"], "cron"),
      ("Odds_Retention", ["odds_retention"], "odds_retention"), ("ods", ["odds", "oxds"], "odds"), ("x", ["y"], "y"),
      ("x", ["abc"], nil), ("", ["a"], "a"), ("same", ["same"], nil), ("abc", [], nil),
    ] as [(String, [String], String?)])
  func findsTheNearest(_ name: String, _ known: [String], _ expected: String?) {
    #expect(NameSuggestion.nearest(to: name, among: known) == expected)
  }

  @Test func isQuickWithLongNames() {
    #expect(NameSuggestion.nearest(to: String(repeating: "a", count: 100_000), among: ["interval"]) == nil)
  }

  @Test(arguments: ["a", "a1", "odds_retention", "a_", String(repeating: "a", count: 63)])
  func takesNames(_ name: String) {
    #expect(TaskName.isValid(name))
  }

  @Test(arguments: ["", "1a", "_a", "A", "a-b", "a b", "é", "a.b", String(repeating: "a", count: 64)])
  func refusesOtherNames(_ name: String) {
    #expect(!TaskName.isValid(name))
  }
}

@Suite struct SecretMaskTests {
  @Test(arguments: [
    ("postgresql://u:pw@h/d", "postgresql://u:***@h/d"), ("postgresql://u@h/d", "postgresql://u@h/d"),
    ("https://h:8080/x", "https://h:8080/x"), ("redis://:pw@h", "redis://:***@h"),
    ("postgresql://u:p@w@h/d", "postgresql://u:***@h/d"), ("postgresql://u:p/w@h/d", "postgresql://u:***@h/d"),
    ("host=h password=pw user=u", "host=h password=*** user=u"),
    ("host=h PASSWORD='a b' user=u", "host=h PASSWORD=*** user=u"), ("host=h password='a b", "host=h password=***"),
    ("postgresql://h/d?password=pw&x=1", "postgresql://h/d?password=***&x=1"),
    ("postgresql://h/d?sslpassword=pw", "postgresql://h/d?sslpassword=***"),
    ("found \"a://u:p@h\" and b://v:q@i", "found \"a://u:***@h\" and b://v:***@i"), ("plain text", "plain text"),
    ("", ""),
  ])
  func hidesPasswords(_ text: String, _ expected: String) {
    #expect(Secret.masked(text) == expected)
    #expect(Secret.masked(expected) == expected)
  }
}
