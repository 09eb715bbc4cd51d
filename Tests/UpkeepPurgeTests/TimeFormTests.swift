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
