import Foundation
import Testing
import UpkeepCore
import UpkeepTestKit

/// What the system's own `zdump` says of every zone of its database: nothing here reads a zone file.
enum ZoneDump {
  /// A change of a zone's clocks.
  struct Change: Hashable, Sendable {
    /// The first second of the new offset.
    var at: Int
    var before: Int
    var after: Int
  }

  /// All changes from 1970 to 2037 by the zone's name, in order; none for a zone that has none.
  static let changes: Result<[String: [Change]], any Error> = Result { try read() }

  private static let folder = "/usr/share/zoneinfo"

  /// The names of all zones, from the folder of the database.
  static let names: [String] = {
    let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return files.filter { name in
      guard !name.hasPrefix("posix/"), !name.hasPrefix("right/"), !["localtime", "posixrules"].contains(name),
        let file = FileHandle(forReadingAtPath: "\(folder)/\(name)")
      else { return false }
      return (try? file.read(upToCount: 4)) == Data("TZif".utf8)
    }.sorted()
  }()

  private static func read() throws -> [String: [Change]] {
    // Many files are copies under another name; zdump takes its time for each.
    let copies = Dictionary(grouping: names) { FileManager.default.contents(atPath: "\(folder)/\($0)") }
    var changes = try changes(of: copies.values.compactMap(\.first), from: 1970, to: 2038)
    for names in copies.values {
      for name in names.dropFirst() { changes[name] = changes[names[0]] }
    }
    return changes
  }

  /// The changes of some zones, from the beginning of one year to that of another.
  static func changes(of names: [String], from first: Int, to last: Int) throws -> [String: [Change]] {
    var changes: [String: [Change]] = [:]
    for name in names { changes[name] = [] }
    let halves = [names.prefix(names.count / 2), names.suffix(from: names.count / 2)].filter { !$0.isEmpty }
    let running = try halves.map { names in
      try ChildProcess("/usr/bin/zdump", ["-v", "-c", "\(first),\(last)"] + names, environment: [:])
    }
    for dump in running {
      let text = try dump.output.readToEnd()
      try #require(dump.wait() == 0)
      try add(text, to: &changes)
    }
    return changes
  }

  /// Each change is two lines: the last second before it, and the first after it.
  private static func add(_ text: String, to changes: inout [String: [Change]]) throws {
    var last: (name: Substring, instant: Int, offset: Int)?
    for line in text.split(separator: "\n") where !line.hasSuffix("NULL") {
      let words = line.split(separator: " ")
      try #require(words.count == 16 && words[6] == "UT" && words[15].hasPrefix("gmtoff="), "\(line)")
      let instant = try instant(words[2...5])
      let offset = try #require(Int(words[15].dropFirst(7)))
      if let last, last.name == words[0], last.instant == instant - 1, last.offset != offset {
        changes[String(words[0])]?.append(Change(at: instant, before: last.offset, after: offset))
      }
      last = (words[0], instant, offset)
    }
  }

  /// `Apr 3 01:00:00 1977`
  private static func instant(_ words: ArraySlice<Substring>) throws -> Int {
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let parts = Array(words)
    let month = try #require(months.firstIndex(of: String(parts[0]))) + 1
    let clock = parts[2].split(separator: ":").compactMap { Int($0) }
    let (day, year) = (try #require(Int(parts[1])), try #require(Int(parts[3])))
    return CivilTime.dayNumber(year: year, month: month, day: day) * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2]
  }
}
