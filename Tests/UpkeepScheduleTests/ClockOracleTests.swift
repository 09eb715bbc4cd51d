import Foundation
import Testing
import UpkeepCore
import UpkeepSchedule
import UpkeepTestKit

/// Every change of every zone's clocks from 1970 to 2037, against a walk along the clock minute by minute.
@Suite struct ClockOracleTests {
  /// The zones are dealt to so many tests, which run side by side.
  static let parts = 4

  @Test(arguments: 0..<parts)
  func slotsAgreeAroundEveryChangeOfEveryZone(_ part: Int) throws {
    let all = try ZoneDump.changes.get()
    #expect(all.count > 400, "the system's time zone database isn't installed (tzdata)")
    let random = SeededRandom(seed: UInt64(1000 + part))
    var (triples, passed, wrong) = (0, 0, [String]())
    for (index, name) in all.keys.sorted().enumerated() where index % Self.parts == part {
      let zone = try #require(TimeZone(identifier: name), "\(name)")
      let changes = try #require(all[name])
      let oracle = ClockOracle(changes: changes, fixedOffset: zone.secondsFromGMT())
      for change in changes {
        // A day left out, or one lived twice, needs a wide window; an hour doesn't.
        let width = abs(change.after - change.before) > 3 * 3600 ? 30 * 3600 : 4 * 3600
        let start = change.at - 60 - Int(random.next() % UInt64(width))
        let end = change.at + 60 + Int(random.next() % UInt64(width))
        triples += 1
        passed += 1
        let local = change.at + (random.next() % 2 == 0 ? change.before : change.after)
        wrong += try Self.compare(CronSample(near: local, random), name, zone, oracle, start, end, random)
      }
      for days in [2, index % 8 == 0 ? 60 : 3] {
        let start = Int(random.next() % UInt64(67 * 365 * 86_400))
        triples += 1
        wrong += try Self.compare(
          CronSample(near: start, random), name, zone, oracle, start, start + days * 86_400, random)
      }
    }
    #expect(wrong == [])
    let expected = all.keys.sorted().enumerated().filter { $0.offset % Self.parts == part }
    #expect(passed == expected.reduce(0) { $0 + (all[$1.element]?.count ?? 0) })
    #expect(triples > 10_000 / Self.parts)
  }

  /// What is wrong with the slots of one triple.
  private static func compare(
    _ first: CronSample, _ name: String, _ zone: TimeZone, _ oracle: ClockOracle, _ start: Int, _ end: Int,
    _ random: SeededRandom
  ) throws -> [String] {
    var sample = first
    var read = try? CronExpression(sample.text)
    // Such as 30 February: the day never comes.
    while read == nil {
      sample = CronSample(near: start, random)
      read = try? CronExpression(sample.text)
    }
    let expected = oracle.slots(sample, after: start, through: end)
    let schedule = Schedule.cron(try #require(read), zone: zone)
    let due = schedule.slots(after: instant(start), through: instant(end), limit: 100_000)
    let found = due.newest.map { Int($0.seconds) }
    if found == expected, due.count == expected.count, due.first == expected.first.map(instant) { return [] }
    return [
      "\(sample.text) in \(name) after \(start) through \(end): expected \(expected.prefix(9)),"
        + " found \(due.count): \(found.prefix(9))"
    ]
  }

  private static func instant(_ seconds: Int) -> Timestamp {
    Timestamp(microseconds: Int64(seconds) * 1_000_000)
  }
}
