import Foundation
import Testing
import UpkeepCore
import UpkeepSchedule

/// What is said of clock changes, minute by minute and without arithmetic: the oracle.
private struct Oracle {
  struct Fields {
    var minute: Int
    var hour: Int
    var day: Int
    var month: Int
    /// 0 for Sunday.
    var weekday: Int

    init(local: Int) {
      let day = Int((Double(local) / 86_400).rounded(.down))
      let rest = local - day * 86_400
      let date = CivilTime.date(ofDayNumber: day)
      (minute, hour) = (rest / 60 % 60, rest / 3600)
      (self.day, month, weekday) = (date.day, date.month, ((day + 4) % 7 + 7) % 7)
    }
  }

  /// Every instant at a full minute of a stretch, with what the clocks show.
  let minutes: [(instant: Int, local: Int)]

  init(zone: TimeZone, from start: Int, to end: Int) {
    minutes = stride(from: start, through: end, by: 60).map {
      ($0, $0 + zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval($0))))
    }
  }

  /// Each time at which the clocks show a matching minute.
  func inRealTime(_ matches: (Fields) -> Bool) -> [Int] {
    minutes.dropFirst().filter { matches(Fields(local: $0.local)) }.map(\.instant)
  }

  /// Each time at which the clocks first show a matching minute, or a later one.
  func timesOfDay(_ matches: (Fields) -> Bool) -> [Int] {
    var shown = minutes.first?.local ?? 0
    var result: [Int] = []
    for (instant, local) in minutes.dropFirst() where local > shown {
      if stride(from: shown + 60, through: local, by: 60).contains(where: { matches(Fields(local: $0)) }) {
        result.append(instant)
      }
      shown = local
    }
    return result
  }
}

@Suite struct ClockChangeTests {
  static let zones = [
    "UTC", "Asia/Kolkata", "Europe/Riga", "America/New_York", "Australia/Lord_Howe", "America/Santiago",
    "Pacific/Apia", "Africa/Casablanca", "America/Sao_Paulo", "America/St_Johns", "Pacific/Chatham", "Antarctica/Troll",
    "Asia/Beirut", "Asia/Tehran", "Europe/Dublin",
  ]

  /// Midnights (UTC) before a change of the clocks from 2007 to 2017, and a few others.
  private static func days(_ zone: TimeZone) -> [Int] {
    let offset: (Int) -> Int = { zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval($0))) }
    let first = CivilTime.dayNumber(year: 2007, month: 1, day: 1)
    let last = CivilTime.dayNumber(year: 2017, month: 12, day: 31)
    return (first...last).map { $0 * 86_400 }.filter { offset($0) != offset($0 + 86_400) || $0 % (997 * 86_400) == 0 }
  }

  @Test(arguments: zones)
  func agreesWithTheOracleAroundEveryChange(_ name: String) throws {
    let zone = try #require(ZoneName.zone(name))
    let timesOfDay: [(String, (Oracle.Fields) -> Bool)] = [
      ("0 0 * * *", { $0.hour == 0 && $0.minute == 0 }), ("30 2 * * *", { $0.hour == 2 && $0.minute == 30 }),
      ("15 0-3 * * *", { $0.hour <= 3 && $0.minute == 15 }), ("0 */2 * * *", { $0.hour % 2 == 0 && $0.minute == 0 }),
      ("45 1,23 * * 0", { ($0.hour == 1 || $0.hour == 23) && $0.minute == 45 && $0.weekday == 0 }),
      ("59 23 * * *", { $0.hour == 23 && $0.minute == 59 }),
    ]
    let frequent: [(String, (Oracle.Fields) -> Bool)] = [
      ("*/15 * * * *", { $0.minute % 15 == 0 }), ("5 * * * *", { $0.minute == 5 }),
      ("*/20 1-2 * * *", { $0.minute % 20 == 0 && (1...2).contains($0.hour) }),
      ("0,59 0 * * 6,0", { [0, 59].contains($0.minute) && $0.hour == 0 && [6, 0].contains($0.weekday) }),
    ]
    for day in Self.days(zone) {
      let (start, end) = (day - 86_400, day + 2 * 86_400)
      let oracle = Oracle(zone: zone, from: start, to: end)
      func check(_ text: String, _ expected: [Int]) throws {
        let slots = Schedule.cron(try CronExpression(text), zone: zone).slots(
          after: Timestamp(microseconds: Int64(start) * 1_000_000),
          through: Timestamp(microseconds: Int64(end) * 1_000_000), limit: 10_000)
        let found = slots.newest.map { Int($0.seconds) }
        #expect(
          found == expected, "\(text) in \(name) from \(Timestamp(microseconds: Int64(start) * 1_000_000).rfc3339)")
      }
      for (text, matches) in timesOfDay { try check(text, oracle.timesOfDay(matches)) }
      for (text, matches) in frequent { try check(text, oracle.inRealTime(matches)) }
    }
  }

  private func slots(_ text: String, _ zone: String, _ start: String, _ end: String) throws -> [String] {
    let schedule = Schedule.cron(try CronExpression(text), zone: try #require(ZoneName.zone(zone)))
    let due = schedule.slots(
      after: try #require(Timestamp(text: start)), through: try #require(Timestamp(text: end)))
    return due.newest.map(\.minuteText)
  }

  @Test func aDailyTaskInAGapRunsOnceAtItsEnd() throws {
    // Riga put its clocks forward on 2026-03-29 at 01:00 UTC, from 03:00 to 04:00.
    #expect(
      try slots("15,45 3 * * *", "Europe/Riga", "2026-03-28 12:00", "2026-03-30 12:00")
        == ["2026-03-30 00:15", "2026-03-30 00:45"])
    #expect(
      try slots("15 3 * * *", "Europe/Riga", "2026-03-28 12:00", "2026-03-30 12:00")
        == ["2026-03-29 01:00", "2026-03-30 00:15"])
  }

  @Test func aDailyTaskInARepeatedHourRunsOnce() throws {
    // Riga put its clocks back on 2026-10-25 at 01:00 UTC, from 04:00 to 03:00.
    #expect(
      try slots("15 3 * * *", "Europe/Riga", "2026-10-24 12:00", "2026-10-26 12:00")
        == ["2026-10-25 00:15", "2026-10-26 01:15"])
  }

  @Test func aFrequentTaskFollowsRealTime() throws {
    #expect(
      try slots("30 * * * *", "Europe/Riga", "2026-10-24 23:00", "2026-10-25 03:00")
        == ["2026-10-24 23:30", "2026-10-25 00:30", "2026-10-25 01:30", "2026-10-25 02:30"])
    #expect(
      try slots("30 * * * *", "Europe/Riga", "2026-03-28 23:00", "2026-03-29 03:00")
        == ["2026-03-28 23:30", "2026-03-29 00:30", "2026-03-29 01:30", "2026-03-29 02:30"])
  }

  @Test func halfAnHoursGapIsOneToo() throws {
    // Lord Howe put its clocks forward on 2026-10-03 at 15:30 UTC, from 02:00 to 02:30.
    #expect(
      try slots("10 2 * * *", "Australia/Lord_Howe", "2026-10-02 16:00", "2026-10-04 16:00")
        == ["2026-10-03 15:30", "2026-10-04 15:10"])
  }

  @Test func aDayLeftOutEndsWhereTheNextBegins() throws {
    // Apia had no 2011-12-30.
    #expect(
      try slots("15 3 * * *", "Pacific/Apia", "2011-12-29 00:00", "2012-01-01 00:00")
        == ["2011-12-29 13:15", "2011-12-30 10:00", "2011-12-30 13:15", "2011-12-31 13:15"])
  }

  @Test func restartsInsideARepeatedHourGiveNoSecondSlot() throws {
    let schedule = Schedule.cron(try CronExpression("15 3 * * *"), zone: try #require(ZoneName.zone("Europe/Riga")))
    let inside = try #require(Timestamp(text: "2026-10-25 01:05"))
    #expect(schedule.next(after: inside)?.minuteText == "2026-10-26 01:15")
  }
}
