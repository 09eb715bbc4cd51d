import DatabaseFixture
import Testing
import UpkeepCore
import UpkeepDatabase

@testable import UpkeepPurge

/// Times that aren't text: what a number means, and what the engine makes of it.
struct TimeFormTests {
  /// Columns that hold each form as applications declare them.
  static let columns: [(TimeForm, String)] = [
    (.text, "TEXT"), (.text, "DATETIME"), (.text, ""), (.unixSeconds, "INTEGER"), (.unixSeconds, "REAL"),
    (.unixSeconds, "TIMESTAMP"), (.unixSeconds, ""), (.unixMilliseconds, "BIGINT"), (.unixMicroseconds, "INTEGER"),
    (.unixNanoseconds, "INTEGER"), (.julianDay, "REAL"), (.julianDay, "NUMERIC"),
  ]

  @Test(arguments: columns) func findsOldRowsByTheIndex(form: TimeForm, type: String) async throws {
    let fixture = try await PurgeFixture(
      "CREATE TABLE log(id INTEGER PRIMARY KEY, at \(type))", "CREATE INDEX ix_at ON log(at)")
    var sql = SQL("SELECT t.rowid FROM log t WHERE ")
    sql.add(.older(column: "at", than: PurgeFixture.cutoff, as: form), of: "t")
    let (text, values) = (sql.text, sql.values)
    let session = try await fixture.database.open(.read, purpose: "test")
    let plan = try await session.perform { try $0.map("EXPLAIN QUERY PLAN \(text)", values) { $0[3].text ?? "" } }
    await session.close()
    #expect(plan == ["SEARCH t USING COVERING INDEX ix_at (at<?)"])
  }

  @Test(arguments: TimeForm.allCases) func readsItsExample(form: TimeForm) throws {
    let value: DatabaseValue =
      switch form {
      case .text: .text(form.example)
      case .julianDay: .real(try #require(Double(form.example)))
      default: .integer(try #require(Int64(form.example)))
      }
    #expect(form.instant(of: value) == PurgeFixture.now)
    for other in TimeForm.allCases where other != form { #expect(other.instant(of: value) == nil) }
  }

  @Test(arguments: TimeForm.allCases.filter { $0 != .text })
  func takesNoNumberForATimeBefore1973OrAfter2286(form: TimeForm) throws {
    let range = try #require(form.plausibleValues)
    #expect(form.instant(of: range.first) == Timestamp(text: "1973-03-03T09:46:40Z"))
    #expect(form.instant(of: .integer(0)) == nil)
    #expect(form.instant(of: .integer(-1)) == nil)
    #expect(form == .unixNanoseconds || form.instant(of: .integer(.max)) == nil)
    #expect(form.instant(of: .integer(.min)) == nil)
    for number in [Double.infinity, -.infinity, .nan, 0, 1e300, -1e300] {
      #expect(form.instant(of: .real(number)) == nil)
    }
    #expect(form.instant(of: .text("2026-11-20")) == nil)
    #expect(form.instant(of: .null) == nil)
  }

  @Test(arguments: [
    (TimeForm.unixSeconds, 1_793_966_400.25, 250_000), (.unixSeconds, 1_793_966_400.000_001, 1),
    (.unixMilliseconds, 1_793_966_400_000.5, 500), (.unixMicroseconds, 1_793_966_400_000_000.75, 1),
    (.unixMicroseconds, 1_793_966_400_000_000.25, 0), (.unixNanoseconds, 1_793_966_400_000_001_536, 2),
    (.julianDay, 2_461_351, 0), (.julianDay, 2_461_351.25, 21_600_000_000),
  ])
  func roundsNumbersWithAFractionToMicroseconds(form: TimeForm, number: Double, microseconds: Int64) {
    let instant = Timestamp(microseconds: 1_793_966_400_000_000 + microseconds)
    #expect(form.instant(of: .real(number)) == instant)
  }

  @Test func endsExactlyAtTheInstantsThatANumberIsTakenFor() {
    let (first, last) = (Int64(100_000_000_000_000), Int64(9_999_999_999_999_999))
    for (number, isTime) in [(first - 1, false), (first, true), (last, true), (last + 1, false)] {
      let instant = isTime ? Timestamp(microseconds: number) : nil
      #expect(TimeForm.unixMicroseconds.instant(of: .integer(number)) == instant)
    }
    for form in TimeForm.allCases {
      guard case .integer(let number)? = form.plausibleValues?.first else { continue }
      #expect(form.instant(of: .integer(number)) == Timestamp(microseconds: first))
      #expect(form.instant(of: .integer(number - 1)) == nil)
    }
  }

  /// Multiplied, these would come round to an instant again.
  @Test func takesNoNumberForATimeThatOverflows() {
    #expect(TimeForm.unixSeconds.instant(of: .integer(18_446_944_073_710)) == nil)
    #expect(TimeForm.unixMilliseconds.instant(of: .integer(18_446_944_073_709_552)) == nil)
  }

  @Test func boundsNanosecondsThatANumberCannotHold() {
    #expect(TimeForm.unixNanoseconds.bound(before: Timestamp(microseconds: .max)) == .integer(.max))
    #expect(TimeForm.unixNanoseconds.bound(before: Timestamp(microseconds: .min)) == .integer(.min))
  }

  /// A cutoff between two values of the form: the bound that the index uses must let the earlier one through.
  @Test(arguments: [
    (TimeForm.unixSeconds, "1793966400, 1793966401, 1793966400.5, 1793966400.25"),
    (.unixMilliseconds, "1793966400499, 1793966400500, 1793966401000, 1793966400499.25"),
    (.unixMicroseconds, "1793966400500499, 1793966400500500, 1793966400500501, 1793966400500499.25"),
    (.unixNanoseconds, "1793966400500499999, 1793966400500500000, 1793966400500500001, 1793966400000000000"),
    (.text, "'2026-11-06 12:00:00.4', '2026-11-06 12:00:01', '2026-11-06 12:00:00.500500', '2026-11-07 11:59+23:59'"),
  ])
  func findsWhatLiesJustBeforeACutoffWithinASecond(form: TimeForm, values: String) async throws {
    let rows = values.split(separator: ", ").enumerated().map { "(\($0 + 1), \($1))" }.joined(separator: ", ")
    let fixture = try await PurgeFixture(
      "CREATE TABLE log(id INTEGER PRIMARY KEY, at)", "CREATE INDEX ix_at ON log(at)", "INSERT INTO log VALUES \(rows)")
    let cutoff = PurgeFixture.cutoff + .microseconds(form == .unixMilliseconds ? 499_500 : 500_500)
    let rule = DeletionRule(
      name: "log", table: "log", condition: .older(column: "at", than: cutoff, as: form), timeColumn: "at",
      timeForm: form)
    _ = try await fixture.run([rule])
    #expect(try await fixture.text("SELECT id FROM log") == (form == .unixSeconds ? "2" : "2 3"))
  }

  @Test func saysTheSameInSQL() async throws {
    let fixture = try await PurgeFixture("CREATE TABLE log(at)")
    let values: [DatabaseValue] = [
      1_793_966_400, 1_793_966_400_000, 1_793_966_400_000_000, 1_793_966_400_000_000_000, 0, -7, 20_261_120, nil, "",
      "2026-11-06 12:00:00", "1793966400", .real(1_793_966_400.5), .real(2_461_351.25), .real(-1), .blob([1]),
    ]
    let session = try await fixture.database.open(.read, purpose: "test")
    for form in TimeForm.allCases {
      for value in values {
        let row = try await session.perform { try $0.first("SELECT upkeep_instant(?1, \(form.code))", [value]) }
        #expect(row?[0].integer == form.instant(of: value)?.microseconds, "\(form) \(value)")
      }
    }
    let unknown = try await session.perform { try $0.first("SELECT upkeep_instant('2026-11-06', 99)") }
    #expect(unknown == [.null])
    await session.close()
  }
}
