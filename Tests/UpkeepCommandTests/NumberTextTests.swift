import Testing
import UpkeepCore

@testable import upkeep
import UpkeepRuns

/// Numbers, sizes and times as people read them.
@Suite struct NumberTextTests {
  @Test(arguments: [
    (0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-1000, "-1,000"), (-12, "-12"),
  ]) func groupsDigits(number: Int, text: String) {
    #expect(NumberText.grouped(number) == text)
  }

  @Test(arguments: [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1500, "1,500 rows")])
  func countsThings(number: Int, text: String) {
    #expect(NumberText.counted(number, "row") == text)
  }

  @Test(arguments: [
    (0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1500, "1.5 kB"), (999_949, "999.9 kB"), (999_950, "1 MB"),
    (61_240_000, "61.2 MB"), (2_000_000_000, "2 GB"),
  ]) func writesSizes(bytes: Int, text: String) {
    #expect(NumberText.bytes(bytes) == text)
  }

  @Test(arguments: [
    (0, "0 ms"), (999, "999 ms"), (1000, "1 s"), (1234, "1.2 s"), (59_940, "59.9 s"), (60_000, "1 min 0 s"),
    (185_000, "3 min 5 s"), (7_440_000, "2 h 4 min"),
  ]) func writesDurations(milliseconds: Int, text: String) {
    #expect(NumberText.milliseconds(milliseconds) == text)
  }

  @Test(arguments: [
    (-5, "just now"), (59, "just now"), (60, "1 min ago"), (3600, "1 h ago"), (172_799, "47 h ago"),
    (172_800, "2 days ago"),
  ]) func writesAges(seconds: Int, text: String) {
    #expect(NumberText.age(.seconds(seconds)) == text)
  }
}
