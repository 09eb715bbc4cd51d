import DatabaseFixture
import PostgresCluster
import TableRetentionPlugin
import Testing
import UpkeepCore
import UpkeepDatabase
import UpkeepPurge
import UpkeepTestKit

/// A purge of 6,000 rows, each of which takes a while, so that it outlasts several looks at what its server is behind
/// with; 100 rows stay.
struct SlowPurge {
  static let rules = #"[{"table": "reading", "time_column": "at", "keep": "30d"}]"#

  let server: ServerFixture

  /// - Parameter options: What follows the table's columns.
  init(on cluster: PostgresCluster, _ limits: ServerLimits, options: String = "") async throws {
    server = try await ServerFixture(
      "CREATE TABLE reading(id int PRIMARY KEY, at timestamptz NOT NULL) \(options)",
      "CREATE INDEX ix_reading_at ON reading(at)",
      "INSERT INTO reading SELECT i, '2026-01-01' FROM generate_series(1, 6000) i",
      "INSERT INTO reading SELECT i, '2026-11-19' FROM generate_series(6001, 6100) i",
      "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
        + "$$ BEGIN PERFORM pg_sleep(0.0005); RETURN OLD; END $$",
      "CREATE TRIGGER slow BEFORE DELETE ON reading FOR EACH ROW EXECUTE FUNCTION slow()",
      on: cluster, limits: limits)
  }

  static func run(in context: TaskContext) async throws {
    try await TableRetentionTask().run(try RetentionFixture.settings(rules).settings, in: context)
  }

  /// Runs until the purge waits and says this, sees that it does, lets it go on, and sees what is left.
  func waits(saying message: String, until release: () async throws -> Void) async throws {
    let context = server.context(.run)
    let run = Task { try await Self.run(in: context) }
    var said = ""
    for _ in 0..<600 where !said.hasPrefix("waiting: ") {
      try await ContinuousClock().sleep(for: .milliseconds(50))
      said = context.journal.current.progress.message
    }
    #expect(said.hasPrefix("waiting: ") && said.contains(message), "\(said)")
    let left = try await server.text("SELECT count(*) FROM reading")
    #expect(Int(left) ?? 0 > 100, "the purge was over before it could wait")
    // Two more looks, each of which reports that it waits.
    let reports = context.journal.current.revision
    for _ in 0..<600 where context.journal.current.revision < reports + 2 {
      try await ContinuousClock().sleep(for: .milliseconds(50))
    }
    #expect(context.journal.current.revision >= reports + 2)
    #expect(try await server.text("SELECT count(*) FROM reading") == left)
    try await release()
    try await run.value
    #expect(context.journal.current.counts == ["reading_deleted": 6000])
    #expect(context.journal.current.warnings == [])
    #expect(try await server.text("SELECT min(id) || ' ' || count(*) FROM reading") == "6001 100")
  }
}
