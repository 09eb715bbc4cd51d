import Synchronization
import UpkeepCore

/// How far a run is, by platform; tells the run's journal of it.
final class ScrapeReport: Sendable {
  /// What is known of one platform.
  struct Entry: Sendable {
    var status = "pending"
    var tournaments = 0
    var found = 0
    var unmatched = 0
    var scraped = 0
    var failed = 0
    var gone = 0
    var nextKickoff: Timestamp?
    var discovery = Duration.zero
    var scraping = Duration.zero
    var isListed = false

    var isDone: Bool { scraped + failed + gone >= found }
  }

  private let context: TaskContext
  private let names: [String]
  private let entries: Mutex<[String: Entry]>

  init(_ names: [String], _ context: TaskContext) {
    self.names = names
    self.context = context
    entries = Mutex(Dictionary(names.map { ($0, Entry()) }) { first, _ in first })
  }

  /// Changes what is known of a platform.
  func update(_ name: String, _ change: (inout Entry) -> Void) {
    let all = entries.withLock { entries in
      change(&entries[name, default: Entry()])
      return entries
    }
    tell(all)
  }

  /// What is known of all platforms.
  var all: [(name: String, entry: Entry)] {
    let all = entries.withLock { $0 }
    return names.map { ($0, all[$0] ?? Entry()) }
  }

  /// The platforms' states, as the application shows them.
  var states: [String: String] {
    entries.withLock { $0.mapValues(\.status) }
  }

  private func tell(_ all: [String: Entry]) {
    let parts = names.map { name -> String in
      let entry = all[name] ?? Entry()
      return entry.isListed ? "\(name) \(entry.scraped + entry.failed + entry.gone)/\(entry.found)" : "\(name) …"
    }
    let listed = all.values.count { $0.isListed }
    guard listed == names.count else {
      context.report(0.1 * Double(listed) / Double(max(1, names.count)), "Discovery: \(parts.joined(separator: ", "))")
      return
    }
    let found = all.values.reduce(0) { $0 + $1.found }
    let done = all.values.reduce(0) { $0 + $1.scraped + $1.failed + $1.gone }
    context.report(
      0.1 + 0.85 * Double(done) / Double(max(1, found)), "Events: \(parts.joined(separator: ", "))")
  }

  /// Adds the counts of what was found to the result.
  func countFound() {
    for (name, entry) in all {
      context.add("events_found", entry.found)
      context.add("\(name)_events", entry.found)
      context.add("events_unmatched", entry.unmatched)
    }
  }

  /// Adds an object for each platform to the result's details.
  func detail(_ circuit: (String) -> (reason: String, until: Timestamp)?) {
    for (name, entry) in all {
      var values: [String: JSONValue] = [
        "platform": .string(name), "status": .string(entry.status), "tournaments": .integer(entry.tournaments),
        "events": .integer(entry.found), "unmatched": .integer(entry.unmatched),
        "next_kickoff": entry.nextKickoff.map { .string($0.rfc3339) } ?? .null,
        "discovery_ms": .integer(entry.discovery.milliseconds), "circuit": .null,
      ]
      if context.mode == .run {
        values["scraped"] = .integer(entry.scraped)
        values["failed"] = .integer(entry.failed)
        values["gone"] = .integer(entry.gone)
        values["events_ms"] = .integer(entry.scraping.milliseconds)
      }
      if let rest = circuit(name) {
        values["circuit"] = .object([
          "state": "open", "reason": .string(rest.reason), "until": .string(rest.until.rfc3339),
        ])
      }
      context.detail("platform", values)
    }
  }
}
