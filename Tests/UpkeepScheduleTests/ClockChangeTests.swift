import Foundation
import Testing
import UpkeepCore
import UpkeepSchedule

@Suite struct ClockChangeTests {
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
