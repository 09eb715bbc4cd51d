import Testing
import UpkeepCore

@Suite struct RunJournalTests {
  @Test func percentageNeverFallsAndStaysInBounds() {
    let journal = RunJournal()
    for (given, expected) in [(10.0, 10.0), (5, 10), (150, 100), (.nan, 100)] {
      journal.update { $0.progress.percent = given }
      #expect(journal.current.progress.percent == expected)
    }
  }

  @Test func takesNothingOnceClosed() {
    let journal = RunJournal()
    journal.update { $0.counts["a", default: 0] += 1 }
    #expect(journal.close().counts == ["a": 1])
    journal.update { $0.counts["a", default: 0] += 1 }
    #expect(journal.current.counts == ["a": 1])
    #expect(journal.current.revision == 1)
  }

  @Test func keepsNoMoreThanItsLimit() {
    let journal = RunJournal(limit: 2)
    journal.update { contents in
      contents.warnings = ["1", "2", "3"]
      contents.details = [.null, .null, .null]
    }
    #expect(journal.current.warnings == ["1", "2"])
    #expect(journal.current.details.count == 2)
  }

  @Test func countsEveryChange() {
    let journal = RunJournal()
    for _ in 0..<3 { journal.update { $0.progress.message = "x" } }
    #expect(journal.current.revision == 3)
  }
}

private struct FixedRandom: RandomSource {
  let value: UInt64

  func next() -> UInt64 { value }
}

@Suite struct RunIDTests {
  @Test(
    arguments: [
      (0, 0, "00000000000000000000000000"), (1_469_918_176_385_000, 0, "01ARYZ6S410000000000000000"),
      (1_469_918_176_385_000, UInt64.max, "01ARYZ6S41ZZZZZZZZZZZZZZZZ"),
    ] as [(Int64, UInt64, String)])
  func isAULID(_ microseconds: Int64, _ random: UInt64, _ expected: String) {
    let id = RunID.make(at: Timestamp(microseconds: microseconds), random: FixedRandom(value: random))
    #expect(id == expected)
    #expect(RunID.isValid(id))
  }

  @Test func sortsByTime() {
    let ids = [1, 1000, 1_000_000, 1_795_176_000_000].map {
      RunID.make(at: Timestamp(microseconds: $0 * 1000), random: FixedRandom(value: 7))
    }
    #expect(ids == ids.sorted())
  }

  @Test(arguments: [
    "", "01ARYZ6S41", "01ARYZ6S41000000000000000U", "01aryz6s410000000000000000", "../../../../etc/passwd----",
  ])
  func isToldFromOtherTexts(_ text: String) {
    #expect(!RunID.isValid(text))
  }
}
