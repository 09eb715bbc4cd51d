import Foundation
import Testing
import UpkeepCore
import UpkeepSchedule

/// The next slots of a cron expression after a UTC instant, as `2026-11-20 12:00`.
private func next(_ text: String, after start: String, count: Int, zone: String = "UTC") throws -> [String] {
  let zone = try #require(ZoneName.zone(zone))
  let schedule = Schedule.cron(try CronExpression(text), zone: zone)
  var slot = try #require(Timestamp(text: start))
  var slots: [String] = []
  for _ in 0..<count {
    slot = try #require(schedule.next(after: slot))
    slots.append(slot.minuteText)
  }
  return slots
}

@Suite struct CronExpressionTests {
  @Test(arguments: [
    ("15 3 * * *", ["2026-11-20 03:15", "2026-11-21 03:15"]),
    ("0 0 * * *", ["2026-11-20 00:00", "2026-11-21 00:00"]),
    ("*/20 * * * *", ["2026-11-20 00:00", "2026-11-20 00:20", "2026-11-20 00:40", "2026-11-20 01:00"]),
    ("5-10/5,30 4 * * *", ["2026-11-20 04:05", "2026-11-20 04:10", "2026-11-20 04:30", "2026-11-21 04:05"]),
    ("0 0 1 * *", ["2026-12-01 00:00", "2027-01-01 00:00"]),
    ("0 0 L * *", ["2026-11-30 00:00", "2026-12-31 00:00", "2027-01-31 00:00", "2027-02-28 00:00"]),
    ("0 0 15,L 2 *", ["2027-02-15 00:00", "2027-02-28 00:00", "2028-02-15 00:00", "2028-02-29 00:00"]),
    ("0 0 29 2 *", ["2028-02-29 00:00", "2032-02-29 00:00"]),
    ("0 0 31 * *", ["2026-12-31 00:00", "2027-01-31 00:00", "2027-03-31 00:00"]),
    ("0 6 * * 5", ["2026-11-20 06:00", "2026-11-27 06:00"]),
    ("0 6 * * MON-WED", ["2026-11-23 06:00", "2026-11-24 06:00", "2026-11-25 06:00", "2026-11-30 06:00"]),
    ("0 6 * * sat-sun", ["2026-11-21 06:00", "2026-11-22 06:00", "2026-11-28 06:00"]),
    ("0 6 * * 7", ["2026-11-22 06:00", "2026-11-29 06:00"]),
    ("0 6 * * 5#2", ["2026-12-11 06:00", "2027-01-08 06:00"]),
    ("0 6 * * FRI#5", ["2027-01-29 06:00", "2027-04-30 06:00"]),
    ("0 6 * * 5L", ["2026-11-27 06:00", "2026-12-25 06:00"]),
    ("0 6 ? * 1,3", ["2026-11-23 06:00", "2026-11-25 06:00"]),
    ("0 6 13 * ?", ["2026-12-13 06:00", "2027-01-13 06:00"]),
    ("0 0 1 JAN,Jul *", ["2027-01-01 00:00", "2027-07-01 00:00"]),
    // Both day fields are restricted: either suffices.
    (
      "0 0 13 * 5",
      ["2026-11-20 00:00", "2026-11-27 00:00", "2026-12-04 00:00", "2026-12-11 00:00", "2026-12-13 00:00"]
    ),
    // A field that begins with a star isn't restricted: both must match.
    ("0 0 */2 * 5", ["2026-11-27 00:00", "2026-12-11 00:00", "2026-12-25 00:00"]),
    ("@hourly", ["2026-11-20 00:00", "2026-11-20 01:00"]), ("@daily", ["2026-11-20 00:00"]),
    ("@midnight", ["2026-11-20 00:00"]), ("@weekly", ["2026-11-22 00:00"]), ("@monthly", ["2026-12-01 00:00"]),
    ("@yearly", ["2027-01-01 00:00"]), ("@annually", ["2027-01-01 00:00"]),
  ])
  func comesUp(_ text: String, _ expected: [String]) throws {
    #expect(try next(text, after: "2026-11-19 23:59:30", count: expected.count) == expected)
  }

  @Test(arguments: [
    ("", "expected 5 fields (minute, hour, day of month, month, day of week), found 0"),
    ("* * * *", "expected 5 fields (minute, hour, day of month, month, day of week), found 4"),
    ("0 * * * * *", "expected 5 fields (minute, hour, day of month, month, day of week), found 6"),
    ("60 * * * *", "expected 0 to 59 for the minute, found 60"),
    ("-1 * * * *", "expected 0 to 59 for the minute, found -1"),
    ("1,,2 * * * *", "expected 0 to 59 for the minute, found 1,,2"),
    ("1- * * * *", "expected 0 to 59 for the minute, found 1-"),
    ("1-2-3 * * * *", "expected 0 to 59 for the minute, found 1-2-3"),
    ("*/0 * * * *", "expected a step of 1 to 60 for the minute, found */0"),
    ("*/x * * * *", "expected a step of 1 to 60 for the minute, found */x"),
    ("5/15 * * * *", "a step needs a range; write 5-59/15 for the minute, found 5/15"),
    ("? * * * *", "expected 0 to 59 for the minute, found ?"),
    ("* 24 * * *", "expected 0 to 23 for the hour, found 24"),
    ("0 9-5 * * *", "the range 9-5 of the hour runs backwards; write 0-5,9-23"),
    ("0 0 28-1 * *", "the range 28-1 of the day of month runs backwards; write 1,28-31"),
    ("0 0 * * FRI-MON", "the range FRI-MON of the day of week runs backwards; write 0-1,5-6"),
    ("0 0 0 * *", "expected 1 to 31, L or L-3 for the day of month, found 0"),
    ("0 0 32 * *", "expected 1 to 31, L or L-3 for the day of month, found 32"),
    ("0 0 * 13 *", "expected 1 to 12 or JAN to DEC for the month, found 13"),
    ("0 0 * FOO *", "expected 1 to 12 or JAN to DEC for the month, found FOO"),
    ("0 0 * * 8", "expected 0 to 7 or SUN to SAT, such as 5#2 or 5L for the day of week, found 8"),
    ("0 0 * * 5#6", "expected 0 to 7 or SUN to SAT, such as 5#2 or 5L for the day of week, found 5#6"),
    ("0 0 * * L", "expected 0 to 7 or SUN to SAT, such as 5#2 or 5L for the day of week, found L"),
    ("0 0 30 2 *", "the day 30 of month 2 never comes; write a day that the month has"),
    ("0 0 31 4,6,9,11 *", "the day 31 of month 4,6,9,11 never comes; write a day that the month has"),
    ("@reboot", "unknown word @reboot; write run_on_start: true instead"),
    ("@every 5m", "unknown word @every 5m; write interval instead"),
    (
      "@fortnightly",
      "unknown word @fortnightly; expected one of @annually, @daily, @hourly, @midnight, @monthly, @weekly, @yearly"
    ),
  ])
  func saysWhatIsWrong(_ text: String, _ message: String) {
    #expect {
      try CronExpression(text)
    } throws: { error in
      (error as? CronError)?.message == message
    }
  }

  @Test func namesTheFieldAndWhatIsAllowed() {
    #expect {
      try CronExpression("0 25 * * *")
    } throws: { error in
      guard let error = error as? CronError else { return false }
      return error.field == .hour && error.found == "25" && error.allowed == "0 to 23"
    }
  }

  @Test func keepsItsText() throws {
    #expect(try CronExpression(" @daily ").text == " @daily ")
  }

  @Test(arguments: [
    ("15 3 * * *", "at 03:15 every day, Europe/Riga"), ("0 3,15 * * *", "at 03:00 and 15:00 every day, Europe/Riga"),
    ("* * * * *", "every minute, Europe/Riga"), ("*/5 * * * *", "every 5 min, Europe/Riga"),
    ("@hourly", "every hour, Europe/Riga"), ("7 * * * *", "every hour at minute 7, Europe/Riga"),
    ("0 */6 * * *", "every 6 h, Europe/Riga"), ("0 3 * * 1-5", "at 03:00 on Monday to Friday, Europe/Riga"),
    ("0 3 * * 0,6", "at 03:00 on Saturday and Sunday, Europe/Riga"),
    ("0 3 * * 5#2", "at 03:00 on the second Friday of the month, Europe/Riga"),
    ("0 3 1 * *", "at 03:00 on day 1 of the month, Europe/Riga"),
    ("0 3 L * *", "at 03:00 on the last day of the month, Europe/Riga"),
    ("0 3 1 1 *", "at 03:00 on day 1 of January, Europe/Riga"),
    ("0 * * 6 *", "every hour in June, Europe/Riga"),
    ("0 3 13 * 5", "at 03:00 on day 13 of the month or on Friday, Europe/Riga"),
    ("0 3 13 6 5L", "at 03:00 on day 13 of June or on the last Friday of the month in June, Europe/Riga"),
    ("0 3 */2 * 5", "cron 0 3 */2 * 5, Europe/Riga"),
    ("0 3 1-31 * 5", "at 03:00 every day, Europe/Riga"),
    ("0 3 L-3 * *", "at 03:00 on the day 3 days before the last of the month, Europe/Riga"),
    ("0 3 1,L-1,L * *", "at 03:00 on day 1, the day 1 day before the last and the last day of the month, Europe/Riga"),
    ("0 9-17 * * 1-5", "every hour from 09:00 to 17:00 on Monday to Friday, Europe/Riga"),
    ("*/20 1-2 * * *", "every 20 min from 01:00 to 02:40 every day, Europe/Riga"),
    ("* 3 * * *", "every minute from 03:00 to 03:59 every day, Europe/Riga"),
    ("5,35 * * * *", "every hour at minutes 5 and 35, Europe/Riga"),
    ("1-9 1-9 * * *", "cron 1-9 1-9 * * *, Europe/Riga"),
  ])
  func isToldInWords(_ text: String, _ words: String) throws {
    let zone = try #require(ZoneName.zone("Europe/Riga"))
    #expect(Schedule.cron(try CronExpression(text), zone: zone).words == words)
  }
}

@Suite struct IntervalTests {
  private let start = Timestamp(microseconds: 1_000_123)

  @Test func followsTheSlotBefore() {
    let schedule = Schedule.interval(.seconds(60))
    #expect(schedule.next(after: start) == start + .seconds(60))
    #expect(schedule.words == "every 1 min")
    #expect(Schedule.interval(.seconds(90 * 60)).words == "every 1 h 30 min")
    #expect(Schedule.interval(.seconds(86_400)).words == "every 1 d")
  }

  @Test func countsAllSlotsAndListsTheNewest() {
    let due = Schedule.interval(.milliseconds(1)).slots(after: start, through: start + .seconds(1_000_000), limit: 2)
    #expect(due.count == 1_000_000_000)
    #expect(due.first == start + .milliseconds(1))
    #expect(due.last == start + .seconds(1_000_000))
    #expect(due.newest == [start + .milliseconds(999_999_999), start + .seconds(1_000_000)])
  }

  @Test(arguments: [(-1, 0), (0, 0), (59, 0), (60, 1), (119, 1), (120, 2)])
  func includesTheEndButNotTheStart(_ seconds: Int, _ count: Int) {
    let due = Schedule.interval(.seconds(60)).slots(after: start, through: start + .seconds(seconds))
    #expect(due.count == count)
    #expect(due.newest.count == count)
  }

  @Test func endsWithTheCalendar() throws {
    #expect(Schedule.interval(.seconds(60)).next(after: Timestamp(microseconds: .max - 5)) == nil)
    #expect(Schedule.cron(try CronExpression("@daily"), zone: .gmt).next(after: Timestamp(microseconds: .max)) == nil)
  }

  @Test func cronSlotsAreCountedToo() throws {
    let schedule = Schedule.cron(try CronExpression("@hourly"), zone: .gmt)
    let midnight = try #require(Timestamp(text: "2026-11-20"))
    let due = schedule.slots(after: midnight, through: midnight + .seconds(86_400), limit: 3)
    #expect(due.count == 24)
    #expect(due.first?.minuteText == "2026-11-20 01:00")
    #expect(due.newest.map(\.minuteText) == ["2026-11-20 22:00", "2026-11-20 23:00", "2026-11-21 00:00"])
  }
}

@Suite struct ZoneNameTests {
  @Test(arguments: ["UTC", "Europe/Riga", "Asia/Kolkata", "Asia/Calcutta", "America/Argentina/Buenos_Aires", "GMT"])
  func isKnown(_ name: String) {
    #expect(ZoneName.zone(name) != nil)
  }

  @Test(arguments: ["", "Riga", "Europe/Rga", "EST", "GMT+3", "europe/riga", "Mars/Phobos", "/etc/passwd", "../UTC"])
  func isNotKnown(_ name: String) {
    #expect(ZoneName.zone(name) == nil)
  }

  @Test func isProposed() {
    #expect(ZoneName.nearest(to: "Europe/Rga") == "Europe/Riga")
    #expect(ZoneName.nearest(to: "riga") == "Europe/Riga")
    #expect(ZoneName.nearest(to: "Mars/Phobos") == nil)
  }
}
