import Foundation
import Testing
import UpkeepCore
import UpkeepTestKit

@Suite struct TimestampTests {
  private static let noon: Int64 = 1_795_176_000_000_000  // 2026-11-20T12:00:00Z

  @Test(arguments: [
    ("2026-11-20 12:00:00", 0), ("2026-11-20T12:00:00", 0), ("2026-11-20t12:00:00", 0), ("2026-11-20 12:00", 0),
    ("2026-11-20T12:00:00Z", 0), ("2026-11-20T12:00:00z", 0), ("2026-11-20 12:00:00 Z", 0),
    ("2026-11-20 14:00:00+02:00", 0), ("2026-11-20 14:00:00+0200", 0), ("2026-11-20 14:00:00+02", 0),
    ("2026-11-20 06:30:00-05:30", 0), ("2026-11-20 14:00:00 +02:00", 0), ("2026-11-20T12:00Z", 0),
    ("2026-11-20 12:00:00.5", 500_000), ("2026-11-20 12:00:00,5", 500_000), ("2026-11-20 12:00:00.123456", 123_456),
    ("2026-11-20 12:00:00.1234567", 123_456), ("2026-11-20T12:00:00.000001Z", 1),
    ("2026-11-20T12:00:00.999999999+00:00", 999_999), ("2026-11-20", -43_200_000_000),
    ("2026-11-21 01:00:00+13:00", 0), ("2026-11-20 23:59:00+23:59", -43_200_000_000),
    ("2026-11-20 23:59:59", 43_199_000_000), ("2026-11-20T23:59:59Z", 43_199_000_000),
    ("2026-11-20T00:00:00Z", -43_200_000_000), ("2026-11-30", 820_800_000_000),
    ("2026-11-30 00:00:00", 820_800_000_000),
    ("2026-12-31T00:00Z", 3_499_200_000_000), ("2026-12-31 00:00:00", 3_499_200_000_000),
    ("2026-01-01", -27_950_400_000_000), ("2026-01-01 00:00:00", -27_950_400_000_000),
    ("2026-11-20 12:00:00.12345", 123_450), ("2026-11-20 12:00:00.000009", 9),
  ])
  func isReadInEveryForm(_ text: String, _ offset: Int64) {
    #expect(Timestamp(text: text)?.microseconds == Self.noon + offset)
  }

  @Test(arguments: [
    "", "x", "2026", "2026-11", "2026-1-2", "20261120", "2026-13-01", "2026-00-01", "2026-02-29", "2026-02-30",
    "2026-11-31", "2026-11-00", "2026-11-20 24:00:00", "2026-11-20 12:60:00", "2026-11-20 12:00:60", "2026-11-20 12",
    "2026-11-20 12:00:00.", "2026-11-20 12:00:00 UTC", "2026-11-20 12:00:00+", "2026-11-20 12:00:00+2",
    "2026-11-20 12:00:00+24:00", "2026-11-20 12:00:00+02:60", "2026-11-20 12:00:00Zx", "2026-11-20x12:00:00",
    " 2026-11-20", "2026-11-20 ", "-026-11-20", "２026-11-20",
    // The same in the form that is read first, and on each side of the digits.
    "2026-13-20 12:00:00", "2026-00-20 12:00:00", "2026-11-31 12:00:00", "2026-11-00 12:00:00", "2026-02-29 12:00:00",
    "1900-02-29 12:00:00", "2026x11-20 12:00:00", "2026-11x20 12:00:00", "2026-11-20 12x00:00", "2026-11-20 12:00x00",
    "2026-11-20 12:00:0:", "2026-11-20 12:00:0/", "2026-11-20 12:00:00.12x", "2026-11-20 12:00:00 1234",
    "2026-11-20 12:00:00,", "202:-11-20", "202/-11-20", "2026-11-20T24:00:00Z", "2026-11-20T12:60:00Z",
    "2026-11-20T12:00:60Z", "2026-11-20T12:60Z", "2026-11-20 12:00:00+02:00x", "2026-11-20 12:00:00.1x",
  ])
  func isNotReadFromAnythingElse(_ text: String) {
    #expect(Timestamp(text: text) == nil)
  }

  @Test(arguments: ["2024-02-29", "2000-02-29"])
  func knowsLeapDays(_ text: String) {
    #expect(Timestamp(text: text)?.dateText == text)
    #expect(Timestamp(text: text + " 12:00:00")?.dateText == text)
  }

  @Test(arguments: ["1900-02-29", "2100-02-29", "2023-02-29"])
  func knowsWhichYearsHaveNone(_ text: String) {
    #expect(Timestamp(text: text) == nil)
  }

  @Test func isWrittenInEveryForm() {
    let instant = Timestamp(microseconds: Self.noon + 120_400)
    #expect(instant.rfc3339 == "2026-11-20T12:00:00.120Z")
    #expect(instant.sqlText == "2026-11-20 12:00:00.1204")
    #expect(Timestamp(microseconds: Self.noon).sqlText == "2026-11-20 12:00:00")
    #expect(instant.minuteText == "2026-11-20 12:00")
    #expect(instant.dateText == "2026-11-20")
    #expect(Timestamp(microseconds: -1).sqlText == "1969-12-31 23:59:59.999999")
    #expect(Timestamp(microseconds: -1).rfc3339 == "1969-12-31T23:59:59.999Z")
  }

  @Test(arguments: [0, 1, -1, 951_782_400_000_000, -62_135_596_800_000_000, 253_402_300_799_999_999, 86_399_999_999])
  func survivesItsText(_ microseconds: Int64) {
    let instant = Timestamp(microseconds: microseconds)
    #expect(Timestamp(text: instant.sqlText) == instant)
    #expect(Timestamp(instant.civil) == instant)
  }

  @Test func civilDatesAgreeWithDayNumbers() {
    for number in stride(from: -800_000, through: 800_000, by: 97) {
      let date = CivilTime.date(ofDayNumber: number)
      #expect(CivilTime.dayNumber(year: date.year, month: date.month, day: date.day) == number)
    }
  }

  @Test func saturatesInsteadOfOverflowing() {
    let (first, last) = (Timestamp(microseconds: .min), Timestamp(microseconds: .max))
    #expect(last + .seconds(1) == last)
    #expect(first - .seconds(1) == first)
    #expect(first + .seconds(-1) == first)
    #expect(last - .seconds(-1) == last)
    #expect(last - first == .microseconds(Int64.max))
    #expect(first - last == .microseconds(Int64.min))
  }

  @Test func comparesAndSubtracts() {
    let instant = Timestamp(microseconds: Self.noon)
    #expect(instant + .seconds(90) - instant == .seconds(90))
    #expect(instant - .milliseconds(1) < instant)
    #expect(Timestamp(microseconds: -1).seconds == -1)
    #expect(Timestamp(microseconds: -1_000_000).seconds == -1)
  }

  @Test func isCodedAsText() throws {
    let instant = Timestamp(microseconds: Self.noon + 123_000)
    let data = try JSONEncoder().encode([instant])
    #expect(String(decoding: data, as: UTF8.self) == "[\"2026-11-20T12:00:00.123Z\"]")
    #expect(try JSONDecoder().decode([Timestamp].self, from: data) == [instant])
    #expect(throws: DecodingError.self) { try JSONDecoder().decode([Timestamp].self, from: Data("[\"x\"]".utf8)) }
  }

  /// Whatever was read before, a reader reads what the text says.
  @Test func aReaderOfManyTextsReadsWhatOneAloneSays() {
    let minutes = [
      "2026-11-20 12:00", "2026-11-20T12:00", "2026-11-20 12:01", "2024-02-30 12:00", "2026-11-20 24:00",
      "20x6-11-20 12:00",
    ]
    let rests = [
      ":07", ":08.25", ":09.123456", ":59.9", ":60", ":0x", ".07", ":07.5Z", ":07.5+02", ":07.25-01", ":07Z",
      ":07+02:00", "",
      ":07.", ":07.1234567", ":07,5", ":07.5 ",
    ]
    let random = SeededRandom()
    var reader = TimestampReader()
    // What no text has been read of yet is the minute of none.
    for byte in [UInt8(0), 0xFF, 0x20] {
      let bytes = Array(repeating: byte, count: 16) + Array(":07".utf8)
      var fresh = TimestampReader()
      #expect(bytes.withUnsafeBufferPointer { fresh.parse($0) } == nil)
    }
    for _ in 0..<5_000 {
      var text = minutes[random.below(minutes.count)] + rests[random.below(rests.count)]
      let read = text.withUTF8 { reader.parse($0) }
      #expect(read == Timestamp(text: text), "\(text)")
    }
  }
}
