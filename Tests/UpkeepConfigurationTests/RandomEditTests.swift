import Foundation
import Testing
import UpkeepCore
import UpkeepRuns
import UpkeepTestKit

@testable import UpkeepConfiguration

@Suite struct RandomEditTests {
  private static let values: [(task: String, key: String, values: [String])] = [
    ("t", "enabled", ["true", "false"]), ("t", "interval", ["5m", "12h"]), ("t", "timeout", ["5m", "7d"]),
    ("t", "grace", ["1h", "null"]), ("t", "missed", ["run_all", "run_once"]),
    ("t", "guard.max_percent", ["60", "0.5"]),
    ("t", "guard.min_rows", ["77"]), ("t", "settings.odds_keep", ["5d", "36h"]), ("t", "settings.batch", ["17"]),
    ("t", "settings.token", ["plain", "a: b # c", "ž, {\"x\"}", "12"]), ("t", "settings.limits.sync", ["5m"]),
    ("noop", "enabled", ["true", "false"]), ("noop", "interval", ["5m"]), ("noop", "settings.duration", ["3s"]),
    ("noop", "guard.max_percent", ["33"]), ("scraping", "enabled", ["false"]), ("scraping", "timeout", ["3m"]),
    ("scraping", "concurrency.overlap", ["queue"]), ("scraping", "settings.duration", ["7s"]),
  ]

  private static let soak = ProcessInfo.processInfo.environment["UPKEEP_SOAK"] == "1"

  @Test func changesOneScalarOrOneLineAndKeepsEveryOtherByte() throws {
    var (edits, unchanged, lines, scalars) = (0, 0, 0, 0)
    var seed: UInt64 = 0
    while edits < (Self.soak ? 5000 : 500) {
      seed += 1
      var soup = RandomYAML(seed: seed)
      let old = Array(soup.text.utf8)
      try #require(load(soup.text).configuration != nil, "seed \(seed)\n\(problems(load(soup.text)))\n\(soup.text)")
      for _ in 0..<3 {
        let target = soup.pick(Self.values)
        let value = soup.pick(target.values)
        let place: Comment = "seed \(seed): \(target.task) \(target.key) \(value)\n\(soup.text)"
        let plan: EditPlan
        do throws(EditRefusal) {
          plan = try planned(soup.text, [ConfigurationEdit(task: target.task, key: target.key, value: value)])
        } catch {
          Issue.record("\(error) \(place)")
          continue
        }
        edits += 1
        if plan.diff.isEmpty {
          unchanged += 1
          #expect(plan.bytes == old, place)
          continue
        }
        let (before, after) = (Self.lines(old), Self.lines(plan.bytes))
        let (removed, added) = Self.difference(before, after)
        #expect(added.count == 1, place)
        #expect(removed.count <= 1, place)
        #expect(Self.isOnePlace(old, plan.bytes), place)
        if removed.isEmpty { lines += 1 } else { scalars += 1 }
        let changed = load(String(decoding: plan.bytes, as: UTF8.self))
        try #require(changed.configuration != nil, place)
        let name = "tasks.\(target.task).\(target.key)"
        let found = changed.configuration?.effective[name]
        #expect(found?.value == Self.expected(target.key, value), place)
        #expect(plan.changes.map { "\($0.task ?? "").\($0.key)" } == ["\(target.task).\(target.key)"], place)
        // Comments stay whole, whatever stands beside them.
        #expect(Self.comments(old) == Self.comments(plan.bytes), place)
      }
    }
    // All three happen, or the test would say little.
    #expect(lines > edits / 10 && scalars > edits / 10 && unchanged > 0, "\(lines) lines, \(scalars) scalars")
  }

  private static func expected(_ key: String, _ value: String) -> JSONValue {
    switch (key, value) {
    case (_, "true"): .boolean(true)
    case (_, "false"): .boolean(false)
    case ("settings.token", _): .string("***")
    case (_, "null"): .null
    case ("guard.min_rows", _), ("settings.batch", _): .integer(Int(value) ?? 0)
    case ("guard.max_percent", _): .number(Double(value) ?? 0)
    case (_, "36h"): "1d12h"
    default: .string(value)
    }
  }

  /// Whether what went and what came is one stretch within one line, or one whole line that came.
  private static func isOnePlace(_ old: [UInt8], _ new: [UInt8]) -> Bool {
    let limit = min(old.count, new.count)
    var head = 0
    while head < limit, old[head] == new[head] { head += 1 }
    var tail = 0
    while tail < limit - head, old[old.count - 1 - tail] == new[new.count - 1 - tail] { tail += 1 }
    return !old[head..<(old.count - tail)].contains(0x0A)
      && new[head..<(new.count - tail)].count { $0 == 0x0A } <= 1
  }

  private static func lines(_ bytes: [UInt8]) -> [String] {
    var lines = String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "\n").components(separatedBy: "\n")
    if lines.last == "" { lines.removeLast() }
    return lines
  }

  private static func difference(_ old: [String], _ new: [String]) -> (removed: [String], added: [String]) {
    let difference = new.difference(from: old)
    func text(_ change: CollectionDifference<String>.Change) -> String {
      switch change {
      case .insert(_, let element, _), .remove(_, let element, _): element
      }
    }
    return (difference.removals.map(text), difference.insertions.map(text))
  }

  /// The comments that the generator writes, in order.
  private static func comments(_ bytes: [UInt8]) -> [String] {
    let known = [
      "# why", "# don't, ☃: \"x\"", "# {tab}", "# über: 1h", "# - x", "# goes on", "# Ünïcödé ☃ 🦆, and a 'quote\" {",
    ]
    return lines(bytes).compactMap { line in known.first { line.hasSuffix($0) } }
  }
}
