import PostgresCluster
import Testing
import UpkeepCore

@testable import UpkeepDatabase

/// What is read of a live schema.
struct PostgresCatalogueTests {
  private func catalogue(_ statements: String...) async throws -> Catalogue {
    let session = try await PostgresCluster.shared().makeDatabase().open(.write(.normal), purpose: "test")
    return try await session.perform { connection in
      for statement in statements { try connection.execute(statement) }
      return try Catalogue(of: connection)
    }
  }

  @Test func readsTablesColumnsAndKeys() async throws {
    let catalogue = try await catalogue(
      "CREATE DOMAIN instant AS timestamptz",
      "CREATE TYPE mood AS ENUM ('good', 'bad')",
      """
      CREATE TABLE parent(id bigserial PRIMARY KEY, at instant NOT NULL, mood mood, "Odd Name" timestamp,
        twice int GENERATED ALWAYS AS (1 + 1) STORED)
      """,
      "CREATE TABLE child(a int, b bigint NOT NULL REFERENCES parent ON DELETE CASCADE, UNIQUE (b, a))",
      "CREATE UNIQUE INDEX child_b ON child(b)", "CREATE VIEW shown AS SELECT * FROM parent")
    let parent = try #require(catalogue["parent"])
    #expect(catalogue.engine == .postgres)
    #expect(parent.columns.map(\.name) == ["id", "at", "mood", "Odd Name", "twice"])
    let types = parent.columns.map(\.type)
    #expect(types == ["bigint", "timestamp with time zone", "mood", "timestamp without time zone", "integer"])
    #expect(parent.columns.map(\.isGenerated) == [false, false, false, false, true])
    #expect(parent.identity == ["id"])
    // A key that may be NULL tells no rows apart; an index that can't be does.
    #expect(catalogue["child"]?.identity == ["b"])
    #expect(catalogue["child"]?.hasIndex(on: ["b"]) == true)
    #expect(catalogue["child"]?.hasIndex(on: ["a"]) == false)
    let key = ForeignKey(
      child: "child", columns: ["b"], parent: "parent", parentColumns: ["id"], onDelete: .cascade)
    #expect(catalogue.foreignKeys == [key])
    #expect(catalogue.otherKind(of: "shown") == "view")
  }

  @Test func readsPartitionsAsOneTable() async throws {
    let catalogue = try await catalogue(
      "CREATE TABLE run(id int PRIMARY KEY)",
      """
      CREATE TABLE snapshot(id bigint, at timestamptz NOT NULL, run int REFERENCES run, PRIMARY KEY (id, at))
        PARTITION BY RANGE (at)
      """,
      "CREATE TABLE snapshot_old PARTITION OF snapshot FOR VALUES FROM (MINVALUE) TO ('2026-01-01')",
      "CREATE TABLE snapshot_rest PARTITION OF snapshot DEFAULT",
      "CREATE INDEX snapshot_at ON snapshot USING brin (at)")
    let snapshot = try #require(catalogue["snapshot"])
    #expect(snapshot.identity == ["id", "at"])
    #expect(snapshot.partitions == ["snapshot_old", "snapshot_rest"])
    #expect(snapshot.coarseIndexes == ["at"])
    #expect(!snapshot.hasIndex(on: ["at"]))
    #expect(catalogue.foreignKeys.map(\.child) == ["snapshot"])
    #expect(catalogue["snapshot_old"] == nil)
    #expect(catalogue.otherKind(of: "snapshot_old") == "partition")
  }

  @Test func findsWhatRefersToATableFromAnotherSchema() async throws {
    let catalogue = try await catalogue(
      "CREATE TABLE parent(id int PRIMARY KEY)", "CREATE SCHEMA other", "CREATE SCHEMA further",
      "CREATE TABLE other.child(id int PRIMARY KEY, parent int REFERENCES parent)",
      "CREATE TABLE further.grandchild(child int REFERENCES other.child)", "CREATE SCHEMA unrelated",
      "CREATE TABLE unrelated.t(a int)")
    #expect(catalogue.tables.map(\.name) == ["child", "grandchild", "parent"])
    #expect(catalogue.foreignKeys.map(\.child) == ["child", "grandchild"])
  }

  @Test func refusesNamesThatDifferInCapitalsOnlyAndTablesThatOthersInherit() async throws {
    let catalogue = try await catalogue(
      "CREATE TABLE logs(id int PRIMARY KEY)", "CREATE TABLE \"Logs\"(id int PRIMARY KEY)",
      "CREATE TABLE base(id int PRIMARY KEY)", "CREATE TABLE derived(extra int) INHERITS (base)")
    #expect(catalogue["logs"] == nil)
    #expect(catalogue.otherKind(of: "Logs") == "ambiguous")
    #expect(catalogue.otherKind(of: "base") == "inherited")
    #expect(catalogue["derived"] != nil)
  }
}
