import Testing
import UpkeepCore

@Suite struct DurationTests {
  @Test(arguments: [
    ("250ms", 250), ("30s", 30_000), ("90m", 5_400_000), ("24h", 86_400_000), ("14d", 1_209_600_000),
    ("1w", 604_800_000), ("1h30m", 5_400_000), ("1d1h1m1s1ms", 90_061_001), ("0s", 0), ("1m1m", 120_000),
    ("0007s", 7000), ("36525d", 3_155_760_000_000),
  ])
  func isRead(_ text: String, _ milliseconds: Int) throws {
    #expect(try Duration(durationText: text) == .milliseconds(milliseconds))
  }

  @Test(arguments: [
    ("", "expected a duration such as 30s, 90m, 24h or 14d, found nothing"),
    ("5", "5 has no unit; write 5s, 5m, 5h or 5d"), ("1.5", "1.5 has no unit; write 1.5s, 1.5m, 1.5h or 1.5d"),
    ("-5s", "a duration can't be negative: -5s; write one such as 30s, 24h or 14d"),
    ("5 s", "5 s isn't a duration; write whole numbers with ms, s, m, h, d or w, such as 1h30m or 14d"),
    ("5S", "5S isn't a duration; write whole numbers with ms, s, m, h, d or w, such as 1h30m or 14d"),
    ("1.5h", "1.5h isn't a duration; write whole numbers with ms, s, m, h, d or w, such as 1h30m or 14d"),
    ("h", "h isn't a duration; write whole numbers with ms, s, m, h, d or w, such as 1h30m or 14d"),
    ("1h30", "1h30 isn't a duration; write whole numbers with ms, s, m, h, d or w, such as 1h30m or 14d"),
    ("٣s", "٣s isn't a duration; write whole numbers with ms, s, m, h, d or w, such as 1h30m or 14d"),
    ("36526d", "36526d is too long; the longest duration is 36525d (100 years)"),
    ("99999999999999999999s", "99999999999999999999s is too long; the longest duration is 36525d (100 years)"),
    ("9223372036854775807w", "9223372036854775807w is too long; the longest duration is 36525d (100 years)"),
  ])
  func saysWhatToWrite(_ text: String, _ message: String) {
    #expect {
      try Duration(durationText: text)
    } throws: { error in
      (error as? DurationTextError)?.message == message
    }
  }

  @Test(arguments: [
    (0, "0s"), (1, "1ms"), (1500, "1s500ms"), (60_000, "1m"), (5_400_000, "1h30m"), (86_400_000, "1d"),
    (1_209_600_000, "14d"), (90_061_001, "1d1h1m1s1ms"),
  ])
  func isWrittenShort(_ milliseconds: Int, _ text: String) throws {
    #expect(Duration.milliseconds(milliseconds).durationText == text)
    #expect(try Duration(durationText: text) == .milliseconds(milliseconds))
  }

  @Test func isCountedInSmallerUnits() {
    #expect(Duration.milliseconds(-1500).microseconds == -1_500_000)
    #expect(Duration.nanoseconds(1999).microseconds == 1)
    #expect(Duration.seconds(Int64.max).microseconds == .max)
    #expect(Duration.seconds(Int64.min).microseconds == .min)
    #expect(Duration.milliseconds(1500).inSeconds == 1.5)
    #expect(Duration.microseconds(1999).milliseconds == 1)
  }
}
