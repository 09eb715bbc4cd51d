import DatabaseFixture
import Testing
import UpkeepCore

@testable import UpkeepPurge

/// Times in SQLite are text in several forms; each form has its rows on both sides of the cutoff.
struct TimeComparisonTests {
  @Test(arguments: [
    "2026-11-06 11:59:59", "2026-11-06 11:59:59.999999", "2026-11-06T11:59:59Z", "2026-11-06T11:59:59.999999Z",
    "2026-11-06 11:59", "2026-11-06", "2026-11-06T13:59:59+02:00", "2026-11-07 01:59:59.9+14:00",
    "2026-11-06T01:59:59-10:00", "2026-11-05 23:59:59-12:00", "1999-12-31 23:59:59", "2026-11-06T11:59:59.9999999Z",
    "2026-11-06 13:59:59.999999 +0200",
  ])
  func deletesARowBeforeTheCutoff(_ text: String) async throws {
    #expect(try await survivors(text, declared: "TEXT") == "")
  }

  @Test(arguments: [
    "2026-11-06 12:00:00", "2026-11-06 12:00:00.000000", "2026-11-06T12:00:00Z", "2026-11-06T12:00:00.000Z",
    "2026-11-06 12:00", "2026-11-06T14:00:00+02:00", "2026-11-07 02:00:00+14:00", "2026-11-06T02:00:00-10:00",
    "2026-11-06 12:00:00.000001", "2026-11-06T00:00:00.000001-12:00", "2026-11-07", "2999-01-01 00:00:00",
  ])
  func keepsARowAtOrAfterTheCutoff(_ text: String) async throws {
    #expect(try await survivors(text, declared: "TEXT") == "1")
  }

  @Test(arguments: [
    "''", "'yesterday'", "'0'", "'1763640000'", "'2020'", "'2020-13-01 00:00:00'", "'2020-02-30'",
    "'2020-01-01 25:00:00'",
    "'2020-01-01x'", "' 2020-01-01'", "'20200101'", "NULL", "0", "1577836800", "1577836800.5", "-5",
    "x'323032302d30312d3031'", "'2020-01-01 00:00:00 UTC'",
  ])
  func keepsARowWhoseTimeCannotBeRead(_ literal: String) async throws {
    let fixture = try await PurgeFixture(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, at)", "INSERT INTO t VALUES (1, \(literal))")
    let preview = try await fixture.preview([.old("t")])
    #expect(preview.counts == ["t_deleted": 0])
    _ = try await fixture.run([.old("t")])
    #expect(try await fixture.text("SELECT id FROM t") == "1")
  }

  @Test func warnsOfTimesThatCannotBeRead() async throws {
    let fixture = try await PurgeFixture(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, at)", "INSERT INTO t VALUES (1, 1577836800), (2, 'x'), (3, NULL)")
    #expect(
      try await fixture.preview([.old("t")]).warnings == [
        "t: 2 rows have no date and time in at that can be read; they are kept: write it as 2026-11-20 12:00:00"
      ])
  }

  /// The one row's id, where it is still there after a run, which must agree with the preview.
  private func survivors(_ text: String, declared type: String) async throws -> String {
    let fixture = try await PurgeFixture(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, at \(type))", "CREATE INDEX ix_t_at ON t(at)",
      "INSERT INTO t VALUES (1, '\(text)')")
    let preview = try await fixture.preview([.old("t")])
    let run = try await fixture.run([.old("t")])
    #expect(preview.counts == run.counts)
    return try await fixture.text("SELECT id FROM t")
  }
}
