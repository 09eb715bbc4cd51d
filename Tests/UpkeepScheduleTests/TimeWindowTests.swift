import Foundation
import Testing
import UpkeepCore
import UpkeepSchedule

/// When a window is open; local times are Riga's (UTC+2, in summer UTC+3).
struct TimeWindowTests {
  /// In 2026 the clocks of Riga skip 03:00 to 04:00 on 29 March, and show 03:00 to 04:00 twice on 25 October.
  private let riga = TimeZone(identifier: "Europe/Riga") ?? .gmt
  private let night = TimeWindow(start: 60, end: 300)
  private let acrossMidnight = TimeWindow(start: 23 * 60, end: 60)

  private func instant(_ text: String) throws -> Timestamp {
    try #require(Timestamp(text: text))
  }

  private func end(_ window: TimeWindow, _ text: String) throws -> String? {
    let instant = try instant(text)
    let end = window.end(after: instant, in: riga)
    #expect(window.contains(instant, in: riga) == (end != nil))
    return end?.rfc3339
  }

  @Test func beginsWithItsFirstInstantAndEndsBeforeItsEnd() throws {
    #expect(try end(night, "2026-11-19T22:59:59.999999Z") == nil)
    #expect(try end(night, "2026-11-19T23:00:00Z") == "2026-11-20T03:00:00.000Z")
    #expect(try end(night, "2026-11-20T02:59:59.999999Z") == "2026-11-20T03:00:00.000Z")
    #expect(try end(night, "2026-11-20T03:00:00Z") == nil)
  }

  @Test func goesOnAcrossMidnight() throws {
    #expect(try end(acrossMidnight, "2026-11-19T20:59:59Z") == nil)
    #expect(try end(acrossMidnight, "2026-11-19T21:00:00Z") == "2026-11-19T23:00:00.000Z")
    #expect(try end(acrossMidnight, "2026-11-19T22:30:00Z") == "2026-11-19T23:00:00.000Z")
    #expect(try end(acrossMidnight, "2026-11-19T23:00:00Z") == nil)
  }

  @Test func isShorterWhereTheClocksSkipPartOfIt() throws {
    // 01:00 is 23:00 UTC, 05:00 is 02:00 UTC: three hours.
    #expect(try end(night, "2026-03-28T23:00:00Z") == "2026-03-29T02:00:00.000Z")
    #expect(try end(night, "2026-03-29T01:59:59Z") == "2026-03-29T02:00:00.000Z")
    #expect(try end(night, "2026-03-29T02:00:00Z") == nil)
  }

  @Test func beginsBehindTheGapThatItsStartLiesIn() throws {
    let window = TimeWindow(start: 3 * 60 + 30, end: 4 * 60 + 30)
    #expect(try end(window, "2026-03-29T00:59:59Z") == nil)
    #expect(try end(window, "2026-03-29T01:00:00Z") == "2026-03-29T01:30:00.000Z")
  }

  @Test func endsWithTheGapThatItsEndLiesIn() throws {
    let window = TimeWindow(start: 2 * 60, end: 3 * 60 + 30)
    #expect(try end(window, "2026-03-29T00:59:59Z") == "2026-03-29T01:00:00.000Z")
    #expect(try end(window, "2026-03-29T01:00:00Z") == nil)
  }

  @Test func neverOpensOnADayWhoseClocksSkipAllOfIt() throws {
    let window = TimeWindow(start: 3 * 60 + 10, end: 3 * 60 + 50)
    #expect(try end(window, "2026-03-29T00:59:59Z") == nil)
    #expect(try end(window, "2026-03-29T01:00:00Z") == nil)
    #expect(try end(window, "2026-03-30T00:10:00Z") == "2026-03-30T00:50:00.000Z")
  }

  @Test func comesOnceWhereAnHourIsRepeated() throws {
    let window = TimeWindow(start: 3 * 60 + 10, end: 3 * 60 + 50)
    #expect(try end(window, "2026-10-25T00:10:00Z") == "2026-10-25T00:50:00.000Z")
    #expect(try end(window, "2026-10-25T00:50:00Z") == nil)
    #expect(try end(window, "2026-10-25T01:10:00Z") == nil)
  }

  @Test func goesOnThroughARepeatedHour() throws {
    // 01:00 is 22:00 UTC, 05:00 is 03:00 UTC: five hours.
    #expect(try end(night, "2026-10-24T21:59:59Z") == nil)
    #expect(try end(night, "2026-10-24T22:00:00Z") == "2026-10-25T03:00:00.000Z")
    #expect(try end(night, "2026-10-25T01:30:00Z") == "2026-10-25T03:00:00.000Z")
    #expect(try end(night, "2026-10-25T03:00:00Z") == nil)
  }

  @Test func endsInTheHourThatIsShownFirst() throws {
    let window = TimeWindow(start: 2 * 60, end: 3 * 60 + 30)
    #expect(try end(window, "2026-10-25T00:29:59Z") == "2026-10-25T00:30:00.000Z")
    #expect(try end(window, "2026-10-25T00:30:00Z") == nil)
    #expect(try end(window, "2026-10-25T01:10:00Z") == nil)
  }
}
