import Foundation
import Testing
import UpkeepCore
import UpkeepSchedule

/// Local times without a zone, read on the clocks of one.
@Suite struct LocalClockTests {
  private func instant(_ text: String) throws -> Int {
    Int(try #require(Timestamp(text: text)).seconds)
  }

  @Test(arguments: [
    ("Europe/Riga", "2026-07-01T12:00:00", "2026-07-01T09:00:00"),
    ("Europe/Riga", "2026-01-01T12:00:00", "2026-01-01T10:00:00"),
    ("America/New_York", "2026-11-20T07:00:00", "2026-11-20T12:00:00"),
    ("Asia/Kolkata", "2026-11-20T17:30:00", "2026-11-20T12:00:00"),
    // The hour that comes twice: the second time.
    ("Europe/Riga", "2026-10-25T03:30:00", "2026-10-25T01:30:00"),
    ("Europe/Riga", "2026-10-25T02:59:59", "2026-10-24T23:59:59"),
    ("Europe/Riga", "2026-10-25T04:00:00", "2026-10-25T02:00:00"),
    // The hour that is left out: its end.
    ("Europe/Riga", "2026-03-29T03:30:00", "2026-03-29T01:00:00"),
    ("Europe/Riga", "2026-03-29T02:59:59", "2026-03-29T00:59:59"),
    ("UTC", "1969-12-31T23:59:59", "1969-12-31T23:59:59"),
  ])
  func findsTheLastInstantThatShowsATime(zone: String, local: String, expected: String) throws {
    var clock = LocalClock(try #require(ZoneName.zone(zone)))
    for _ in 0..<2 { #expect(clock.lastInstant(showing: try instant(local)) == (try instant(expected))) }
  }
}
