import Foundation
import Testing
import UpkeepCore
import UpkeepTestKit

@testable import UpkeepSchedule

/// Zone files against what the system's `zdump` says of them, and files that aren't whole.
@Suite struct ZoneTableTests {
  @Test func everyZoneOfTheSystemHasItsChanges() throws {
    for (name, changes) in try ZoneDump.changes.get() {
      let table = try #require(ZoneTable.named(name), "\(name)")
      let span = 0..<Timestamp(CivilTime(year: 2038, month: 1, day: 1)).seconds
      var found: [ZoneDump.Change] = []
      var offset = table.offset(at: -1)
      var instant = -1
      while let change = table.change(after: instant), change.at < span.upperBound {
        if change.offset != offset { found.append(.init(at: change.at, before: offset, after: change.offset)) }
        (instant, offset) = (change.at, change.offset)
        #expect(table.offset(at: instant) == offset)
      }
      #expect(found == changes, "\(name)")
    }
  }

  /// Zones that still change their clocks; the last two have no rule that a person would write by hand.
  @Test(arguments: [
    "Europe/Riga", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Pacific/Chatham", "America/Nuuk",
    "Africa/Cairo", "Asia/Beirut", "America/Asuncion", "Europe/Dublin", "Africa/Casablanca",
  ])
  func theRuleAtTheFilesEndHoldsAfterIt(_ name: String) throws {
    let changes = try ZoneDump.changes(of: [name], from: 2036, to: 2101)[name]
    let table = try #require(ZoneTable.named(name))
    for change in try #require(changes) {
      #expect(table.offset(at: change.at - 1) == change.before)
      #expect(table.offset(at: change.at) == change.after)
    }
  }

  @Test(arguments: [
    ("EET-2EEST,M3.5.0/3,M10.5.0/4", "Europe/Riga", 1, 2003), ("EST5EDT,M3.2.0,M11.1.0", "America/New_York", -5, 2008),
    ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "Australia/Lord_Howe", 11, 2009),
    ("<+0545>-5:45", "Asia/Kathmandu", 6, 1987),
    ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "America/Nuuk", -2, 2025),
  ])
  func aFileMayHoldNothingButItsRule(_ rule: String, _ name: String, _ first: Int, _ from: Int) throws {
    let table = try #require(ZoneTable(file: Self.file(rule: rule, offset: first * 3600)))
    let start = Timestamp(CivilTime(year: from, month: 1, day: 1)).seconds
    let changes = try #require(try ZoneDump.changes.get()[name]).filter { $0.at >= start }
    for change in changes {
      #expect(table.offset(at: change.at - 1) == change.before)
      #expect(table.offset(at: change.at) == change.after)
      #expect(table.change(after: change.at - 1)?.at == change.at)
    }
  }

  @Test func aRuleMayCountDays() throws {
    let rule = try #require(ZoneRule("AAA3BBB,J60/0,J365/25:30:15"))
    let start = Int(Timestamp(CivilTime(year: 2024, month: 3, day: 1, hour: 3)).seconds)
    let end = Int(Timestamp(CivilTime(year: 2025, month: 1, day: 1, hour: 3, minute: 30, second: 15)).seconds)
    #expect(rule.change(after: start - 1)?.at == start)
    #expect(rule.change(after: start)?.at == end)
    #expect([start - 1, start, end - 1, end].map { rule.offset(at: $0) } == [-10_800, -7200, -7200, -10_800])
    let leap = try #require(ZoneRule("AAA0BBB,59,60"))
    #expect(
      leap.change(after: 1_704_067_200)?.at == Int(Timestamp(CivilTime(year: 2024, month: 2, day: 29, hour: 2)).seconds)
    )
  }

  @Test func aRuleMayMakeSummerLastAllYear() throws {
    let rule = try #require(ZoneRule("XXX3EDT4,0/0,J365/23"))
    #expect(Set(stride(from: 0, to: 2_000_000_000, by: 3_333_333).map { rule.offset(at: $0) }) == [-14_400])
  }

  @Test(arguments: [
    "", "EET", "EE-2", "EET-2x", "EET-2EEST", "EET-2EEST,M3.5.0", "EET-2EEST,M13.5.0,M10.5.0",
    "EET-2EEST,M3.6.0,M10.5.0",
    "EET-2EEST,M3.5.7,M10.5.0", "EET-2EEST,J0,J5", "EET-2EEST,J366,J5", "EET-2EEST,366,5",
    "EET-2EEST,M3.5.0/3,M10.5.0/4 ",
    "<+03-3", "EET-2:60", "EET-2222",
  ])
  func isNoRule(_ text: String) {
    #expect(ZoneRule(text) == nil)
  }

  @Test func aFileThatIsNotWholeIsNone() throws {
    let bytes = Array(try #require(FileManager.default.contents(atPath: "/usr/share/zoneinfo/Europe/Riga")))
    #expect(ZoneTable(file: bytes) != nil)
    // What is cut off at its rule still reads as a file without one.
    let block = try #require(bytes.lastIndex(of: 10).flatMap { bytes[..<$0].lastIndex(of: 10) })
    for length in 0..<block { #expect(ZoneTable(file: Array(bytes[..<length])) == nil) }
    let random = SeededRandom(seed: 9)
    for _ in 0..<5000 {
      var damaged = bytes
      for _ in 0..<3 {
        damaged[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      _ = ZoneTable(file: damaged)?.offset(at: 1_000_000_000)
    }
  }

  @Test(arguments: ["../zoneinfo/UTC", "/UTC", "Europe/", "", "Mars/Phobos", "tzdata.zi"])
  func namesNoZone(_ name: String) {
    #expect(ZoneTable.named(name) == nil)
  }

  @Test func foundationIsAskedWhereTheSystemHasNoFile() throws {
    let riga = try #require(TimeZone(identifier: "Europe/Riga"))
    let (mine, theirs) = (ZoneOffsets(riga), ZoneOffsets(riga, table: nil))
    let start = Int(Timestamp(CivilTime(year: 2019, month: 1, day: 1)).seconds)
    let end = start + 5 * 366 * 86_400
    #expect(theirs.segments(from: start, to: end) == mine.segments(from: start, to: end))
    #expect(theirs.segments(from: start, to: end).count == 11)
  }

  /// A file of version 2 with no change in it, as `zic -b slim` writes them.
  private static func file(rule: String, offset: Int) -> [UInt8] {
    func number(_ number: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } }
    let header = Array("TZif2".utf8) + Array(repeating: 0, count: 15) + [0, 0, 0, 0, 1, 4].flatMap(number)
    let block = number(offset) + [0, 0] + Array("LMT\0".utf8)
    return header + block + header + block + Array("\n\(rule)\n".utf8)
  }
}
