import UpkeepTestKit

/// Writes configurations as people write them: with comments everywhere, in block and flow style, with every kind of
/// quotes, line break and indentation.
struct RandomYAML {
  /// A value that an edit may change, and where it stands now.
  struct Slot {
    var task: String
    var key: String
    /// Whether the file says something for it.
    var isGiven: Bool
  }

  private(set) var text = ""
  private let random: SeededRandom
  private let newLine: String
  private let step: Int

  init(seed: UInt64) {
    random = SeededRandom(seed: seed)
    newLine = ["\n", "\n", "\n", "\r\n"][Int(random.next() % 4)]
    step = [2, 2, 4, 3][Int(random.next() % 4)]
    if chance(6) { text += "\u{FEFF}" }
    write()
  }

  mutating func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
  mutating func chance(_ count: Int) -> Bool { below(count) == 0 }
  mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

  private mutating func write() {
    if chance(3) { line(0, "# Ünïcödé ☃ 🦆, and a 'quote\" {") }
    if chance(5) { line(0, "---") }
    if chance(2) { line(0, "version: 1" + remark()) }
    blank()
    line(0, "databases:" + remark())
    line(1, "odds: { sqlite: \"${ODDS:-data/ödds.sqlite}\" }" + remark())
    blank()
    line(0, "tasks:" + remark())
    for task in ["t", "noop", "scraping"] {
      comments(1)
      writeTask(task)
    }
    if chance(3) { line(0, "groups:") }
    if text.hasSuffix("groups:" + newLine) { line(1, "all: [t, noop]") }
    if chance(8) { line(0, "...") }
    if chance(3) { text.removeLast() }
  }

  private mutating func writeTask(_ name: String) {
    var keys: [(String, [(String, String)])] = []
    if name == "t" { keys.append(("plugin", [("", quoted("odds_retention"))])) }
    if chance(2) { keys.append(("enabled", [("", pick(["true", "false", "True"]))])) }
    if chance(2) { keys.append(("interval", [("", quoted(pick(["1h", "24h", "90m"])))])) }
    if chance(2) { keys.append(("timeout", [("", quoted(pick(["1m", "30m", "2h"])))])) }
    if chance(6) { keys.append(("grace", [("", "")])) }
    if chance(3) { keys.append(("missed", [("", quoted("skip"))])) }
    if chance(2) {
      let all = [("max_percent", pick(["50", "12.5"])), ("min_rows", pick(["9", "1000"]))]
      keys.append(("guard", Array(all.prefix(1 + below(2)))))
    }
    var settings: [(String, String)] = []
    if name == "t" {
      settings.append(("database", quoted("odds")))
      if chance(2) { settings.append(("odds_keep", quoted(pick(["14d", "7d"])))) }
      if chance(2) { settings.append(("batch", pick(["5", "0644", "0x1F"]))) }
      if chance(3) { settings.append(("token", quoted("it's ☃ # no, {x}"))) }
    } else if chance(2) {
      settings.append(("duration", quoted(pick(["1s", "5ms"]))))
    }
    if !settings.isEmpty { keys.append(("settings", shuffled(settings))) }
    keys = shuffled(keys)
    if keys.isEmpty {
      line(1, "\(name):" + pick(["", " ~", " {}", " null"]) + remark())
    } else if chance(4) {
      let entries = keys.map { key, values in "\(key): " + (values[0].0.isEmpty ? values[0].1 : flow(values)) }
      line(
        1,
        "\(name): {" + pick(["", " "]) + entries.joined(separator: ", ") + pick(["", " ", ",", " , "]) + "}" + remark())
    } else {
      line(1, "\(name):" + pick(["", " &\(name)_anchor"]) + remark())
      for (key, values) in keys { writeKey(key, values) }
    }
  }

  private mutating func writeKey(_ key: String, _ values: [(String, String)]) {
    comments(2)
    if values[0].0.isEmpty {
      line(2, "\(pick([key, key, "\"\(key)\""])):\(pick([" ", "  ", "\t"]))\(values[0].1)" + remark())
      if chance(8) { line(9, "# goes on") }
    } else if chance(2) {
      line(2, "\(key): \(flow(values))" + remark())
    } else {
      line(2, "\(key):" + remark())
      for (inner, value) in values {
        comments(3)
        line(3, "\(inner): \(value)" + remark())
      }
    }
  }

  /// Values within braces, now and then over several lines.
  private mutating func flow(_ values: [(String, String)]) -> String {
    let entries = values.map { "\($0.0): \($0.1.hasPrefix("|") ? "x" : $0.1)" }
    let separator = chance(4) ? ",\(newLine)\(String(repeating: " ", count: step * 4))" : pick([", ", ","])
    return pick(["{", "{ "]) + entries.joined(separator: separator) + pick(["}", " }"])
  }

  private mutating func quoted(_ text: String) -> String {
    let style = text.contains(" ") ? 1 + below(2) : below(3)
    return [text, "\"\(text)\"", "'\(text.replacing("'", with: "''"))'"][style]
  }

  private mutating func remark() -> String {
    chance(3) ? pick([" # why", "  # don't, ☃: \"x\"", "\t# {tab}", "   "]) : ""
  }

  private mutating func comments(_ depth: Int) {
    if chance(4) { line(depth, pick(["# über: 1h", "# - x", "#"])) }
    blank()
  }

  private mutating func blank() {
    if chance(6) { line(0, "") }
  }

  private mutating func line(_ depth: Int, _ content: String) {
    text += String(repeating: " ", count: content.isEmpty ? 0 : depth * step) + content + newLine
  }

  private mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
    var rest = elements
    var result: [Element] = []
    while !rest.isEmpty { result.append(rest.remove(at: below(rest.count))) }
    return result
  }
}
